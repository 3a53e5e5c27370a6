"""`/v1/responses` through the official client."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio
from openai.types.responses import Response
from pydantic import BaseModel

from tests.api.conftest import said_to
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, Failure, Hang, OpenAIServer, ToolCall

WEATHER: Any = {
    "type": "function", "name": "weather", "description": "Weather of a city.", "strict": True,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}  # fmt: skip
CALL = Answer("Let me look.", tool_calls=[ToolCall("weather", {"city": "Ulm"}, "w")])


@pytest_asyncio.fixture(loop_scope="session")
async def api(server: LiveServer, model: OpenAIServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def output(call_id: str, text: str) -> Any:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


async def test_a_response(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script([Answer("Hello there.", reasoning="They greet.")])
    made = await api.responses.create(
        model="m", input="Hi", instructions="Be brief.", temperature=0.3, metadata={"a": "b"}
    )
    assert (made.output_text, made.status, made.object, made.temperature) == (
        "Hello there.",
        "completed",
        "response",
        0.3,
    )
    assert [item.type for item in made.output] == ["reasoning", "message"]
    assert made.usage is not None and made.usage.total_tokens > 0 and made.metadata == {"a": "b"}
    assert "Be brief." in model.chats[-1].messages[0]["content"] and model.chats[-1].body["temperature"] == 0.3
    Response.model_validate(made.model_dump())


async def test_items_of_every_kind(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    given: Any = [
        {"role": "developer", "content": "Speak plainly."},
        {"role": "user", "content": [{"type": "input_text", "text": "weather?"}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "I look.", "annotations": []}],
        },
        {"type": "function_call", "call_id": "a", "name": "weather", "arguments": '{"city": "Ulm"}'},
        {"type": "function_call", "call_id": "b", "name": "weather", "arguments": ""},
        output("a", "sunny"),
        {"type": "function_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "rain"}]},
        {"role": "assistant", "content": "Sunny, and rain."},
        {"role": "user", "content": "Thanks?"},
    ]
    made = await api.responses.create(model="m", input=given, store=False)
    assert made.output_text == "You said: Thanks?"
    sent = model.chats[-1].messages
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "tool", "tool", "assistant", "user"]
    assert (
        "Speak plainly." in sent[0]["content"] and sent[2]["content"] == "I look." and len(sent[2]["tool_calls"]) == 2
    )


async def test_a_stream_has_every_event_of_the_protocol(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script([Answer("one two three", reasoning="count")])
    stream = await api.responses.create(model="m", input="Count", stream=True)
    events = [event async for event in stream]
    kinds = [event.type for event in events]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-5:] == ["response.output_text.delta", "response.output_text.done", "response.content_part.done",
                          "response.output_item.done", "response.completed"]  # fmt: skip
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "one two three"
    assert "".join(event.delta for event in events if event.type == "response.reasoning_text.delta") == "count"
    last: Any = events[-1]
    assert last.response.output_text == "one two three" and last.response.usage.total_tokens > 0
    assert (await api.responses.retrieve(last.response.id)).output_text == "one two three"


async def test_a_thread_goes_on_and_branches(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    first = await api.responses.create(model="m", input="one")
    second = await api.responses.create(model="m", input="two", previous_response_id=first.id)
    third = await api.responses.create(model="m", input="three", previous_response_id=second.id)
    assert said_to(model) == ["one", "You said: one", "two", "You said: two", "three"]
    other: Any = await api.responses.create(model="m", input="four", previous_response_id=first.id)
    assert said_to(model) == ["one", "You said: one", "four"]
    assert other.session_id != third.session_id == first.session_id  # type: ignore[attr-defined]
    await api.responses.create(model="m", input="five", previous_response_id=third.id, store=False)
    assert said_to(model)[-2:] == ["You said: three", "five"]
    await api.responses.create(model="m", input="six", previous_response_id=third.id)
    assert said_to(model)[-2:] == ["You said: three", "six"]


@pytest.mark.parametrize("how", ["header", "metadata", "conversation"])
async def test_a_thread_has_a_name(api: openai.AsyncOpenAI, model: OpenAIServer, how: str) -> None:
    ways: Any = {
        "header": {"extra_headers": {"X-Session-Id": "re-1"}},
        "metadata": {"metadata": {"session_id": "re-2"}},
        "conversation": {"conversation": "re-3"},
    }
    await api.responses.create(model="m", input="one", **ways[how])
    await api.responses.create(model="m", input="two", **ways[how])
    assert said_to(model) == ["one", "You said: one", "two"]


async def test_retrieve_input_and_delete(
    api: openai.AsyncOpenAI, model: OpenAIServer, client: httpx.AsyncClient
) -> None:
    made = await api.responses.create(model="m", input="one")
    assert (await api.responses.retrieve(made.id)).output_text == "You said: one"
    items: list[Any] = [item async for item in api.responses.input_items.list(made.id)]
    assert [item.content[0].text for item in items] == ["one"]
    await api.responses.delete(made.id)
    for call in (api.responses.retrieve(made.id), api.responses.delete(made.id),
                 api.responses.create(model="m", input="two", previous_response_id=made.id)):  # fmt: skip
        with pytest.raises(openai.NotFoundError):
            await call
    gone: Any = await api.responses.create(model="m", input="three")
    await client.post("/api/v1/clear_current_chat_history", json={"session_id": gone.session_id})
    with pytest.raises(openai.NotFoundError):
        await api.responses.retrieve(gone.id)
    unkept = await api.responses.create(model="m", input="four", store=False)
    with pytest.raises(openai.NotFoundError):
        await api.responses.retrieve(unkept.id)


@pytest.mark.parametrize("stream", [False, True])
async def test_the_clients_tools(api: openai.AsyncOpenAI, model: OpenAIServer, stream: bool) -> None:
    model.script([CALL, "Sunny.", "Yes."])
    made: Any = await api.responses.create(model="m", input="Weather?", tools=[WEATHER], stream=stream)
    if stream:
        events = [event async for event in made]
        arguments = "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta")
        assert json.loads(arguments) == {"city": "Ulm"}
        made = events[-1].response
    message, call = made.output
    assert (message.content[0].text, call.call_id, call.name) == ("Let me look.", "w", "weather")
    assert json.loads(call.arguments) == {"city": "Ulm"} and made.status == "completed"
    assert model.chats[-1].body["tools"][0]["function"] == {
        "name": "weather", "description": "Weather of a city.", "parameters": WEATHER["parameters"], "strict": True
    }  # fmt: skip
    done = await api.responses.create(
        model="m", input=[output("w", "sunny")], previous_response_id=made.id, tools=[WEATHER]
    )
    assert done.output_text == "Sunny."
    assert [m["role"] for m in model.chats[-1].messages[1:]] == ["user", "assistant", "tool"]
    again = await api.responses.create(  # from a response that is not the newest one: as after a broken connection
        model="m", input=[output("w", "sunny")], previous_response_id=made.id, tools=[WEATHER]
    )
    assert again.output_text == "Yes." and model.chats[-1].messages[-2]["tool_calls"][0]["id"] == "w"


async def test_references_to_earlier_items(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script([CALL, "Sunny."])
    made: Any = await api.responses.create(model="m", input="Weather?", tools=[WEATHER])
    items: Any = [*({"type": "item_reference", "id": item.id} for item in made.output), output("w", "sunny")]
    given: Any = [{"role": "user", "content": "Weather?"}, *items]
    await api.responses.create(model="m", input=given, tools=[WEATHER])
    assert [m["role"] for m in model.chats[-1].messages[1:]] == ["user", "assistant", "tool"]


class Person(BaseModel):
    name: str
    age: int


async def test_structured_output(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script(['{"name": "Mei", "age": 7}'] * 2)
    made = await api.responses.parse(model="m", input="Who?", text_format=Person)
    assert made.output_parsed == Person(name="Mei", age=7)
    assert model.chats[-1].body["response_format"]["json_schema"]["name"] == "Person"
    async with api.responses.stream(model="m", input="Who?", text_format=Person) as stream:
        assert (await stream.get_final_response()).output_parsed == Person(name="Mei", age=7)


async def test_files_and_their_citations(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script(['Six weeks [1 "The notice period is six weeks."].'])
    data = "data:text/plain;base64," + base64.b64encode(b"The notice period is six weeks.").decode()
    part: Any = {"type": "input_file", "filename": "lease.txt", "file_data": data}
    content: Any = [{"type": "input_text", "text": "What is the notice period?"}, part]
    made: Any = await api.responses.create(model="m", input=[{"role": "user", "content": content}])
    assert made.output_text == "Six weeks [1]."
    [annotation] = made.output[0].content[0].annotations
    assert (annotation.type, annotation.filename) == ("file_citation", "lease.txt")
    assert annotation.file_id == made.attachments[0]["id"]


async def test_an_answer_that_is_cut_is_incomplete(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script([Answer("one two", finish="length")])
    made = await api.responses.create(model="m", input="Count", max_output_tokens=3)
    assert made.status == "incomplete" and model.chats[-1].body["max_tokens"] == 3
    assert made.incomplete_details is not None and made.incomplete_details.reason == "max_output_tokens"


async def test_failures(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    model.script([Failure(429, retry_after=3), Failure(400), Answer("one two three four", error_after=3)])
    with pytest.raises(openai.RateLimitError):
        await api.responses.create(model="m", input="Hi")
    with pytest.raises(openai.BadRequestError):
        await api.responses.create(model="m", input="Hi", stream=True)
    events = [event async for event in await api.responses.create(model="m", input="Hi", stream=True)]
    assert events[-1].type == "response.failed"
    assert events[-1].response.error is not None and "language model" in events[-1].response.error.message


@pytest.mark.parametrize(
    "change",
    [
        {"input": []},
        {"input": [{"type": "computer_call"}]},
        {"input": [{"role": "system", "content": "alone"}]},
        {"tools": [{"type": "code_interpreter"}]},
        {"tools": [WEATHER], "tool_choice": {"type": "function", "name": "other"}},
        {"text": {"format": {"type": "json_schema"}}},
        {"temperature": 3},
    ],
)
async def test_what_means_nothing_is_refused(client: httpx.AsyncClient, model: OpenAIServer, change: Any) -> None:
    response = await client.post("/v1/responses", json={"model": "m", "input": "Hi", **change})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_input"), response.text
    assert not model.chats


async def test_the_servers_own_tools_by_openais_names(api: openai.AsyncOpenAI, model: OpenAIServer) -> None:
    await api.responses.create(model="m", input="Hi", tools=[{"type": "file_search", "vector_store_ids": []}])
    assert "calculate" not in str(model.chats[-1].body.get("tools"))


@pytest.mark.parametrize("stream", [False, True])
async def test_functions_beside_tools_of_the_server(api: openai.AsyncOpenAI, model: OpenAIServer, stream: bool) -> None:
    """Ours run here; the caller's end the response, and the turn goes on with their output."""
    file = base64.b64encode(b"The boiler was serviced by Marta Holm.").decode()
    asked: Any = [{"role": "user", "content": [
        {"type": "input_text", "text": "Who serviced it, and the weather?"},
        {"type": "input_file", "filename": "boiler.txt", "file_data": f"data:text/plain;base64,{file}"}]}]  # fmt: skip
    tools: Any = [WEATHER, {"type": "file_search", "vector_store_ids": []}]
    search = ToolCall("search_documents", {"query": "boiler serviced"}, "s")
    both = Answer(tool_calls=[search, ToolCall("weather", {"city": "Ulm"}, "w")])
    model.script([Answer("I search.", tool_calls=[search]), both, Answer(tool_calls=[search]), "Marta Holm, sunny."])
    made: Any = await api.responses.create(model="m", input=asked, tools=tools, tool_choice="required", stream=stream)
    if stream:
        made = [event async for event in made][-1].response
    assert [(item.name, item.call_id) for item in made.output if item.type == "function_call"] == [("weather", "w")]
    first, second = (chat.body for chat in model.chats)
    assert [tool["function"]["name"] for tool in first["tools"]] == ["weather", "search_documents"]
    assert first["tool_choice"] == "required" and "tool_choice" not in second
    assert "Marta Holm" in str([message for message in second["messages"] if message["role"] == "tool"])
    done = await api.responses.create(
        model="m", input=[output("w", "sunny")], previous_response_id=made.id, tools=tools
    )
    assert done.output_text == "Marta Holm, sunny."
    sent = model.chats[-1].messages
    calls = [call["id"] for message in sent for call in message.get("tool_calls", ())]
    assert sorted(calls) == sorted(message["tool_call_id"] for message in sent if message["role"] == "tool")


