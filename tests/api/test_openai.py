from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import openai
import pytest
import pytest_asyncio
from pydantic import BaseModel

from api.openai.schemas import ResponseFormat
from api.openai.turns import json_form
from domain.errors import BadInput
from tests.api.conftest import said_to
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, Failure, Garbled, OpenAIServer, ToolCall
from tests.standins.quirks import QUIRKS

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


def user(text: Any) -> Any:
    return {"role": "user", "content": text}


async def test_models(api: openai.AsyncOpenAI) -> None:
    names = [item.id async for item in api.models.list()]
    assert names[0] == "agent" and "stand-in" in names
    assert (await api.models.retrieve("agent")).id == "agent"
    with pytest.raises(openai.NotFoundError):
        await api.models.retrieve("gpt-9")


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


@pytest.mark.parametrize("how", ["header", "metadata"])
async def test_a_thread_is_remembered(api: openai.AsyncOpenAI, model: OpenAIServer, how: str) -> None:
    by_header, by_metadata = {"extra_headers": {"X-Session-Id": "oa-1"}}, {"metadata": {"session_id": "oa-2"}}
    options: Any = by_header if how == "header" else by_metadata
    await api.chat.completions.create(model="m", messages=[user("one")], **options)
    await api.chat.completions.create(model="m", messages=[user("ignored"), user("two")], **options)
    assert said_to(model) == ["one", "You said: one", "two"]


