"""Hosted chat models, through the real client library, against a real HTTP server."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from domain.errors import AppError, ModelTimedOut, ModelUnavailable
from models.chat.call_chunks import MOST_CALLS
from models.chat.fallback import FallbackChat
from models.chat.hosted import hosted_chat
from models.chat.interface import Chat
from models.chat.openai_chat import MOST_CHARS
from settings import Settings
from tests.models.conftest import Configure
from tests.standins.openai_server import (
    Answer,
    Drip,
    Failure,
    Garbled,
    Hang,
    OpenAIServer,
    Step,
    ToolCall,
)


def opened(settings: Settings) -> Chat:
    chat = hosted_chat(settings)
    assert chat is not None
    return chat


async def collect(model: Any, prompt: str = "hi") -> tuple[AIMessageChunk, list[AIMessageChunk]]:
    chunks = [chunk async for chunk in model.astream([HumanMessage(prompt)])]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    return whole, chunks


@tool
def weather(city: str, days: int = 1) -> str:
    """Tell the weather of a city."""
    return f"{city} {days}"


async def test_streams_content_with_usage_and_model_name(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script(["The answer is 四十二, of course."])
    whole, chunks = await collect(opened(configure()).model)
    assert whole.content == "The answer is 四十二, of course."
    assert sum(bool(chunk.content) for chunk in chunks) > 3
    assert whole.response_metadata["model_name"] == "m-1"
    assert whole.response_metadata["finish_reason"] == "stop"
    assert whole.usage_metadata is not None and whole.usage_metadata["output_tokens"] == 8


async def test_what_is_sent(openai_server: OpenAIServer, configure: Configure) -> None:
    await collect(opened(configure(llm_max_output_tokens=99, llm_extra_body={"top_k": 3})).model)
    request = openai_server.chats[0]
    assert request.key == "sk-test"
    assert request.body["max_tokens"] == 99
    assert request.body["top_k"] == 3
    assert request.body["stream_options"] == {"include_usage": True}
    assert "enable_thinking" not in request.body


async def test_usage_repeated_in_every_chunk_counts_once(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Answer("a long enough answer", repeat_usage=True)])
    whole, _ = await collect(opened(configure()).model)
    assert whole.usage_metadata is not None
    assert (whole.usage_metadata["input_tokens"], whole.usage_metadata["output_tokens"]) == (1, 6)


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
async def test_reasoning_is_kept_apart(openai_server: OpenAIServer, configure: Configure, key: Any) -> None:
    openai_server.script([Answer("42", reasoning="six times seven", reasoning_key=key)])
    whole, chunks = await collect(opened(configure()).model)
    assert whole.content == "42"
    assert whole.additional_kwargs["reasoning_content"] == "six times seven"
    assert chunks[0].additional_kwargs["reasoning_content"] == "six ti"


@pytest.mark.parametrize("thought", ["six times seven", ""])
async def test_think_tags_are_reasoning(openai_server: OpenAIServer, configure: Configure, thought: str) -> None:
    openai_server.script([f"\n<think>\n{thought}</think>\n\n42, as <think> says"])
    whole, _ = await collect(opened(configure()).model)
    assert whole.content == "42, as <think> says"
    assert whole.additional_kwargs.get("reasoning_content", "") == thought


@pytest.mark.parametrize("text", ["<thinks> is no tag", "<b>bold</b>", "  <", "a </think> b"])
async def test_other_tags_are_content(openai_server: OpenAIServer, configure: Configure, text: str) -> None:
    openai_server.script([text])
    whole, _ = await collect(opened(configure()).model)
    assert whole.content == text
    assert whole.additional_kwargs == {}


async def test_reasoning_is_not_sent_back(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Answer("42", reasoning="secret thoughts"), "ok"])
    model = opened(configure()).model
    first = await model.ainvoke("hi")
    assert first.additional_kwargs["reasoning_content"] == "secret thoughts"
    await model.ainvoke([HumanMessage("hi"), first, HumanMessage("again")])
    assert "secret" not in str(openai_server.chats[1].body)


async def test_tool_calls_arrive_in_pieces(openai_server: OpenAIServer, configure: Configure) -> None:
    calls = [ToolCall("weather", {"city": "北京", "days": 3}, "a"), ToolCall("weather", {"city": "Rome"}, "b")]
    openai_server.script([Answer("Let me look.", tool_calls=calls)])
    whole, _ = await collect(opened(configure()).model.bind_tools([weather]))
    assert [(call["id"], call["args"]) for call in whole.tool_calls] == [
        ("a", {"city": "北京", "days": 3}),
        ("b", {"city": "Rome"}),
    ]
    assert whole.content == "Let me look."
    assert whole.response_metadata["finish_reason"] == "tool_calls"
    assert openai_server.chats[0].tools == ["weather"]


async def test_malformed_tool_arguments_are_marked(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Answer(tool_calls=[ToolCall("weather", "city: Rome]")])])
    answer = await opened(configure()).model.ainvoke("hi")
    assert answer.tool_calls == []
    assert answer.invalid_tool_calls[0]["args"] == "city: Rome]"


async def test_a_finish_reason_sent_twice_is_one(openai_server: OpenAIServer, configure: Configure) -> None:
    end = 'data: {"model": "m-1", "choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]}\n\n'
    openai_server.script([Garbled(end * 2)])
    answer = await opened(configure()).model.ainvoke("hi")
    assert (answer.content, answer.response_metadata["finish_reason"]) == ("xx", "stop")
    assert answer.response_metadata["model_name"] == "m-1"


async def test_ainvoke_streams_too(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Answer("slow but steady", pace=0.2)])
    answer = await opened(configure(llm_timeout=0.5)).model.ainvoke("hi")
    assert answer.content == "slow but steady"
    assert openai_server.chats[0].body["stream"] is True


async def test_structured_output(openai_server: OpenAIServer, configure: Configure) -> None:
    class Title(BaseModel):
        title: str

    openai_server.script(['{"title": "A walk"}'])
    made = await opened(configure()).model.with_structured_output(Title, method="json_mode").ainvoke("hi")
    assert made == Title(title="A walk")


@pytest.mark.parametrize(
    ("failure", "english", "chinese"),
    [
        (Failure(401, message="Incorrect API key sk-test"), "the key was refused", "密钥被拒绝"),
        (Failure(403), "may not use", "无权"),
        (Failure(404), "no such model", "没有该模型"),
        (Failure(400), "does not accept", "不被接受"),
        (Failure(400, code="data_inspection_failed"), "refused the content", "拒绝"),
        (Failure(400, code="context_length_exceeded", message="context_length_exceeded"), "window", "上下文长度"),
        (Failure(429, retry_after=0.01), "too many requests", "过于频繁"),
        (Failure(429, code="insufficient_quota", retry_after=0.01), "no credit", "额度不足"),
        (Failure(503, retry_after=0.01), "HTTP 503", "HTTP 503"),
    ],
)
async def test_refusals(
    openai_server: OpenAIServer, configure: Configure, failure: Failure, english: str, chinese: str
) -> None:
    openai_server.respond = lambda _: failure
    with pytest.raises(ModelUnavailable) as caught:
        await collect(opened(configure()).model)
    assert english in caught.value.body("en")["message"]
    assert chinese in caught.value.body("zh")["message"]
    assert "sk-test" not in str(caught.value.body("en")) + openai_server.base_url
    assert len(openai_server.chats) == (3 if failure.status in {429, 503} else 1)


@pytest.mark.parametrize(
    "step",
    [
        Garbled(),
        Garbled("<html>Please log in</html>", "text/html"),
        Garbled('data: "text"\n\n'),
        Garbled('data: {"choices": [{"delta": "text"}]}\n\n'),
        Garbled('data: {"choices": 7}\n\n'),
        Garbled('data: {"choices": [{"delta": {"role": "user", "content": "hi"}}]}\n\n'),
        Garbled(""),
        Answer("half of an answer", cut_after=3),
        Answer("half of an answer", end_after=3),
        Answer("half of an answer", error_after=3),
    ],
)
async def test_broken_answers_are_errors(openai_server: OpenAIServer, configure: Configure, step: Step) -> None:
    openai_server.script([step])
    with pytest.raises(ModelUnavailable):
        await collect(opened(configure()).model)


async def test_no_connection(configure: Configure) -> None:
    with pytest.raises(ModelUnavailable, match="no connection"):
        await collect(opened(configure(llm_base_url="http://127.0.0.1:1/v1", llm_max_retries=0)).model)


async def test_retries_after_too_many_requests_and_failures(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Failure(429, retry_after=0.2), Failure(500, retry_after=0.01), "at last"])
    started = time.monotonic()
    whole, _ = await collect(opened(configure()).model)
    assert whole.content == "at last"
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("step", [Hang(), Hang(headers=True), Drip("comments"), Drip("empty"), Drip("bytes")])
async def test_silence_ends(openai_server: OpenAIServer, configure: Configure, step: Step) -> None:
    openai_server.script([step])
    started = time.monotonic()
    with pytest.raises(ModelTimedOut):
        await collect(opened(configure(llm_timeout=0.4)).model)
    assert 0.3 < time.monotonic() - started < 10
    await openai_server.disconnected(timeout=10)


async def test_silence_in_the_middle_ends(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Answer("one two three", pace=0.8)])
    with pytest.raises(ModelTimedOut):
        await collect(opened(configure(llm_timeout=0.4)).model)
    await openai_server.disconnected(timeout=10)


async def test_a_slow_reader_is_not_a_silent_model(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script(["one two three"])
    said = ""
    async for chunk in opened(configure(llm_timeout=0.2)).model.astream("hi"):
        said += str(chunk.content)
        await asyncio.sleep(0.25)
    assert said == "one two three"


async def test_cancelling_hangs_up(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Answer("one two three four five six seven", pace=1)])
    task = asyncio.create_task(collect(opened(configure()).model))
    await asyncio.sleep(1.5)
    cancelled = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await openai_server.disconnected(timeout=10))[0] - cancelled < 4, "the answer takes eight seconds"


async def test_leaving_the_loop_hangs_up(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Answer("one two three four five six seven", pace=0.3)])
    async for chunk in opened(configure()).model.astream("hi"):
        if chunk.content:
            break
    assert len(await openai_server.disconnected(timeout=10)) == 1


async def test_cancelling_a_consumer_between_tokens_hangs_up(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Answer("one two three four five six seven", pace=0.3)])

    async def consume(model: BaseChatModel) -> None:
        async for _ in model.astream("hi"):
            await asyncio.sleep(30)

    task = asyncio.create_task(consume(opened(configure()).model))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await openai_server.disconnected(timeout=10)


FALLBACK = {"llm_fallback_model": "m-2", "llm_max_retries": 0}


@pytest.mark.parametrize(
    "step", [Failure(500), Failure(401), Garbled(), Hang(), Drip("empty"), Answer("x", cut_after=1)]
)
async def test_fallback_before_the_first_token(openai_server: OpenAIServer, configure: Configure, step: Step) -> None:
    openai_server.script([step], model="m-1")
    openai_server.script(["from the spare one"], model="m-2")
    chat = opened(configure(**FALLBACK, llm_timeout=0.5))
    whole, _ = await collect(chat.model)
    assert isinstance(chat.model, FallbackChat)
    assert whole.content == "from the spare one"
    assert whole.response_metadata["model_name"] == "m-2"
    assert chat.name == "m-1"


async def test_no_fallback_after_the_first_token(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Answer("half of it", cut_after=2)], model="m-1")
    openai_server.script([], model="m-2")
    with pytest.raises(ModelUnavailable, match="broke off"):
        await collect(opened(configure(**FALLBACK)).model)


async def test_fallback_binds_tools_to_both(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Failure(500)], model="m-1")
    openai_server.script([Answer(tool_calls=[ToolCall("weather", {"city": "Rome"})])], model="m-2")
    answer = await opened(configure(**FALLBACK)).model.bind_tools([weather], tool_choice="any").ainvoke("hi")
    assert answer.tool_calls[0]["args"] == {"city": "Rome"}
    assert [(chat.tools, chat.body["tool_choice"]) for chat in openai_server.chats] == [(["weather"], "required")] * 2


async def test_when_both_fail_the_last_reason_is_told(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Failure(500)], model="m-1")
    openai_server.script([Failure(404)], model="m-2")
    with pytest.raises(AppError, match="no such model"):
        await opened(configure(**FALLBACK)).model.ainvoke("hi")


async def test_cancelling_with_a_fallback_asks_nobody_else(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Hang()], model="m-1")
    openai_server.script([], model="m-2")
    task = asyncio.create_task(collect(opened(configure(**FALLBACK)).model))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await openai_server.disconnected(timeout=10)


async def test_fallback_keys_go_to_their_own_address(openai_server: OpenAIServer, configure: Configure) -> None:
    with OpenAIServer(api_key="sk-spare") as spare:
        openai_server.script([Failure(500), Failure(500)])
        given = {**FALLBACK, "llm_fallback_base_url": spare.base_url}
        answer = await opened(configure(**given, llm_fallback_api_key="sk-spare")).model.ainvoke("hi")
        assert answer.content == "You said: hi"
        with pytest.raises(ModelUnavailable, match="key was refused"):
            await opened(configure(**given)).model.ainvoke("hi")
        assert [request.key for request in spare.chats] == ["sk-spare", "none"]


async def test_many_streams_at_once(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.respond = lambda request: request.user_text * 3
    model = opened(configure()).model
    answers = await asyncio.gather(*(model.ainvoke(f"[{number}]") for number in range(50)))
    assert [answer.content for answer in answers] == [f"[{number}]" * 3 for number in range(50)]


async def test_a_flood_of_tool_calls_is_cut(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Answer(tool_calls=[ToolCall("weather", {"city": str(n)}) for n in range(MOST_CALLS + 20)])])
    whole, _ = await collect(opened(configure()).model.bind_tools([weather]))
    assert [call["args"]["city"] for call in whole.tool_calls] == [str(n) for n in range(MOST_CALLS)]
    assert whole.invalid_tool_calls == []


async def test_an_answer_without_end_is_an_error(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([Answer("word " * (MOST_CHARS // 5 + 200), piece=5000)])
    with pytest.raises(ModelUnavailable, match="does not end"):
        await collect(opened(configure()).model)
