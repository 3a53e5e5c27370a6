from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel

from domain.errors import ModelUnavailable
from models.chat.gguf import choice_of, gguf_chat, plain_messages
from models.chat.interface import Chat
from models.chat.llama import smollm2_path
from settings import Settings
from tests.models.extractive.fixtures import TOOLS

MODEL = smollm2_path()
pytestmark = pytest.mark.skipif(MODEL is None, reason="the bundled small model is not installed")


@pytest.fixture(scope="module")
def chat() -> Chat:
    return gguf_chat(Settings(embedded_gguf=MODEL, embedded_threads=1, llm_context_tokens=2048, _env_file=None))


async def test_streams_with_usage(chat: Chat) -> None:
    chunks = [chunk async for chunk in chat.model.astream([HumanMessage("Tell me a story.")], max_tokens=12)]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    assert len(chunks) > 4 and whole.text
    assert whole.usage_metadata is not None and whole.usage_metadata["output_tokens"] <= 12
    assert whole.response_metadata["model_name"] == chat.name and chat.kind == "gguf"


async def test_a_required_tool_is_called_with_arguments_of_its_schema(chat: Chat) -> None:
    tool = {
        "type": "function",
        "function": {
            "name": "paint",
            "description": "Paint a wall",
            "parameters": {
                "type": "object",
                "properties": {"colour": {"enum": ["red", "blue"]}},
                "required": ["colour"],
            },
        },
    }
    answer = await chat.model.bind_tools([tool, TOOLS[3]], tool_choice="paint").ainvoke("Paint my wall blue.")
    assert [call["name"] for call in answer.tool_calls] == ["paint"]
    assert answer.tool_calls[0]["args"]["colour"] in ("red", "blue")
    assert answer.usage_metadata is not None and answer.usage_metadata["output_tokens"] > 0


async def test_with_tools_the_answer_is_a_call_or_text(chat: Chat) -> None:
    answer = await chat.model.bind_tools(TOOLS).ainvoke("Hello!", max_tokens=8)
    names = {tool["function"]["name"] for tool in TOOLS}
    assert answer.text if not answer.tool_calls else {call["name"] for call in answer.tool_calls} <= names


async def test_structured_output(chat: Chat) -> None:
    class Person(BaseModel):
        """A person."""

        name: str
        age: int

    person = await chat.model.with_structured_output(Person).ainvoke("Lin is 30 years old.")
    assert isinstance(person, Person)


async def test_cancelling_stops_the_model(chat: Chat) -> None:
    started = time.perf_counter()
    await chat.model.ainvoke("Tell a long story.", max_tokens=30)
    thirty = time.perf_counter() - started
    task = asyncio.create_task(chat.model.ainvoke("Tell a very long story.", max_tokens=1000))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    started = time.perf_counter()
    await chat.model.ainvoke("Hi", max_tokens=2)
    assert time.perf_counter() - started < 10 * thirty


def test_a_wrong_file_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        gguf_chat(Settings(embedded_gguf=tmp_path / "none.gguf", _env_file=None))


def test_tool_choice() -> None:
    assert choice_of({"tools": TOOLS, "tool_choice": "none"}) is None and choice_of({}) is None
    assert not choice_of({"tools": TOOLS}).required  # type: ignore[union-attr]
    one = choice_of({"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "fetch_url"}}})
    assert one is not None and one.required and [tool["name"] for tool in one.tools] == ["fetch_url"]


def test_messages_are_written_for_any_template() -> None:
    plain = plain_messages([
        SystemMessage("a"), HumanMessage("q"),
        AIMessage("", tool_calls=[{"name": "t", "args": {"x": 1}, "id": "1"}]),
        ToolMessage("r1", tool_call_id="1", name="t"), ToolMessage("r2", tool_call_id="2", name="u"),
        SystemMessage("b"),
    ])  # fmt: skip
    assert [message["role"] for message in plain] == ["system", "user", "assistant", "user"]
    assert plain[0]["content"] == "a\n\nb" and '"tool": "t"' in plain[2]["content"]
    assert "r1" in plain[3]["content"] and "r2" in plain[3]["content"]