async def test_an_end_users_id_selects_no_thread(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    options: Any = {"user": "alice@example.com"}
    await api.chat.completions.create(model="m", messages=[user("My salary is 91000.")], **options)
    history: Any = [user("My bank is Quill."), {"role": "assistant", "content": "Noted."}, user("What is my bank?")]
    await api.chat.completions.create(model="m", messages=history, **options)
    assert said_to(model) == ["My bank is Quill.", "Noted.", "What is my bank?"]


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


async def test_sampling_reaches_the_model(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    options: Any = {
        "temperature": 0.1, "top_p": 0.5, "seed": 7, "presence_penalty": 1, "frequency_penalty": -1,
        "logit_bias": {"5": 3}, "logprobs": True, "top_logprobs": 2, "reasoning_effort": "low",
    }  # fmt: skip
    more: Any = {"tools": [WEATHER], "parallel_tool_calls": False, "tool_choice": "required"}
    await api.chat.completions.create(model="m", messages=[user("Hi")], **options)
    assert options.items() <= model.chats[-1].body.items()
    await api.chat.completions.create(model="m", messages=[user("Hi")], **options, **more)
    assert {**options, **more, "tools": model.chats[-1].body["tools"]}.items() <= model.chats[-1].body.items()
    assert model.chats[-1].tools == ["weather"]


async def test_null_means_left_out(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    names = ("stream", "stream_options", "stop", "n", "user", "tools", "tool_choice", "temperature", "max_tokens",
             "response_format", "metadata", "seed", "parallel_tool_calls", "functions")  # fmt: skip
    body = {"model": "m", "messages": [user("Hi")], **dict.fromkeys(names)}
    response = await client.post("/v1/chat/completions", json=body)
    assert response.status_code == 200, response.text


class Person(BaseModel):
    name: str
    pages: list[int]


@pytest.mark.parametrize("stream", [False, True])
async def test_structured_output(api: openai.AsyncOpenAI, model: OpenAIServer, stream: bool) -> None:
    wanted = '{"name": "Mei [1 \\"x\\"]", "pages": [1, 7]}'
    model.script([wanted])
    if stream:
        async with api.chat.completions.stream(model="m", messages=[user("Who?")], response_format=Person) as events:
            made = (await events.get_final_completion()).choices[0].message.parsed
    else:
        parsed = await api.chat.completions.parse(model="m", messages=[user("Who?")], response_format=Person)
        made = parsed.choices[0].message.parsed
    assert made == Person(name='Mei [1 "x"]', pages=[1, 7])
    form = model.chats[-1].body["response_format"]
    assert form["type"] == "json_schema" and form["json_schema"]["schema"]["required"] == ["name", "pages"]
    assert "JSON" in model.chats[-1].messages[0]["content"]


async def test_json_is_refused_by_a_model_that_quotes() -> None:
    chat: Any = SimpleNamespace(kind="extractive", name="bundled-extractive")
    assert json_form(chat, ResponseFormat()) is None
    with pytest.raises(BadInput, match="needs a language model"):
        json_form(chat, ResponseFormat(type="json_object"))


@pytest.mark.parametrize("stream", [False, True])
async def test_reasoning_is_returned(api: openai.AsyncOpenAI, model: OpenAIServer, stream: bool) -> None:
    model.script([Answer("42", reasoning="six times seven")])
    result: Any = await api.chat.completions.create(model="m", messages=[user("?")], stream=stream)
    if stream:
        deltas = [chunk.choices[0].delta async for chunk in result if chunk.choices]
        thought = "".join((delta.model_extra or {}).get("reasoning_content", "") for delta in deltas)
    else:
        thought = result.choices[0].message.reasoning_content
    assert thought == "six times seven"


async def test_histories_of_all_ages(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    def call(call_id: str, arguments: Any) -> dict[str, Any]:
        return {"id": call_id, "type": "function", "function": {"name": "weather", "arguments": arguments}}

    messages: Any = [
        {"role": "developer", "content": "Be brief."},
        user("weather?"),
        {"role": "assistant", "tool_calls": [call("a", ""), call("b", None), call("c", {"city": "Ulm"})],
         "reasoning_content": "I look it up."},
        {"role": "tool", "tool_call_id": "a", "content": "sunny"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "rain"}]},
        {"role": "tool", "tool_call_id": "c", "content": ""},
        {"role": "assistant", "content": [{"type": "text", "text": "Sunny."}], "name": "bot"},
        user([{"type": "text", "text": "And Rome?"}]),
        {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": "{\"city\": 1}"}},
        {"role": "function", "name": "weather", "content": "hot"},
        {"role": "assistant", "content": None, "refusal": "I will not say more."},
        user("Why?"),
    ]  # fmt: skip
    await api.chat.completions.create(model="m", messages=messages)
    sent = model.chats[-1].messages
    assert [message["role"] for message in sent] == [
        "system", "user", "assistant", "tool", "tool", "tool", "assistant", "user", "assistant", "tool", "assistant",
        "user",
    ]  # fmt: skip
    arguments = [part["function"]["arguments"] for part in sent[2]["tool_calls"]]
    assert [json.loads(text) for text in arguments] == [{}, {}, {"city": "Ulm"}]
    assert [message["content"] for message in sent if message["role"] == "tool"] == ["sunny", "rain", "", "hot"]
    assert "Be brief." in sent[0]["content"] and sent[-2]["content"] == "I will not say more."


@pytest.mark.parametrize(
    "change",
    [
        {"tools": [{"type": "custom", "custom": {"name": "x"}}]},
        {"tools": [{"type": "function", "function": {"name": "no blanks"}}]},
        {"tools": [{"type": "function"}]},
        {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "other"}}},
        {"tools": [WEATHER], "tool_choice": "sometimes"},
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "xml"}},
        {"temperature": 9},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "a"}]}, {"role": "user", "content": "x"}]},
        {"messages": [{"role": "function", "name": "f", "content": "x"}, {"role": "user", "content": "x"}]},
        {"messages": "Hi"},
        {"metadata": {"session_id": "x" * 129}},
    ],
)
async def test_what_means_nothing_is_refused(client: httpx.AsyncClient, model: OpenAIServer, change: Any) -> None:
    response = await client.post("/v1/chat/completions", json={"model": "m", "messages": [user("Hi")], **change})
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["type"]) == (400, "bad_input", "invalid_request_error")
    assert not model.chats


