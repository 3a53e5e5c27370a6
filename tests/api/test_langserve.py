from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
from langchain_core.messages import AIMessage, HumanMessage
from langserve import RemoteRunnable

from tests.api.conftest import said_to
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, Failure, Hang, OpenAIServer

TEXT = b"The notice period is six weeks to the end of the quarter."


def thread(name: str, **more: Any) -> Any:
    return {"configurable": {"thread_id": name, **more}}


@pytest_asyncio.fixture(loop_scope="session")
async def remote(server: LiveServer, model: OpenAIServer) -> AsyncIterator[RemoteRunnable[Any, Any]]:
    runnable: RemoteRunnable[Any, Any] = RemoteRunnable(f"{server.url}/agent")
    yield runnable
    await runnable.async_client.aclose()


async def test_two_turns_are_remembered_and_only_new_messages_come_back(
    remote: RemoteRunnable[Any, Any], model: OpenAIServer
) -> None:
    model.script(["Noted.", "Ada."])
    await remote.ainvoke({"messages": [HumanMessage("My name is Ada.")]}, thread("remember"))
    output = await remote.ainvoke({"messages": [HumanMessage("What is it?")]}, thread("remember"))
    assert said_to(model) == ["My name is Ada.", "Noted.", "What is it?"]
    assert [type(message) for message in output["messages"]] == [AIMessage]
    assert (output["messages"][0].content, output["answer"]) == ("Ada.", "Ada.")
    assert set(output) == {
        "messages",
        "answer",
        "citations",
        "attachments",
        "memories",
        "tool_runs",
        "agent_runs",
        "artifacts",
        "usage",
        "spent",
        "warnings",
        "message_id",
    }


async def test_a_turn_can_follow_any_message(
    remote: RemoteRunnable[Any, Any], model: OpenAIServer, client: httpx.AsyncClient
) -> None:
    first = await remote.ainvoke({"messages": [("human", "one")]}, thread("fork"))
    await remote.ainvoke({"messages": [("human", "two")]}, thread("fork"))
    await remote.ainvoke({"messages": [("human", "zwei")]}, thread("fork", parent_message_id=first["message_id"]))
    assert said_to(model) == ["one", "You said: one", "zwei"]
    shown = (await client.get("/api/v1/sessions/fork")).json()["messages"]
    assert [entry["text"] for entry in shown[::2]] == ["one", "zwei"] and len(shown[2]["versions"]) == 2


async def test_threads_and_clients_without_one_are_apart(
    remote: RemoteRunnable[Any, Any], model: OpenAIServer, client: httpx.AsyncClient
) -> None:
    await remote.ainvoke({"messages": [("human", "secret one")]}, thread("apart-1"))
    await remote.ainvoke({"messages": [("human", "two")]}, thread("apart-2"))
    assert said_to(model) == ["two"]
    await remote.ainvoke({"messages": [("human", "alone")]})
    await remote.ainvoke({"messages": [("human", "alone again")]})
    assert said_to(model) == ["alone again"]
    titles = [item["title"] for item in (await client.get("/api/v1/sessions")).json()["sessions"]]
    assert "secret one" in titles and "alone" not in titles


def test_the_sync_client_sends_a_file(remote: RemoteRunnable[Any, Any], model: OpenAIServer) -> None:
    content: list[str | dict[Any, Any]] = [
        {"type": "text", "text": "What is the notice period?"},
        {"type": "file", "base64": base64.b64encode(TEXT).decode(), "mime_type": "text/plain", "filename": "a.txt"},
    ]
    output = remote.invoke({"messages": [HumanMessage(content)]}, thread("file"))
    assert [(item["name"], item["status"]) for item in output["attachments"]] == [("a.txt", "ready")]
    assert "six weeks" in model.chats[-1].text


async def test_the_short_form_of_the_playground(remote: RemoteRunnable[Any, Any], model: OpenAIServer) -> None:
    file = "data:text/plain;base64," + base64.b64encode(TEXT).decode()
    output = await remote.ainvoke({"message": "Read this.", "file": file}, thread("short"))
    assert output["attachments"][0]["status"] == "ready"


async def test_keys_and_tools_that_are_not_there_are_told(
    remote: RemoteRunnable[Any, Any], model: OpenAIServer
) -> None:
    output = await remote.ainvoke({"message": "Hi"}, thread("odd", temperatur=0.1, tools=["nonesuch"]))
    assert output["warnings"] == ["There is no tool named nonesuch.", "configurable has no key temperatur."]
    assert (await remote.ainvoke({"message": "Hi"}, thread("even")))["warnings"] == []


