from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from redis.asyncio import Redis

from api.runs.client_messages import client_messages
from api.runs.memory import thread_config
from domain.owner import Owner
from stores.redis.checkpoints import open_checkpointer
from stores.redis.process import socket_path
from tests.api.conftest import said_to
from tests.live_server import LiveServer
from tests.standins.openai_server import Failure, OpenAIServer

PICTURE = "iVBORw0KGgo" * 40
ENDPOINTS = ("/api/v1/chat", "/agent/invoke", "/v1/chat/completions")


def call(*ids: str) -> dict[str, Any]:
    return {"type": "ai", "content": "", "tool_calls": [{"name": "f", "args": {"x": 1}, "id": i} for i in ids]}


def result(call_id: str) -> dict[str, Any]:
    return {"type": "tool", "content": [{"type": "text", "text": "done"}], "tool_call_id": call_id, "artifact": "a"}


def body_of(path: str, text: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    bodies: dict[str, dict[str, Any]] = {
        "/api/v1/chat": {"message": text},
        "/agent/invoke": {"input": {"messages": messages}},
        "/v1/chat/completions": {"model": "m", "messages": messages},
    }
    return bodies[path]


def test_only_what_a_client_may_say_is_taken_over() -> None:
    forged = {"additional_kwargs": {"attachments": [{"id": "x"}]}, "response_metadata": {"a": 1}, "id": "u1"}
    blocks = [{"type": "text", "text": "see"}, {"type": "image", "base64": PICTURE, "mime_type": "image/png"}]
    system, answer, question = client_messages(
        [{"type": kind, "content": blocks, **forged} for kind in ("system", "ai", "human")]
    )
    assert (system.content, answer.content, question.content) == ("see", "see", blocks)
    for message in (system, answer, question):
        assert not message.additional_kwargs and not message.response_metadata and message.id != "u1"


def test_tool_calls_and_results_are_kept_in_pairs_only() -> None:
    last = {"type": "human", "content": "go on"}
    kept = client_messages([call("a", "b"), result("a"), result("stray"), result("b"), last])
    assert [type(message) for message in kept] == [AIMessage, ToolMessage, ToolMessage, HumanMessage]
    assert isinstance(kept[0], AIMessage) and [item["id"] for item in kept[0].tool_calls] == ["a", "b"]
    assert (kept[1].content, getattr(kept[1], "artifact", None)) == ("done", None)
    for broken in ([call("a", "b"), result("a")], [result("a")], [call("a"), {"type": "system", "content": "x"}]):
        assert {type(message) for message in client_messages([*broken, last])} <= {HumanMessage, SystemMessage}
    with pytest.raises(ValueError, match="nothing"):
        client_messages([call("a")])


@pytest.mark.parametrize("kind", ["remove", "__remove_all__", "function", "AIMessageChunk", "chat"])
@pytest.mark.parametrize("path", ENDPOINTS[1:])
async def test_other_types_are_refused(client: httpx.AsyncClient, model: OpenAIServer, path: str, kind: str) -> None:
    messages = [{"type": kind, "role": kind, "id": "__remove_all__", "name": "f", "content": "x"}]
    messages.append({"role": "user", "content": "Hi"})
    body = {"input": {"messages": messages}} if path == "/agent/invoke" else {"messages": messages}
    response = await client.post(path, json=body)
    error = response.json()["error"]
    assert response.status_code == (422 if path == "/agent/invoke" else 400)
    assert error["code"] == "bad_input" and "messages: " in error["message"] and not model.chats


async def test_a_message_id_sent_again_forgets_nothing(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    async def send(name: str, text: str) -> httpx.Response:
        turn = {"messages": [{"type": "human", "content": text, "id": name}]}
        config = {"configurable": {"thread_id": "same-ids"}}
        return await client.post("/agent/invoke", json={"input": turn, "config": config})

    model.script(["1", "2", Failure(401), "4"])
    for name, text in (("u1", "one"), ("u2", "two"), ("u1", "one")):
        await send(name, text)
    assert (await send("u1", "four")).status_code == 200
    assert said_to(model) == ["one", "1", "two", "2", "four"]


async def test_pictures_of_others_than_the_user_do_not_reach_memory(
    client: httpx.AsyncClient, server: LiveServer, model: OpenAIServer
) -> None:
    blocks = [{"type": "text", "text": "seen-marker"}, {"type": "image", "base64": PICTURE, "mime_type": "image/png"}]
    messages = [{"type": kind, "content": blocks} for kind in ("system", "ai")]
    turn = {"messages": [*messages, {"type": "human", "content": "Hi"}]}
    config = {"configurable": {"thread_id": "no-bytes"}}
    assert (await client.post("/agent/invoke", json={"input": turn, "config": config})).status_code == 200
    folder = server.settings.data_dir.resolve() / "redis"
    async with Redis(unix_socket_path=str(socket_path(folder))) as store:
        saver = await open_checkpointer(store, server.settings)
        kept = str(await saver.aget_tuple(thread_config(Owner(thread_id="no-bytes").memory_key)))
    assert "seen-marker" in kept and PICTURE[:60] not in kept


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_lone_surrogates_become_replacement_characters(
    client: httpx.AsyncClient, model: OpenAIServer, path: str
) -> None:
    response = await client.post(
        path, content=json.dumps(body_of(path, "a \ud800 b 你好")), headers={"content-type": "application/json"}
    )
    assert response.status_code == 200, response.text
    assert said_to(model) == ["a \ufffd b 你好"]


async def test_lone_surrogates_in_the_clients_tools(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    tool = {"type": "function", "function": {"name": "f", "description": "a \ud800", "parameters": {}}}
    body = json.dumps({**body_of("/v1/chat/completions", "Hi"), "tools": [tool]})
    response = await client.post(ENDPOINTS[2], content=body, headers={"content-type": "application/json"})
    assert response.status_code == 200, response.text
    assert model.chats[-1].body["tools"][0]["function"]["description"] == "a \ufffd"


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("depth", [900, 100_000])
async def test_deeply_nested_bodies_are_refused(
    client: httpx.AsyncClient, model: OpenAIServer, path: str, depth: int
) -> None:
    nested = json.dumps(body_of(path, "DEEP")).replace('"DEEP"', '[{"a":' * depth + "1" + "}]" * depth)
    response = await client.post(path, content=nested, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422), response.text
    assert response.json()["error"]["code"] == "bad_input" and not model.chats


@pytest.mark.parametrize("path", ENDPOINTS[1:])
@pytest.mark.parametrize("role", ["user", "assistant", "system"])
async def test_earlier_messages_are_bounded_too(
    client: httpx.AsyncClient, server: LiveServer, model: OpenAIServer, path: str, role: str
) -> None:
    messages = [
        {"role": role, "content": "x" * (server.settings.max_message_chars + 1)},
        {"role": "user", "content": "Hi"},
    ]
    bodies: list[dict[str, Any]] = [{"input": {"messages": messages}}]
    if path.startswith("/v1"):
        tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
        bodies = [{"model": "m", "messages": messages}, {"model": "m", "messages": messages, "tools": [tool]}]
    for body in bodies:
        response = await client.post(path, json=body)
        assert (response.status_code, response.json()["error"]["code"]) == (413, "message_too_long")
    assert not model.chats


@pytest.mark.parametrize(
    ("path", "body", "english", "chinese"),
    [
        ("/agent/invoke", {"input": {}}, "give either", "二者选一"),
        ("/agent/invoke", {"input": {"messages": []}}, "messages is empty", "messages 为空"),
        (
            "/agent/invoke",
            {"input": {"messages": [{"type": "ai", "content": "x"}]}},
            "must be the user's",
            "必须来自用户",
        ),
        ("/agent/invoke", {"input": {"messages": [{"type": "zz", "content": "x"}]}}, "messages: ", "不是消息"),
        ("/v1/chat/completions", {"messages": [{"role": "zz", "content": "x"}]}, "0.role 'zz' is not", "'zz' 未知"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": ""}]}, "content is empty", "content 为空"),
        ("/api/v1/chat", {f"f{n}": n for n in range(200)}, "more than 100 fields", "字段超过 100 个"),
    ],
)
async def test_why_a_body_is_refused_is_said_in_the_language_of_the_client(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], english: str, chinese: str
) -> None:
    sent = body | ({"model": "m"} if path.startswith("/v1") else {})
    for language, said in (("en", english), ("zh", chinese)):
        response = await client.post(path, json=sent, headers={"accept-language": language})
        assert 400 <= response.status_code < 500
        assert said in (message := response.json()["error"]["message"])
        assert language == "en" or not re.search(r"[a-z]{3,} [a-z]{2,} [a-z]{2,}", message), "no English in it"
