from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel

from domain.errors import ModelUnavailable
from models.chat.gguf import GgufChat, choice_of, gguf_chat, plain_messages
from models.chat.interface import Chat
from models.chat.llama import ChatMessage, LlamaEngine, Piece, smollm2_path
from settings import Settings
from tests.models.extractive.fixtures import TOOLS

MODEL = smollm2_path()
pytestmark = pytest.mark.skipif(MODEL is None, reason="the bundled small model is not installed")


@pytest.fixture(scope="module")
async def chat() -> AsyncIterator[Chat]:
    settings = Settings(embedded_gguf=MODEL, embedded_threads=1, llm_context_tokens=2048, _env_file=None)
    made = await asyncio.to_thread(gguf_chat, settings)
    yield made
    assert made.aclose is not None
    await made.aclose()


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
    assert [message["role"] for message in plain] == ["system", "user"]
    assert plain[0]["content"] == "a\n\nb" and "{" not in plain[1]["content"]
    assert "r1" in plain[1]["content"] and "r2" in plain[1]["content"]


class ScriptedEngine(LlamaEngine):
    """Says what is next in its script, a few characters at a time; an unexpected request fails the test."""

    def __init__(self, *replies: str) -> None:
        super().__init__(Path("scripted.gguf"), threads=1, context_tokens=2048)
        self.replies, self.asked = list(replies), 0

    async def stream(self, messages: Sequence[ChatMessage], **options: Any) -> AsyncGenerator[Piece, None]:
        self.asked += 1
        text = self.replies.pop(0)
        for start in range(0, len(text), 3):
            yield Piece(text[start : start + 3])
        yield Piece(input_tokens=5, output_tokens=2)


CALCULATE = {"name": "calculate", "args": {"expression": "80*0.125"}, "id": "1", "type": "tool_call"}
CALLED = [
    HumanMessage("What is 12.5 % of 80?"), AIMessage("", tool_calls=[CALCULATE]),
    ToolMessage("12.5 % of 80 = 10", tool_call_id="1", name="calculate"),
]  # fmt: skip


async def said(engine: ScriptedEngine, messages: Sequence[BaseMessage], **options: Any) -> AIMessage:
    answer = await GgufChat(engine, max_tokens=100, extra_body={}).ainvoke(list(messages), **options)
    assert not engine.replies
    return answer


@pytest.mark.parametrize(
    "call",
    [
        '{"tool": "calculate", "arguments": {"expression": "80*0.125"}}',
        '```json\n{"name": "calculate", "arguments": {}}\n```',
        '[{"name": "calculate", "parameters": {}}]',
    ],
)
async def test_a_call_is_never_the_answer(call: str) -> None:
    assert (await said(ScriptedEngine(call, "It is 10."), CALLED)).text == "It is 10."
    assert (await said(ScriptedEngine(call, call), CALLED)).text == ""


@pytest.mark.parametrize("text", ['{"fruit": "pear"}', "`ls` lists files.", "{ is a brace", "  Two\n\nlines."])
async def test_other_answers_stay_as_they_are(text: str) -> None:
    assert (await said(ScriptedEngine(text), CALLED[:1])).text == text


async def test_the_same_call_is_not_made_twice() -> None:
    call = json.dumps({"tool": "calculate", "arguments": CALCULATE["args"]})
    tools = [{"type": "function", "function": {"name": "calculate", "parameters": {"type": "object"}}}]
    first = await said(ScriptedEngine(call), CALLED[:1], tools=tools)
    assert [(made["name"], made["args"]) for made in first.tool_calls] == [("calculate", CALCULATE["args"])]
    again = await said(ScriptedEngine(call, "It is 10."), CALLED, tools=tools)
    assert not again.tool_calls and again.text == "It is 10."