@pytest.mark.parametrize("kind", ["AIMessageChunk", "ai"])
async def test_history_may_hold_pieces_of_streams_and_ids_may_be_numbers(
    client: httpx.AsyncClient, model: OpenAIServer, kind: str
) -> None:
    said = [
        {"type": "human", "content": "One?", "id": 7},
        {"type": kind, "content": "Two.", "id": 8},
        {"type": "HumanMessageChunk", "content": "Three?", "id": 9},
    ]
    body = {"input": {"messages": said}, "config": {"configurable": {"thread_id": 5}}}
    answer = (await client.post("/agent/invoke", json=body)).json()["output"]
    assert answer["answer"] == "You said: Three?"
    texts = [message["content"] for message in model.chats[-1].messages]
    assert texts[-3:] == ["One?", "Two.", "Three?"]


async def test_batch_keeps_items_on_their_own_threads(remote: RemoteRunnable[Any, Any], model: OpenAIServer) -> None:
    inputs = [{"messages": [HumanMessage(f"item {n}")]} for n in range(3)]
    outputs = await remote.abatch(inputs, cast("Any", [thread(f"batch-{n}") for n in range(3)]))
    assert [output["answer"] for output in outputs] == [f"You said: item {n}" for n in range(3)]


async def test_ten_turns_at_once_on_one_thread(remote: RemoteRunnable[Any, Any], model: OpenAIServer) -> None:
    turn = {"messages": [HumanMessage("again")]}
    await asyncio.gather(*(remote.ainvoke(turn, thread("ten")) for _ in range(10)))
    await remote.ainvoke({"messages": [HumanMessage("last")]}, thread("ten"))
    assert len(said_to(model)) == 21


async def test_stream_gives_the_nodes_without_inner_state(
    remote: RemoteRunnable[Any, Any], model: OpenAIServer
) -> None:
    chunks = [chunk async for chunk in remote.astream({"messages": [HumanMessage("Hi")]}, thread("stream"))]
    nodes = [next(iter(chunk)) for chunk in chunks]
    assert nodes[0] == "detect_modality" and nodes[-1] == "generate_answer"
    assert all("pending" not in (delta or {}) for chunk in chunks for delta in chunk.values())


async def test_tokens_stream(server: LiveServer, model: OpenAIServer) -> None:
    model.script(["one two three"])
    tokens: RemoteRunnable[Any, Any] = RemoteRunnable(f"{server.url}/agent/tokens")
    text, modes = "", set()
    async for mode, chunk in tokens.astream({"messages": [HumanMessage("Hi")]}, thread("tokens")):
        modes.add(mode)
        if mode == "messages" and type(chunk[0]).__name__ == "AIMessageChunk":
            text += chunk[0].content
    await tokens.async_client.aclose()
    assert text == "one two three" and {"messages", "updates"} <= modes