async def test_a_response_in_the_background(
    api: openai.AsyncOpenAI, model: OpenAIServer, second: httpx.AsyncClient
) -> None:
    """It is made without a connection, and read, followed and cancelled on any process."""
    hold = threading.Event()
    model.script([Answer("one two three four", hold=hold), CALL, Failure(400), "Six."])
    made = await api.responses.create(model="m", input="Count", background=True)
    assert made.status == "queued" and made.background and not made.output_text
    while (found := await api.responses.retrieve(made.id)).status == "queued":
        pass
    assert found.status == "in_progress" and not found.output
    hold.set()
    async with openai.AsyncOpenAI(base_url=f"{str(second.base_url).rstrip('/')}/v1", api_key="any") as other:
        while (found := await other.responses.retrieve(made.id)).status == "in_progress":
            pass
        assert found.output_text == "one two three four", found.error
        assert found.usage is not None and found.created_at == made.created_at
        events = [event async for event in await other.responses.retrieve(made.id, stream=True)]
        numbers = [event.sequence_number for event in events]
        rest = [event async for event in await other.responses.retrieve(made.id, stream=True, starting_after=4)]
        assert numbers == list(range(len(events))) and rest[-1].type == "response.completed"
        assert rest == events[5:]
    stream = await api.responses.create(model="m", input="Weather?", tools=[WEATHER], background=True, stream=True)
    async for event in stream:
        if event.type == "response.created":
            called = event.response
            break
    await stream.close()
    follow: list[Any] = [event async for event in await api.responses.retrieve(called.id, stream=True)]
    again: Any = await api.responses.retrieve(called.id)
    assert follow[-1].response.output == again.output
    assert [item.type for item in again.output] == ["message", "function_call"]
    lost = await api.responses.create(model="m", input="Hi", background=True)
    assert [event async for event in await api.responses.retrieve(lost.id, stream=True)][-1].type == "response.failed"
    failed = await api.responses.retrieve(lost.id)
    assert failed.status == "failed" and failed.error is not None and "language model" in failed.error.message
    plain = await api.responses.create(model="m", input="Six?", previous_response_id=made.id)
    assert plain.output_text == "Six."
    for call in (api.responses.cancel(plain.id), api.responses.retrieve(plain.id, stream=True),
                 api.responses.create(model="m", input="Hi", background=True, store=False)):  # fmt: skip
        with pytest.raises(openai.BadRequestError):
            await call
    assert (await api.responses.cancel(made.id)).status == "completed"
    with pytest.raises(openai.NotFoundError):
        await api.responses.cancel("resp_nothing")


async def test_a_response_in_the_background_is_cancelled(
    api: openai.AsyncOpenAI, model: OpenAIServer, second: httpx.AsyncClient
) -> None:
    model.respond = lambda _: Hang()
    made = await api.responses.create(model="m", input="Count", background=True)
    gone: Any = (await second.post(f"/v1/responses/{made.id}/cancel")).json()
    while gone["status"] != "cancelled":  # the other process ends it
        gone = (await second.get(f"/v1/responses/{made.id}")).json()
    last = [event async for event in await api.responses.retrieve(made.id, stream=True)][-1]
    assert last.type == "response.incomplete" and last.response.status == "cancelled"
