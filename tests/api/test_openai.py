from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio

from tests.api.conftest import said_to
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, Failure, OpenAIServer, ToolCall

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest_asyncio.fixture(loop_scope="session")
async def api(server: LiveServer, model: OpenAIServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def user(text: str) -> Any:
    return {"role": "user", "content": text}


async def test_models(api: openai.AsyncOpenAI) -> None:
    names = [item.id async for item in api.models.list()]
    assert names[0] == "agent" and "stand-in" in names
    assert (await api.models.retrieve("agent")).id == "agent"


async def test_a_stateless_call_counts_the_clients_own_history(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    history: Any = [
        {"role": "system", "content": "You are a pirate."}, user("one"),
        {"role": "assistant", "content": "eins"}, user("two"),
    ]  # fmt: skip
    completion = await api.chat.completions.create(model="gpt-4o", messages=history)
    assert completion.choices[0].message.content == "You said: two"
    assert completion.choices[0].finish_reason == "stop" and completion.usage is not None
    assert said_to(model) == ["one", "eins", "two"] and "pirate" in str(model.chats[-1].messages[0])
    await api.chat.completions.create(model="gpt-4o", messages=[user("three")])
    assert said_to(model) == ["three"]


@pytest.mark.parametrize("how", ["header", "user"])
async def test_a_thread_is_remembered(api: openai.AsyncOpenAI, model: OpenAIServer, how: str) -> None:
    options: Any = {"extra_headers": {"X-Session-Id": "oa-header"}} if how == "header" else {"user": "oa-user"}
    await api.chat.completions.create(model="m", messages=[user("one")], **options)
    await api.chat.completions.create(model="m", messages=[user("ignored"), user("two")], **options)
    assert said_to(model) == ["one", "You said: one", "two"]


async def test_streaming_with_usage(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script(["one two three"])
    text, finish, usage = "", None, None
    stream = await api.chat.completions.create(
        model="m", messages=[user("Count")], stream=True, stream_options={"include_usage": True}
    )
    async for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    assert (text, finish) == ("one two three", "stop")
    assert usage is not None and usage.total_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
async def test_stop_sequences(api: openai.AsyncOpenAI, model: OpenAIServer, stream: bool) -> None:
    model.script(["one two three four"])
    result: Any = await api.chat.completions.create(model="m", messages=[user("Count")], stop=["three"], stream=stream)
    if stream:
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in result])
    else:
        text = result.choices[0].message.content
    assert text == "one two "


async def test_files_as_content_parts(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    data = "data:text/plain;base64," + base64.b64encode(b"The notice period is six weeks.").decode()
    content: Any = [
        {"type": "text", "text": "What is the notice period?"},
        {"type": "file", "file": {"filename": "lease.txt", "file_data": data}},
    ]
    completion = await api.chat.completions.create(model="m", messages=[{"role": "user", "content": content}])
    assert "six weeks" in model.chats[-1].text
    attachments: Any = completion.model_extra
    assert attachments["attachments"][0]["status"] == "ready"


@pytest.mark.parametrize("stream", [False, True])
async def test_the_clients_tools_are_passed_through(api: openai.AsyncOpenAI, model: OpenAIServer, stream: bool) -> None:
    model.script([Answer(tool_calls=[ToolCall("weather", {"city": "Ulm"})]), "Sunny."])
    messages: list[Any] = [user("Weather in Ulm?")]
    result: Any = await api.chat.completions.create(model="m", messages=messages, tools=[WEATHER], stream=stream)
    if stream:
        chunks = [chunk async for chunk in result]
        calls = [call for chunk in chunks for c in chunk.choices for call in c.delta.tool_calls or []]
        name, arguments = calls[0].function.name, "".join(call.function.arguments or "" for call in calls)
        assert chunks[-1].choices[0].finish_reason == "tool_calls"
        call_id = calls[0].id
    else:
        [call] = result.choices[0].message.tool_calls
        name, arguments, call_id = call.function.name, call.function.arguments, call.id
        assert result.choices[0].finish_reason == "tool_calls"
    assert (name, json.loads(arguments)) == ("weather", {"city": "Ulm"})
    messages += [
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}]},
        {"role": "tool", "tool_call_id": call_id, "content": "sunny"},
    ]  # fmt: skip
    done = await api.chat.completions.create(model="m", messages=messages, tools=[WEATHER])
    assert done.choices[0].message.content == "Sunny."


async def test_errors_have_openais_shape(
    api: openai.AsyncOpenAI, model: OpenAIServer, client: httpx.AsyncClient
) -> None:
    model.script([Failure(500), Failure(500)])
    with pytest.raises(openai.InternalServerError) as failed:
        await api.chat.completions.create(model="m", messages=[user("Hi")])
    assert failed.value.code == "model_unavailable"
    with pytest.raises(openai.APIError, match="language model"):
        async for _ in await api.chat.completions.create(model="m", messages=[user("Hi")], stream=True):
            pass
    bad: Any = [{"role": "robot", "content": "x"}]
    with pytest.raises(openai.BadRequestError):
        await api.chat.completions.create(model="m", messages=bad)
    with pytest.raises(openai.BadRequestError):
        await api.chat.completions.create(model="m", messages=[user("x")], n=2)
    error = (await client.post("/v1/chat/completions", json={})).json()["error"]
    assert {"message", "type", "param", "code"} <= error.keys()


@pytest.mark.parametrize("encoding", ["float", "base64"])
async def test_embeddings(api: openai.AsyncOpenAI, encoding: Any) -> None:
    result = await api.embeddings.create(model="m", input=["a cat", "a dog"], encoding_format=encoding)
    default = await api.embeddings.create(model="m", input="a cat")
    vectors = [item.embedding for item in default.data]
    assert len(result.data) == 2 and abs(sum(x * x for x in vectors[0]) - 1) < 1e-3


async def test_too_much_text_to_embed_is_refused(client: httpx.AsyncClient, server: LiveServer) -> None:
    half = "x" * (server.settings.max_message_chars // 2 + 1)
    response = await client.post("/v1/embeddings", json={"model": "m", "input": [half, half]})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (413, "message_too_long")
    assert error["type"] == "invalid_request_error" and "param" in error


async def test_speech_that_is_not_there(api: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as failed:
        await api.audio.speech.create(model="m", voice="alloy", input="Hello")
    assert failed.value.code == "speech_unavailable"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_the_longest_answer_is_the_callers(
    api: openai.AsyncOpenAI, model: OpenAIServer, name: str, stream: bool
) -> None:
    model.script([Answer("one two", finish="length")])
    options: Any = {name: 3, "stream": stream}
    result: Any = await api.chat.completions.create(model="m", messages=[user("Count")], **options)
    if stream:
        finish = [chunk.choices[0].finish_reason async for chunk in result if chunk.choices][-1]
    else:
        finish = result.choices[0].finish_reason
        assert result.warnings == ["The answer was cut at its longest length."]
    assert (finish, model.chats[-1].body["max_tokens"]) == ("length", 3)
