from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import httpx
from markdown_it import MarkdownIt
from redis import Redis

from domain.owner import Owner
from stores.redis.process import socket_path
from tests.api.conftest import said_to
from tests.live_server import LiveServer
from tests.standins.openai_server import Failure, OpenAIServer

TEXT = b"The notice period is six weeks to the end of the quarter."


async def say(client: httpx.AsyncClient, session: str, *messages: str) -> list[dict[str, Any]]:
    answers = []
    for message in messages:
        response = await client.post("/api/v1/chat", json={"message": message, "session_id": session})
        answers.append(response.json())
    return answers


async def transcript(client: httpx.AsyncClient, session: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = (await client.get(f"/api/v1/sessions/{session}")).json()["messages"]
    return messages


async def test_a_session_has_title_and_transcript(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    answers = await say(client, "title", "What is the capital of France?", "And of Spain?")
    listed = (await client.get("/api/v1/sessions")).json()["sessions"][0]
    assert (listed["session_id"], listed["title"]) == ("title", "What is the capital of France?")
    assert listed["message_count"] == 4 and listed["last_activity"] > listed["created_at"]
    entries = await transcript(client, "title")
    assert [entry["role"] for entry in entries] == ["user", "assistant"] * 2
    assert [entry["run_id"] for entry in entries[1::2]] == [answer["run_id"] for answer in answers]
    assert entries[1]["state"] == "done" and entries[1]["seconds"] > 0 and entries[1]["usage"]["model"]


async def test_every_outcome_is_written_down(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    model.script([Failure(401)])
    await say(client, "failed", "Hello")
    entries = await transcript(client, "failed")
    assert [(entry["role"], entry.get("state")) for entry in entries] == [("user", None), ("assistant", "error")]
    assert "language model" in entries[1]["error"]["message"] and entries[1]["error"]["remedy"]


async def test_paging_and_search(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    await say(client, "pages", "one", "two", "three")
    page = (await client.get("/api/v1/sessions/pages", params={"offset": 2, "limit": 2})).json()
    assert ([entry["text"] for entry in page["messages"]], page["total"]) == (["two", "You said: two"], 6)
    newest = (await client.get("/api/v1/sessions/pages", params={"limit": 1, "newest": True})).json()
    assert [entry["text"] for entry in newest["messages"]] == ["You said: three"]
    await say(client, "needle", "a needle in the hay")
    found = (await client.get("/api/v1/sessions", params={"query": "NEEDLE"})).json()
    assert [item["session_id"] for item in found["sessions"]] == ["needle"]


async def test_rename(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    await say(client, "rename", "Hello")
    assert (await client.patch("/api/v1/sessions/rename", json={"title": " 新标题 "})).json()["title"] == "新标题"
    assert (await client.get("/api/v1/sessions/rename")).json()["title"] == "新标题"
    missing = await client.patch("/api/v1/sessions/none", json={"title": "x"})
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_session")


async def test_an_export_loads_nothing_from_outside(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    live = [
        "![a](http://evil.example/?q=1)", "\\![a](http://evil.example/2)", "![a][r]\n\n[r]: http://evil.example/3",
        '<img src="http://evil.example/4">', "<video src=x>", "> - ![a](http://evil.example/5)", "`![a](http://e.org)",
        "[![a](http://evil.example/6)](http://evil.example/7)", "<!-- x --><IMG SRC=http://evil.example/8>",
    ]  # fmt: skip
    code = ["```rust\nlet v = vec![1]; // <img>\n```", "a < b, <https://e.org> and wow!"]
    await say(client, "inert", "\n\n".join([*live, *code]), "```\nnot closed <img src=http://evil.example/9>")
    await say(client, "inert", "![a](http://evil.example/10)\n```\n![a](http://evil.example/11)", "ok")
    text = (await client.get("/api/v1/sessions/inert/export")).text
    types = {token.type for block in MarkdownIt("commonmark").parse(text) for token in [block, *(block.children or [])]}
    assert "image" not in types and not [name for name in types if name.startswith("html")]
    assert all(part in text for part in code)


async def test_export_and_import(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    await say(client, "export", "My name is Ada.", "你好")
    markdown = await client.get("/api/v1/sessions/export/export")
    assert "# My name is Ada." in markdown.text and "You said: 你好" in markdown.text
    assert "attachment" in markdown.headers["content-disposition"]
    exported = (await client.get("/api/v1/sessions/export/export", params={"format": "json"})).json()
    made = await client.post("/api/v1/sessions/import", json=exported)
    assert made.status_code == 201 and made.json()["messages"] == 4
    copied = made.json()["session_id"]
    assert [e["text"] for e in await transcript(client, copied)] == [e["text"] for e in exported["messages"]]
    await say(client, copied, "What is my name?")
    assert said_to(model)[:2] == ["My name is Ada.", "You said: My name is Ada."]


async def test_an_edit_is_another_version_and_what_came_after_stays(
    client: httpx.AsyncClient, model: OpenAIServer
) -> None:
    first, second, _ = await say(client, "edit", "one", "two", "three")
    body = {"run_id": second["run_id"], "message": "zwei"}
    answer = (await client.post("/api/v1/sessions/edit/edit", json=body)).json()
    assert answer["answer"] == "You said: zwei"
    assert said_to(model) == ["one", "You said: one", "zwei"]
    shown = await transcript(client, "edit")
    assert [entry["text"] for entry in shown] == ["one", "You said: one", "zwei", "You said: zwei"]
    assert (shown[0]["run_id"], shown[3]["message_id"]) == (first["run_id"], answer["message_id"])
    [old, new] = shown[2]["versions"]
    assert new == shown[2]["message_id"] and shown[3]["versions"] == [answer["message_id"]]
    other = (await client.get("/api/v1/sessions/edit", params={"through": old, "tree": True})).json()
    assert [entry["text"] for entry in other["messages"]][2::2] == ["two", "three"] and len(other["tree"]) == 8
    # The version that is shown is the one that the model remembers.
    changed = (await client.patch("/api/v1/sessions/edit", json={"current_message_id": old})).json()
    assert changed["message_count"] == 6
    await say(client, "edit", "four")
    assert said_to(model)[2::2] == ["two", "three", "four"]
    # A message can follow any other one, and be the first.
    for parent, before in ((shown[3]["message_id"], ["one", "zwei"]), ("root", [])):
        body = {"message": "five", "session_id": "edit", "parent_message_id": parent}
        assert (await client.post("/api/v1/chat", json=body)).status_code == 200
        assert said_to(model)[::2] == [*before, "five"]
    for wrong, status in (({"parent_message_id": "0"}, 404), ({"parent_message_id": "root", "replaces": "x"}, 422)):
        refused = await client.post("/api/v1/chat", json={"message": "x", "session_id": "edit", **wrong})
        assert refused.status_code == status


async def test_another_answer_stands_beside_the_first(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    model.script(["First try.", "Second try.", "Third try.", "Because.", "Now."])
    [first] = await say(client, "again", "Tell me a joke")
    for body, said in (({}, "Second try."), ({"message_id": first["message_id"]}, "Third try.")):
        answer = (await client.post("/api/v1/sessions/again/regenerate", json=body)).json()
        assert answer["answer"] == said
        assert said_to(model) == ["Tell me a joke"]
    shown = await transcript(client, "again")
    assert [entry["text"] for entry in shown] == ["Tell me a joke", "Third try."]
    assert len(shown[0]["versions"]) == 1 and len(shown[1]["versions"]) == 3
    await say(client, "again", "Why?")
    assert said_to(model) == ["Tell me a joke", "Third try.", "Why?"]
    exported = (await client.get("/api/v1/sessions/again/export", params={"format": "json"})).json()
    copy = (await client.post("/api/v1/sessions/import", json=exported)).json()
    assert copy["messages"] == 4
    assert [len(entry["versions"]) for entry in await transcript(client, copy["session_id"])] == [1, 3, 1, 1]
    await say(client, copy["session_id"], "And now?")
    assert said_to(model)[1::2] == ["Third try.", "Because."]


async def test_a_conversation_goes_on_when_its_memory_has_expired(
    client: httpx.AsyncClient, model: OpenAIServer, server: LiveServer
) -> None:
    form = {"message": "What is the notice period?", "session_id": "expired"}
    await client.post("/api/v1/chat_with_file", data=form, files={"file": ("lease.txt", TEXT)})
    await say(client, "expired", "My name is Ada.")
    with Redis(unix_socket_path=str(socket_path(server.settings.data_dir.resolve() / "redis"))) as redis:
        redis.flushall()
    [answer] = await say(client, "expired", "What is my name?")
    assert answer["state"] == "done"
    first, _, second, _, last = said_to(model)
    assert "lease.txt" in first and second == "My name is Ada." and last.endswith("What is my name?")
    assert [entry["role"] for entry in await transcript(client, "expired")] == ["user", "assistant"] * 3


async def test_memory_that_missed_the_end_of_a_turn_does_not_count(
    client: httpx.AsyncClient, model: OpenAIServer, server: LiveServer
) -> None:
    """A server that is killed when the transcript is written, and the memory not yet, leaves an older memory."""
    await say(client, "behind", "one")
    with Redis(unix_socket_path=str(socket_path(server.settings.data_dir.resolve() / "redis"))) as redis:
        key = Owner("local", "behind").memory_key
        kept = {name: redis.dump(name) for name in redis.keys(f"*{key}*") if b"turn:" not in name}
        assert any(name.startswith(b"checkpoint") for name in kept)
        await say(client, "behind", "two")
        for name in redis.keys(f"*{key}*"):
            redis.delete(name)
        for name, value in kept.items():
            redis.restore(name, 600_000, value)
    await say(client, "behind", "three")
    assert said_to(model)[::2] == ["one", "two", "three"]


async def test_sessions_are_searched_pinned_and_archived(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    await say(client, "pin", "A wombat in the garden", "花园里的袋熊")
    await say(client, "later", "Something else")
    assert (await client.patch("/api/v1/sessions/pin", json={"pinned": True})).json()["pinned"] is True
    listed = (await client.get("/api/v1/sessions", params={"limit": 1})).json()
    assert listed["sessions"][0]["session_id"] == "pin" and listed["next"]
    following = (await client.get("/api/v1/sessions", params={"limit": 1, "cursor": listed["next"]})).json()
    assert following["sessions"][0]["session_id"] == "later"
    await client.patch("/api/v1/sessions/pin", json={"archived": True})
    for query, excerpt in (("womb", "You said: A wombat in the garden"), ("袋熊", "You said: 花园里的袋熊")):
        [hit] = (await client.get("/api/v1/sessions", params={"query": query})).json()["sessions"]
        assert (hit["session_id"], hit["excerpt"]) == ("pin", excerpt)
    assert (await client.get("/api/v1/sessions", params={"cursor": "x"})).status_code == 422
    assert "pin" not in {item["session_id"] for item in (await client.get("/api/v1/sessions")).json()["sessions"]}


async def test_regenerate_keeps_the_files(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    form = {"message": "What is the notice period?", "session_id": "again-file"}
    await client.post("/api/v1/chat_with_file", data=form, files={"file": ("lease.txt", TEXT)})
    answer = (await client.post("/api/v1/sessions/again-file/regenerate", json={})).json()
    assert [item["name"] for item in answer["attachments"]] == ["lease.txt"]
    assert "six weeks" in model.chats[-1].text


async def test_branch_goes_on_elsewhere(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    form = {"message": "one", "session_id": "trunk"}
    first = (await client.post("/api/v1/chat_with_file", data=form, files={"file": ("lease.txt", TEXT)})).json()
    await say(client, "trunk", "two")
    made = (await client.post("/api/v1/sessions/trunk/branch", json={"run_id": first["run_id"]})).json()
    assert made["messages"] == 2 and re.fullmatch(r"one \(\d+\)", made["title"]), "a number that no other one has"
    await say(client, made["session_id"], "What is the notice period?")
    assert "two" not in said_to(model) and "six weeks" in model.chats[-1].text
    assert len(await transcript(client, "trunk")) == 4


async def test_clear_leaves_nothing_and_says_what_went(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    form = {"message": "Read this.", "session_id": "clear"}
    first = (await client.post("/api/v1/chat_with_file", data=form, files={"file": ("lease.txt", TEXT)})).json()
    receipt = (await client.post("/api/v1/clear_current_chat_history", json={"session_id": "clear"})).json()
    stores = receipt["stores"]
    for name, least in (("checkpoints", 1), ("transcript", 2), ("events", 1), ("documents", 1), ("attachments", 1)):
        assert stores[name]["before"] >= least and stores[name]["after"] == 0, (name, stores[name])
    assert receipt["removed"] == sum(count["before"] - count["after"] for count in stores.values())
    assert (await client.get("/api/v1/sessions/clear")).status_code == 404
    assert (await client.get(f"/api/v1/documents/{first['attachments'][0]['id']}")).status_code == 404
    assert (await client.get(f"/api/v1/runs/{first['run_id']}")).status_code == 404
    await say(client, "clear", "Do you remember?")
    assert said_to(model) == ["Do you remember?"]
    again = await client.delete("/api/v1/sessions/never-was")
    assert (again.status_code, again.json()["removed"]) == (200, 0)


async def test_copies_of_a_session_have_runs_of_their_own(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    [answer] = await say(client, "original", "Hello")
    run_id = answer["run_id"]
    exported = (await client.get("/api/v1/sessions/original/export", params={"format": "json"})).json()
    imported = (await client.post("/api/v1/sessions/import", json=exported)).json()["session_id"]
    branched = (await client.post("/api/v1/sessions/original/branch", json={})).json()["session_id"]
    for copy in (imported, branched):
        ids = [entry["run_id"] for entry in await transcript(client, copy)]
        assert len(ids) == 2 and len(set(ids)) == 1 and run_id not in ids
        await client.delete(f"/api/v1/sessions/{copy}")
    assert (await client.get(f"/api/v1/runs/{run_id}")).json()["state"] == "done"


async def test_a_branch_does_not_overwrite_a_session(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    await say(client, "stem", "one")
    await say(client, "taken", "two")
    refused = await client.post("/api/v1/sessions/stem/branch", json={"session_id": "taken"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "session_exists")
    assert [entry["text"] for entry in await transcript(client, "taken")] == ["two", "You said: two"]
    assert (await client.post("/api/v1/sessions/stem/branch", json={"session_id": "free"})).status_code == 201


async def test_an_upload_is_found_before_the_first_question(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    upload = await client.post("/api/v1/documents", data={"session_id": "draft"}, files={"file": ("lease.txt", TEXT)})

    async def titles() -> dict[str, str]:
        listed = (await client.get("/api/v1/sessions", params={"limit": 200})).json()["sessions"]
        return {item["session_id"]: item["title"] for item in listed}

    assert (await titles())["draft"] == "lease.txt"
    await client.delete(f"/api/v1/documents/{upload.json()[0]['id']}")
    assert "draft" not in await titles()
    await say(client, "draft", "Hello there")
    assert (await titles())["draft"] == "Hello there"


async def test_a_hosted_model_names_the_topic(model: OpenAIServer, server: LiveServer) -> None:
    settings = server.settings.model_copy(update={"model_titles": True})
    with LiveServer(settings) as live:
        async with httpx.AsyncClient(base_url=live.url, timeout=30) as client:
            model.script(["Nine weeks.", ' "Notice period"\n', "Yes."])
            await say(client, "topic", "How long is it?")
            title = ""
            while title != "Notice period":
                await asyncio.sleep(0.02)
                title = (await client.get("/api/v1/sessions/topic")).json()["title"]
            await client.patch("/api/v1/sessions/topic", json={"title": "Mine"})
            await say(client, "topic", "Sure?")
            assert (await client.get("/api/v1/sessions/topic")).json()["title"] == "Mine"


async def test_a_title_is_asked_for_as_privately_as_its_turn(model: OpenAIServer, server: LiveServer) -> None:
    settings = server.settings.model_copy(update={"model_titles": True})
    with LiveServer(settings) as live:
        async with httpx.AsyncClient(base_url=live.url, timeout=30) as client:
            model.script(["Noted.", "Contact details"])
            given = {"session_id": "private", "message": "Write to wei@example.cn", "pii": "mask", "tools": []}
            await client.post("/api/v1/chat", json=given)
            while (await client.get("/api/v1/sessions/private")).json()["title"] != "Contact details":
                await asyncio.sleep(0.02)
    assert "wei@example.cn" not in json.dumps([request.body for request in model.requests])
