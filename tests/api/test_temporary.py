"""Temporary conversations: they go on, leave nothing on any surface, and end with their files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.runs.retention import delete_old
from domain.owner import Owner
from server import open_backend
from settings import Settings
from tests.api.conftest import said_to
from tests.api.test_mcp import connected
from tests.api.test_memories import ask, listed
from tests.api.test_personal_data import _age
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall

WORD = "quaggaberry"


@pytest.fixture(autouse=True)
async def _memory_on(client: httpx.AsyncClient) -> AsyncIterator[None]:
    await client.put("/api/v1/memories/enabled", json={"enabled": True})
    yield
    await client.delete("/api/v1/memories")
    await client.put("/api/v1/memories/enabled", json={"enabled": False})


def traces(folder: Path) -> list[str]:
    """Files that hold the word, but for those of Redis."""
    files = [path for path in folder.rglob("*") if path.is_file() and "redis" not in path.relative_to(folder).parts]
    return [str(path) for path in files if WORD.encode() in _content(path).lower()]


def _content(path: Path) -> bytes:
    """A journal of a database may go at any moment."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


async def test_it_goes_on_and_nothing_is_written(
    client: httpx.AsyncClient, second: httpx.AsyncClient, server: LiveServer, model: OpenAIServer
) -> None:
    for thread in ("kept", "t1"):  # of a first try
        await client.delete(f"/api/v1/sessions/{thread}")
    await ask(client, "I am allergic to peanuts.", "kept")
    await listed(client, 1)
    answer = await ask(client, f"My name is {WORD}. Am I allergic to peanuts?", "t1", temporary=True)
    assert answer["memories"] == [] and "message_id" not in answer
    assert "allergic to peanuts. (said" not in model.chats[-1].text
    await ask(second, "I live in Chengdu. And remember that I park on level 3.", "t1")  # without the flag, elsewhere
    assert f"My name is {WORD}. Am I allergic to peanuts?" in said_to(model)
    found = (await client.get("/api/v1/sessions/t1")).json()
    assert found["temporary"] and not found["title"] and found["messages"][0]["text"].startswith("My name is")
    assert [message["role"] for message in found["messages"]] == ["user", "assistant"] * 2
    model.script([Answer(tool_calls=[ToolCall("remember", {"text": f"I am {WORD}"})]), "No."])
    told = await ask(client, "Remember that.", "t1")
    assert (told["tools"][0]["status"], "temporary" in said_to(model)[-1]) == ("error", True)
    for query in ({}, {"query": WORD}, {"archived": True}):
        sessions = (await client.get("/api/v1/sessions", params=query)).json()["sessions"]
        assert "t1" not in [session["session_id"] for session in sessions]
    assert [one["text"] for one in await listed(client)] == ["I am allergic to peanuts."]
    assert (await client.get("/api/v1/profile")).json().get("name") in (None, "")
    assert traces(server.settings.data_dir) == []
    receipt = (await client.delete("/api/v1/sessions/t1")).json()
    counts = {name: count["before"] for name, count in receipt["stores"].items()}
    assert (counts["checkpoints"], counts["conversations"], counts["transcript"]) == (1, 1, 0) and counts["events"] >= 6
    assert (await client.get("/api/v1/sessions/t1")).status_code == 404
    assert (await client.get(f"/api/v1/runs/{answer['run_id']}")).status_code == 404


async def test_its_files_go_with_it(client: httpx.AsyncClient, server: LiveServer, model: OpenAIServer) -> None:
    fields = {"session_id": "t2", "temporary": "true"}
    note = {"file": (f"{WORD}.txt", f"The {WORD} opens at nine.".encode())}
    uploaded = (await client.post("/api/v1/documents", data=fields, files=note)).json()[0]
    form = {**fields, "message": "When does it open?", "attachment_ids": uploaded["id"]}
    plan = {"file": ("plan.txt", f"The plan of the {WORD}.".encode())}
    assert (await client.post("/api/v1/chat_with_file", data=form, files=plan)).json()["state"] == "done"
    assert f"{WORD} opens at nine" in model.chats[-1].text
    assert "t2" not in [one["session_id"] for one in (await client.get("/api/v1/sessions")).json()["sessions"]]
    # A document that goes takes what was said with it, for nothing tells which answer used it.
    await client.delete(f"/api/v1/documents/{uploaded['id']}")
    assert (await client.get("/api/v1/sessions/t2")).json()["messages"] == []
    assert (await client.delete("/api/v1/sessions/t2")).json()["stores"]["documents"] == {"before": 1, "after": 0}
    assert traces(server.settings.data_dir) == []