async def test_files_are_read_beside_the_clients_tools(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script([Answer(tool_calls=[ToolCall("weather", {"city": "Ulm"}, "w")]), "Six weeks, and sunny."])
    data = "data:text/plain;base64," + base64.b64encode(b"The notice period is six weeks.").decode()
    question = user([{"type": "text", "text": "Notice period, and weather?"},
                     {"type": "file", "file": {"filename": "lease.txt", "file_data": data}}])  # fmt: skip
    first: Any = await api.chat.completions.create(model="m", messages=[question], tools=[WEATHER])
    assert "six weeks" in model.chats[-1].text and data not in str(model.chats[-1].body)
    assert first.attachments[0]["status"] == "ready" and model.chats[-1].tools == ["weather"]
    messages: Any = [
        question,
        first.choices[0].message.model_dump(include={"role", "content", "tool_calls"}),
        {"role": "tool", "tool_call_id": "w", "content": "sunny"},
    ]
    done = await api.chat.completions.create(model="m", messages=messages, tools=[WEATHER])
    assert done.choices[0].message.content == "Six weeks, and sunny."
    assert "six weeks" in model.chats[-1].text and model.chats[-1].messages[-1]["content"] == "sunny"


async def test_a_thread_takes_results_of_the_clients_tools(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script([Answer(tool_calls=[ToolCall("weather", {"city": "Ulm"}, "w")]), "Sunny.", "Yes."])
    options: Any = {"extra_headers": {"X-Session-Id": "oa-tools"}, "tools": [WEATHER], "model": "m"}
    first = await api.chat.completions.create(messages=[user("Weather?")], **options)
    calls = first.choices[0].message.model_dump(include={"role", "content", "tool_calls"})
    result = {"role": "tool", "tool_call_id": "w", "content": "sunny"}
    messages: Any = [user("Weather?"), calls, result]
    await api.chat.completions.create(messages=messages, **options)
    assert [message["role"] for message in model.chats[-1].messages[1:]] == ["user", "assistant", "tool"]
    await api.chat.completions.create(messages=[*messages, user("Sure?")], **options)
    assert said_to(model) == ["Weather?", "None", "sunny", "Sunny.", "Sure?"]


async def test_a_call_without_a_result_is_not_told_again(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script([Answer(tool_calls=[ToolCall("weather", {"city": "Ulm"}, "w")]), "Fine."])
    options: Any = {"extra_headers": {"X-Session-Id": "oa-open"}, "tools": [WEATHER], "model": "m"}
    await api.chat.completions.create(messages=[user("Weather?")], **options)
    await api.chat.completions.create(messages=[user("Never mind.")], **options)
    assert "tool_calls" not in str(model.chats[-1].messages)


async def test_a_call_that_was_cut_is_returned_as_it_is(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script([Answer(tool_calls=[ToolCall("weather", '{"city": "Par')], finish="length")])
    result = await api.chat.completions.create(model="m", messages=[user("?")], tools=[WEATHER])
    [call] = cast("list[Any]", result.choices[0].message.tool_calls)
    assert (call.function.arguments, result.choices[0].finish_reason) == ('{"city": "Par', "length")


async def test_leaving_stops_a_call_with_tools(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script([Answer("one two three four five", pace=0.4)])
    with pytest.raises(openai.APITimeoutError):
        await api.chat.completions.create(model="m", messages=[user("?")], tools=[WEATHER], timeout=0.7)
    await model.disconnected(timeout=5)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("failure", "kind", "code"),
    [
        (Failure(400, message="logit_bias must be a map"), openai.BadRequestError, "model_refused"),
        (Failure(400, code="context_length_exceeded"), openai.BadRequestError, "context_length_exceeded"),
        (Failure(401, message="Incorrect key"), openai.AuthenticationError, "model_key_refused"),
        (Failure(429, message="slow down", retry_after=7), openai.RateLimitError, "model_busy"),
        (Failure(429, code="insufficient_quota"), openai.RateLimitError, "insufficient_quota"),
        (Failure(500), openai.InternalServerError, "model_unavailable"),
    ],
)
async def test_failures_of_the_model_keep_their_meaning(
    api: openai.AsyncOpenAI, model: OpenAIServer, failure: Failure, kind: Any, code: str, stream: bool
) -> None:
    model.script([failure])
    with pytest.raises(kind) as failed:
        await api.chat.completions.create(model="m", messages=[user("Hi")], stream=stream)
    assert failed.value.code == code
    assert failed.value.response.headers.get("retry-after") == ("7" if code == "model_busy" else None)
    assert ("logit_bias must be a map" in failed.value.message) is (code == "model_refused")


async def test_clients_do_not_ask_again_what_cannot_succeed(server: LiveServer, model: OpenAIServer) -> None:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=2) as patient:
        for failure in (Failure(400), Failure(401), Failure(404), Failure(429, code="insufficient_quota")):
            model.script([failure])
            with pytest.raises(openai.APIStatusError):
                await patient.chat.completions.create(model="m", messages=[user("Hi")])


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/v1/chat/stream"])
async def test_half_a_character_breaks_no_stream(client: httpx.AsyncClient, model: OpenAIServer, path: str) -> None:
    model.script([Garbled(QUIRKS["half a character"].body)])
    said = "half \ufffd"
    body = {"messages": [user("Hi")], "stream": True} if path.startswith("/v1") else {"message": "Hi"}
    text = (await client.post(path, json=body)).text
    assert said in text
    assert text.rstrip().endswith("data: [DONE]") if path.startswith("/v1") else "event: done" in text


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


async def test_shorter_vectors(api: openai.AsyncOpenAI) -> None:
    whole = (await api.embeddings.create(model="m", input="a cat")).data[0].embedding
    short = (await api.embeddings.create(model="m", input="a cat", dimensions=128)).data[0].embedding
    assert len(short) == 128 and abs(sum(x * x for x in short) - 1) < 1e-3
    assert short[3] / short[5] == pytest.approx(whole[3] / whole[5], rel=1e-3)
    with pytest.raises(openai.BadRequestError, match="have 384 values"):
        await api.embeddings.create(model="m", input="a cat", dimensions=4000)


async def test_tokens_are_texts(api: openai.AsyncOpenAI) -> None:
    text = (await api.embeddings.create(model="m", input=["Hello world"])).data[0].embedding
    for tokens in ([9906, 1917], [[9906, 1917]]):
        made = await api.embeddings.create(model="m", input=tokens)
        assert made.data[0].embedding == text and made.usage.prompt_tokens == 2
    with pytest.raises(openai.BadRequestError, match="no token"):
        await api.embeddings.create(model="m", input=[10**9])


@pytest.mark.parametrize("given", ["", [""], [], ["x", ""], [[]], [["x"]]])
async def test_nothing_to_embed(api: openai.AsyncOpenAI, given: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        await api.embeddings.create(model="m", input=given)


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


async def test_files(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    made = await api.files.create(file=("lease.txt", b"The notice period is six weeks."), purpose="user_data")
    assert (made.filename, made.bytes, made.object, made.purpose) == ("lease.txt", 31, "file", "user_data")
    found = await api.files.wait_for_processing(made.id, poll_interval=0.1, max_wait_seconds=20)
    assert found.status == "processed" and abs(found.created_at - time.time()) < 60
    other = await api.files.create(file=("other.txt", b"Nothing of it."), purpose="assistants")
    names = [file.filename async for file in api.files.list(limit=1)]
    assert names[:2] == ["other.txt", "lease.txt"]
    assert (await api.files.content(made.id)).content == b"The notice period is six weeks."
    part: Any = {"type": "file", "file": {"file_id": made.id}}
    question = user([{"type": "text", "text": "What is the notice period?"}, part])
    await api.chat.completions.create(model="m", messages=[question])
    assert "six weeks" in model.chats[-1].text
    asked: Any = [{"role": "user", "content": [{"type": "input_text", "text": "Notice period?"},
                                                {"type": "input_file", "file_id": made.id}]}]  # fmt: skip
    await api.responses.create(model="m", input=asked, store=False)
    assert "six weeks" in model.chats[-1].text
    for file in (made, other):
        assert (await api.files.delete(file.id)).deleted
        for call in (api.files.retrieve(file.id), api.files.content(file.id), api.files.delete(file.id)):
            with pytest.raises(openai.NotFoundError):
                await call
    refused: Any = ({"file": ("a.jsonl", b"{}"), "purpose": "batch"}, {"file": ("e.txt", b""), "purpose": "vision"})
    for bad in refused:
        with pytest.raises(openai.BadRequestError):
            await api.files.create(**bad)


@pytest.mark.parametrize("stream", [False, True])
async def test_citations_are_annotations(
    api: openai.AsyncOpenAI, model: OpenAIServer, server: LiveServer, stream: bool
) -> None:
    model.script(['Six weeks [1 "The notice period is six weeks."].'])
    data = "data:text/plain;base64," + base64.b64encode(b"The notice period is six weeks.").decode()
    part = {"type": "file", "file": {"filename": "lease.txt", "file_data": data}}
    question = user([{"type": "text", "text": "What is the notice period?"}, part])
    result: Any = await api.chat.completions.create(model="m", messages=[question], stream=stream)
    if stream:
        chunks = [chunk async for chunk in result]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        told, annotations = chunks[-1], chunks[-1].choices[0].delta.annotations
    else:
        text, told, annotations = result.choices[0].message.content, result, result.choices[0].message.annotations
    assert text == "Six weeks [1]." and "notice period is six weeks" in told.citations[0]["quote"]
    [found] = [item if isinstance(item, dict) else item.model_dump() for item in annotations]
    assert found["type"] == "url_citation" and found["url_citation"]["title"] == "lease.txt"
    document = told.attachments[0]["id"]
    assert found["url_citation"]["url"].startswith(f"{server.url}/api/v1/documents/{document}/content")