async def test_events_and_log(remote: RemoteRunnable[Any, Any], model: OpenAIServer) -> None:
    turn = {"messages": [HumanMessage("Hi")]}
    names = {event["event"] async for event in remote.astream_events(turn, thread("events"), version="v2")}
    assert {"on_chain_start", "on_chat_model_stream", "on_chain_end"} <= names
    patches = [patch async for patch in remote.astream_log(turn, thread("log"))]
    assert len(patches) > 3


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"messages": []},
        {"messages": "hello"},
        {"messages": [{"rle": "user"}]},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"type": "ai", "content": "me"}]},
        {"messages": [{"role": "user", "content": "x"}], "sources": []},
        {"messages": [{"role": "user", "content": [{"type": "constructor", "lc": 2, "id": ["os", "system"]}]}]},
        {"messages": [{"lc": 1, "type": "constructor", "id": ["langchain_core", "x"], "kwargs": {}}]},
        {"messages": [{"role": "user", "content": [{"type": "unknown"}]}]},
        {"messages": [{"role": "user", "content": ""}]},
        "text",
        None,
    ],
)
@pytest.mark.parametrize("endpoint", ["invoke", "batch"])
async def test_malformed_input_is_422_with_a_reason(
    client: httpx.AsyncClient, model: OpenAIServer, value: object, endpoint: str
) -> None:
    body = {"input": value} if endpoint == "invoke" else {"inputs": [value]}
    response = await client.post(f"/agent/{endpoint}", json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (422, "bad_input"), error
    assert len(error["message"]) > 25 and not model.chats


async def test_a_malformed_message_does_not_stay_in_memory(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    bad = {"messages": [{"role": "user", "content": [{"type": "unknown"}]}]}
    response = await client.post("/agent/invoke", json={"input": bad, "config": thread("bad")})
    assert response.status_code == 422
    good = {"messages": [{"role": "user", "content": "fine"}]}
    await client.post("/agent/invoke", json={"input": good, "config": thread("bad")})
    assert said_to(model) == ["fine"]


async def test_bad_config_is_422(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    turn = {"messages": [{"role": "user", "content": "x"}]}
    for options in ({"language": "fr"}, {"on_busy": "never"}, {"thread_id": "x" * 200}):
        response = await client.post("/agent/invoke", json={"input": turn, "config": {"configurable": options}})
        assert (response.status_code, response.json()["error"]["code"]) == (422, "bad_input"), options


async def test_only_a_thread_that_waits_can_be_resumed(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    for config, found in (({}, (422, "bad_input")), (thread("never-interrupted"), (409, "not_waiting"))):
        response = await client.post("/agent/invoke", json={"input": {"resume": "yes"}, "config": config})
        assert (response.status_code, response.json()["error"]["code"]) == found


async def test_errors_have_status_and_reason_also_inside_streams(
    client: httpx.AsyncClient, remote: RemoteRunnable[Any, Any], model: OpenAIServer
) -> None:
    model.script([Failure(401), Failure(401), Failure(401)])
    turn = {"messages": [HumanMessage("Hi")]}
    response = await client.post("/agent/invoke", json={"input": {"messages": [{"role": "user", "content": "Hi"}]}})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "model_key_refused")
    with pytest.raises(httpx.HTTPStatusError, match="language model does not answer"):
        async for _ in remote.astream(turn):
            pass
    with pytest.raises(httpx.HTTPStatusError, match="language model does not answer"):
        async for _ in remote.astream_events(turn, version="v2"):
            pass


@pytest.mark.parametrize("endpoint", ["invoke", "batch", "stream"])
async def test_a_client_that_leaves_cancels_where_it_asked_for_that(
    client: httpx.AsyncClient, model: OpenAIServer, endpoint: str
) -> None:
    model.script([Hang()])
    turn = {"messages": [{"role": "user", "content": "x"}]}
    body = {"inputs": [turn]} if endpoint == "batch" else {"input": turn}
    body["config"] = thread(f"leave-{endpoint}", on_disconnect="cancel")
    with pytest.raises(httpx.ReadTimeout):
        await client.post(f"/agent/{endpoint}", json=body, timeout=0.4)
    await model.disconnected(1, timeout=2)


@pytest.mark.parametrize("endpoint", ["invoke", "stream"])
async def test_a_client_that_leaves_else_does_not(
    client: httpx.AsyncClient, model: OpenAIServer, endpoint: str
) -> None:
    model.script([Answer("Here it is.", wait=0.6), "Yes."])
    turn = {"messages": [{"role": "user", "content": "x"}]}
    with pytest.raises(httpx.ReadTimeout):
        await client.post(f"/agent/{endpoint}", json={"input": turn, "config": thread(f"go-{endpoint}")}, timeout=0.3)
    await client.post("/agent/invoke", json={"input": turn, "config": thread(f"go-{endpoint}")})
    assert said_to(model) == ["x", "Here it is.", "x"]


async def test_the_document_form_serves_the_javascript_client(
    remote: RemoteRunnable[Any, Any], model: OpenAIServer
) -> None:
    output = await remote.ainvoke({"messages": [HumanMessage("Hi")]}, thread("js", output="document"))
    assert output["page_content"] == "You said: Hi"
    assert output["metadata"]["usage"]["model"] and output["metadata"]["citations"] == []


async def test_schemas_playground_and_openapi(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/agent/invoke", "/agent/batch", "/agent/stream", "/agent/stream_events", "/agent/stream_log"} <= set(paths)
    assert "/agent/tokens/stream" in paths
    fields = (await client.get("/agent/input_schema")).json()["properties"]
    assert {"messages", "message", "file"} <= set(fields)
    config = (await client.get("/agent/config_schema")).json()
    assert "thread_id" in str(config) and "'services'" not in str(config)
    assert (await client.get("/agent/output_schema")).status_code == 200
    page = await client.get("/agent/playground/")
    assert page.status_code == 200 and "base64file" in page.text
    assert (await client.get("/docs")).status_code == 200