async def test_every_surface_can_begin_one(client: httpx.AsyncClient, server: LiveServer, model: OpenAIServer) -> None:
    said = {"messages": [{"role": "user", "content": f"Hello {WORD}"}]}
    config = {"config": {"configurable": {"thread_id": "t-invoke", "temporary": True}}}
    invoked = await client.post("/agent/invoke", json={"input": {"messages": said["messages"]}, **config})
    assert invoked.status_code == 200 and "message_id" not in invoked.json()["output"]
    config["config"]["configurable"]["thread_id"] = "t-stream"
    assert WORD in (await client.post("/agent/stream", json={"input": {"messages": said["messages"]}, **config})).text
    metadata = {"session_id": "t-v1", "temporary": "true"}
    await client.post("/v1/chat/completions", json={"model": "agent", **said, "metadata": metadata})
    noted = {"input": f"Hello {WORD}", "model": "agent", "metadata": {"session_id": "t-resp", "temporary": "true"}}
    assert (await client.post("/v1/responses", json=noted)).json()["status"] == "completed"
    async with connected(server.url) as session:
        await session.call_tool("ask", {"question": f"Hello {WORD}", "session_id": "t-mcp", "temporary": True})
    for name in ("t-invoke", "t-stream", "t-v1", "t-resp", "t-mcp"):
        found = (await client.get(f"/api/v1/sessions/{name}")).json()
        assert found["temporary"] and len(found["messages"]) == 2, name
        assert (await client.delete(f"/api/v1/sessions/{name}")).status_code == 200
    assert traces(server.settings.data_dir) == []


async def test_what_it_has_not_is_refused(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    first = await ask(client, "One", "t3", temporary=True)
    chat: dict[str, Any] = {"message": "Two", "session_id": "t3"}
    session = "/api/v1/sessions/t3"
    refused = [
        await client.post("/api/v1/chat", json={**chat, "parent_message_id": "root"}),
        await client.post("/api/v1/chat", json={**chat, "replaces": first["run_id"]}),
        await client.post(f"{session}/edit", json={"run_id": first["run_id"], "message": "Other"}),
        await client.post(f"{session}/regenerate", json={}),
        await client.post(f"{session}/branch", json={}),
        await client.get(f"{session}/export"),
        await client.patch(session, json={"title": "A title"}),
        await client.post(
            "/api/v1/feedback", json={"session_id": "t3", "message_id": "1", "vote": "up"},
        ),
    ]  # fmt: skip
    assert {(answer.status_code, answer.json()["error"]["code"]) for answer in refused} == {(409, "temporary_session")}
    await ask(client, "One", "t4")
    for method in ("/api/v1/chat", "/api/v1/documents"):
        files = {"file": ("a.txt", b"a")} if "documents" in method else None
        body: dict[str, Any] = {"session_id": "t4", "temporary": "true"}
        sent = {"data": body, "files": files} if files else {"json": {**body, "message": "Two", "temporary": True}}
        answer = await client.post(method, **sent)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "session_is_kept")
    assert len((await client.get("/api/v1/sessions/t4")).json()["messages"]) == 2
    await client.delete(session)


async def test_it_ends_when_its_memory_expires(settings: Settings) -> None:
    settings = settings.model_copy(update={"ocr_engine": "off", "tts_engine": "off"})
    async with open_backend(settings) as backend:
        conversations, files = backend.services.conversations, backend.services.attachments
        for name in ("old", "new"):
            owner = Owner("ann", name)
            await conversations.begin_temporary(owner)
            await files.put(f"{WORD} {name}".encode(), name=f"{name}.txt", owner=owner)
        await _age(backend, "old", settings.thread_ttl + 1)
        assert await delete_old(backend) == 1
        assert list(await conversations.temporary("ann")) == ["new"]
        assert [ref["name"] for ref in await files.all_of("ann")] == ["new.txt"]
        assert await conversations.threads("ann") == ["new"], "it goes with its user"
