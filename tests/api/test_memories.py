"""What is remembered over conversations, through the real server: kept, used, shown, corrected, forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.standins.openai_server import Answer, OpenAIServer, ToolCall


async def ask(client: httpx.AsyncClient, message: str, session: str, **more: Any) -> dict[str, Any]:
    response = await client.post("/api/v1/chat", json={"message": message, "session_id": session, **more})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def listed(client: httpx.AsyncClient, count: int | None = None, **query: Any) -> list[dict[str, Any]]:
    """The list, as soon as it has `count` items: keeping is done after the answer."""
    for _ in range(400):
        body = (await client.get("/api/v1/memories", params=query)).json()
        if count is None or len(body["memories"]) == count:
            break
        await asyncio.sleep(0.05)
    found: list[dict[str, Any]] = body["memories"]
    return found


@pytest.fixture(autouse=True)
async def _nothing_remembered(client: httpx.AsyncClient) -> AsyncIterator[None]:
    assert (await client.delete("/api/v1/memories")).status_code == 200
    await client.put("/api/v1/memories/enabled", json={"enabled": True})
    yield
    await client.delete("/api/v1/memories")
    await client.put("/api/v1/memories/enabled", json={"enabled": False})


async def test_what_is_said_in_one_conversation_is_known_in_another(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer
) -> None:
    told = await ask(client, "I am allergic to peanuts. My name is Ann Lee.", "m1")
    kept = (await client.get("/api/v1/memories", params={"run_id": told["run_id"]})).json()["memories"]
    answered = (await client.get("/api/v1/sessions/m1")).json()["messages"][-1]
    assert [one["id"] for one in answered["remembered"]] == [one["id"] for one in reversed(kept)]
    assert {one["text"] for one in kept} == {"I am allergic to peanuts.", "My name is Ann Lee."}
    assert {(one["session_id"], one["origin"], one["holds"]) for one in kept} == {("m1", "said", True)}
    for server, session in ((client, "m2"), (second, "m3")):
        answer = await ask(server, "Am I allergic to peanuts?", session)
        assert "I am allergic to peanuts." in [one["text"] for one in answer["memories"]]
        assert "I am allergic to peanuts. (said on" in model.chats[-1].text
    transcript = (await client.get("/api/v1/sessions/m2")).json()
    assert any(message.get("memories") for message in transcript["messages"])
    without = await ask(client, "Am I allergic to peanuts?", "m4", memory=False)
    assert without["memories"] == [] and "allergic to peanuts. (said" not in model.chats[-1].text


async def test_a_new_home_takes_the_place_of_the_old_one_and_is_found_when_asked_for(
    client: httpx.AsyncClient, model: OpenAIServer
) -> None:
    await ask(client, "I live in Oslo.", "h1")
    await listed(client, 1)
    await ask(client, "I moved to Chengdu last week.", "h2")
    for _ in range(100):
        if [one["text"] for one in await listed(client)] == ["I moved to Chengdu last week."]:
            break
        await asyncio.sleep(0.05)
    past = await listed(client, 2, past=True)
    assert [(one["text"], one["holds"]) for one in past] == [
        ("I moved to Chengdu last week.", True),
        ("I live in Oslo.", False),
    ]


@pytest.mark.parametrize(
    ("before", "tells", "now"),
    [
        ("I live in Berlin.", 'Keep this: "I live in Chengdu now"', "I live in Chengdu now"),
        ("我住在柏林。", "更新一下：“我现在住在成都”", "我现在住在成都"),
    ],
)
async def test_what_the_model_remembers_takes_the_place_of_what_it_contradicts(
    client: httpx.AsyncClient, model: OpenAIServer, before: str, tells: str, now: str
) -> None:
    await ask(client, before, f"b-{now}")
    (old,) = await listed(client, 1)
    model.script([Answer(tool_calls=[ToolCall("remember", {"text": now})]), "Done."])
    await ask(client, tells, f"n-{now}")
    assert [one["text"] for one in await listed(client)] == [now] and old["text"] in model.chats[-1].text
    past = await listed(client, 2, past=True)
    assert [(one["slot"], one["holds"]) for one in past] == [("home", True), ("home", False)]


async def test_the_model_names_what_it_replaces_where_words_do_not_tell(
    client: httpx.AsyncClient, model: OpenAIServer
) -> None:
    made = [await client.post("/api/v1/memories", json={"text": text}) for text in ("The key is at Bo's", "I sing")]
    call = ToolCall("remember", {"text": "The key is at Ann's", "replaces": "nothing"})
    model.script([Answer(tool_calls=[call]), "Done."])
    (failed,) = (await ask(client, "The key is at Ann's", "r"))["tools"]
    assert failed["status"] == "error" and len(await listed(client)) == 2
    call = ToolCall("remember", {"text": "The key is at Ann's", "replaces": made[0].json()["id"]})
    model.script([Answer(tool_calls=[call]), "Done."])
    asked = await ask(client, "The key is at Ann's", "r")
    assert asked["state"] == "waiting", "which one it replaces is the model's word alone"
    await ask(client, "approve", "r")
    assert [one["text"] for one in await listed(client)] == ["The key is at Ann's", "I sing"]
    assert len(await listed(client, past=True)) == 3


async def test_a_question_finds_what_it_is_about_and_an_answer_made_again_brings_nothing_back(
    client: httpx.AsyncClient, model: OpenAIServer
) -> None:
    await ask(client, "I moved to Berlin.", "w1")
    await ask(client, "请记住：我对花生过敏", "w2")
    (kept,) = [one for one in await listed(client, 2) if one["session_id"] == "w2"]
    asked = {"w4": ("Which city do I live in?", "I moved to Berlin."), "w5": ("今晚吃什么好？", kept["text"])}
    for session, (question, expected) in asked.items():
        answer = await ask(client, question, session)
        assert [one["text"] for one in answer["memories"]] == [expected]
        assert expected in model.chats[-1].text
    (await client.delete(f"/api/v1/memories/{kept['id']}")).raise_for_status()
    run = (await client.post("/api/v1/sessions/w2/regenerate", json={})).json()
    assert run["state"] == "done"
    await ask(client, "I work as a nurse.", "w3")
    assert {one["text"] for one in await listed(client, 2)} == {"I moved to Berlin.", "I work as a nurse."}


async def test_what_would_be_forgotten_is_said_in_words(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    await ask(client, "I live in Oslo. My name is Ann Lee.", "g1")
    ids = [one["id"] for one in await listed(client, 2) if "Oslo" in one["text"]]
    model.script([Answer(tool_calls=[ToolCall("forget", {"ids": ids})]), Answer("Done.")])
    waiting = await ask(client, "忘掉我的住址", "g2")
    (question,) = waiting["questions"]
    assert question["preview"] == "I live in Oslo."
    body = {"answers": {question["id"]: {"decision": "approve"}}}
    assert (await client.post(f"/api/v1/runs/{waiting['run_id']}/answers", json=body)).status_code == 202
    assert [one["text"] for one in await listed(client, 1)] == ["My name is Ann Lee."]


async def test_one_is_shown_corrected_and_forgotten(client: httpx.AsyncClient) -> None:
    made = (await client.post("/api/v1/memories", json={"text": "I park on level 3", "slot": "parking"})).json()
    again = await client.post("/api/v1/memories", json={"text": "I park on level 5", "slot": "parking"})
    assert again.status_code == 201 and len(await listed(client)) == 1
    changed = await client.patch(f"/api/v1/memories/{again.json()['id']}", json={"text": "I park on level 6"})
    assert changed.json()["text"] == "I park on level 6" and changed.json()["origin"] == "edited"
    assert [one["text"] for one in await listed(client, query="level")] == ["I park on level 6"]
    gone = (await client.delete(f"/api/v1/memories/{again.json()['id']}")).json()
    assert gone["stores"]["memories"] == {"before": 2, "after": 0}, "with what it took the place of"
    for answer in (await client.get(f"/api/v1/memories/{made['id']}"), await client.delete("/api/v1/memories/x")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_memory")


async def test_bad_input_is_refused_and_secrets_are_not_kept(client: httpx.AsyncClient) -> None:
    bodies: list[dict[str, Any]] = [
        {"text": ""}, {"text": "x" * 1001}, {"text": "ok", "kind": "secret"}, {"text": "my password is hunter2hunter2"},
        {"text": "ok", "user_id": "another"},
    ]  # fmt: skip
    for body in bodies:
        assert (await client.post("/api/v1/memories", json=body)).status_code == 422, body
    assert (await client.get("/api/v1/memories", params={"cursor": "!"})).status_code == 422
    assert await listed(client) == []


async def test_memory_can_be_switched_off(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    await client.put("/api/v1/memories/enabled", json={"enabled": False})
    try:
        assert (await client.get("/api/v1/memories")).json()["enabled"] is False
        await ask(client, "My name is Ann Lee.", "o1")
        refused = await client.post("/api/v1/memories", json={"text": "I have a cat"})
        assert refused.status_code == 422 and await listed(client) == []
    finally:
        await client.put("/api/v1/memories/enabled", json={"enabled": True})


async def test_a_session_goes_on_without_memory(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    await ask(client, "I am allergic to peanuts.", "kept")
    await listed(client, 1)
    await ask(client, "Hello there", "o2")
    assert (await client.get("/api/v1/sessions/o2")).json()["memory"] is True
    changed = await client.patch("/api/v1/sessions/o2", json={"memory": False})
    assert changed.status_code == 200 and changed.json()["memory"] is False
    answer = await ask(client, "I live in Chengdu. Am I allergic to peanuts?", "o2", memory=True)
    assert answer["memories"] == [] and "(said" not in model.chats[-1].text
    branched = (await client.post("/api/v1/sessions/o2/branch", json={})).json()["session_id"]
    assert (await client.get(f"/api/v1/sessions/{branched}")).json()["memory"] is False
    await client.patch("/api/v1/sessions/o2", json={"memory": True})
    await ask(client, "I work at Borealis.", "o2")
    kept = await listed(client, 2)
    assert {memory["text"] for memory in kept} == {"I am allergic to peanuts.", "I work at Borealis."}
