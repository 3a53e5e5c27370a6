from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from settings import Settings
from stores.redis.server import open_redis
from tests.api.conftest import events_of, in_order, said_to
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, Hang, OpenAIServer, ToolCall

LONG = "one two three four five six seven eight nine ten"


async def start(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    response = await client.post("/api/v1/runs", json={"message": "Go", **body})
    assert response.status_code == 202, response.text
    started: dict[str, Any] = response.json()
    return started


async def until(client: httpx.AsyncClient, run_id: str, *states: str) -> dict[str, Any]:
    for _ in range(400):
        run: dict[str, Any] = (await client.get(f"/api/v1/runs/{run_id}")).json()
        if run["state"] in states:
            return run
        await asyncio.sleep(0.02)
    raise AssertionError(f"the run is {run['state']}")


async def first_token(client: httpx.AsyncClient, run_id: str) -> None:
    async with client.stream("GET", f"/api/v1/runs/{run_id}/stream") as response:
        async for _, name, _ in events_of(response):
            if name == "token":
                return
    raise AssertionError("there was no token")


async def test_a_background_run_returns_at_once(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    model.script([Answer("Done.", wait=0.5)])
    run = await start(client, session_id="background")
    assert run["state"] in ("queued", "running")
    finished = await until(client, run["run_id"], "done")
    assert finished["result"]["answer"] == "Done."
    assert finished["session_id"] == "background"


@pytest.mark.parametrize("where", ["client", "second"])
async def test_a_dropped_stream_goes_on_where_it_was(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer, where: str
) -> None:
    model.script([Answer(LONG, pace=0.05)])
    seen: list[tuple[int, str, Any]] = []
    async with client.stream("POST", "/api/v1/chat/stream", json={"message": "Count"}) as response:
        run_id = response.headers["x-run-id"]
        async for event in events_of(response):
            seen.append(event)
            if event[1] == "token":
                break
    other = second if where == "second" else client
    headers = {"last-event-id": str(seen[-1][0])}
    async with other.stream("GET", f"/api/v1/runs/{run_id}/stream", headers=headers) as response:
        seen += [event async for event in events_of(response)]
    assert [number for number, _, _ in seen] == list(range(1, len(seen) + 1))
    assert "".join(data["text"] for _, name, data in seen if name == "token") == LONG
    assert seen[-1][1] == "done" and seen[-1][2]["answer"] == LONG


async def test_a_finished_run_is_told_whole_by_the_other_server(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer
) -> None:
    run = await start(client)
    await until(second, run["run_id"], "done")
    async with second.stream("GET", f"/api/v1/runs/{run['run_id']}/stream") as response:
        names = [name async for _, name, _ in events_of(response)]
    assert names[0] == "run" and names.count("done") == 1 and names[-1] == "done"


async def told(client: httpx.AsyncClient, run_id: str, after: int = 0) -> list[tuple[int, str, Any]]:
    headers = {"last-event-id": str(after)}
    async with client.stream("GET", f"/api/v1/runs/{run_id}/stream", headers=headers) as response:
        return [event async for event in events_of(response)]


async def test_what_is_no_longer_kept_is_a_gap_and_the_durable_state(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer, api_settings: Settings
) -> None:
    model.script([Answer(LONG, pace=0.05)])
    run_id = (await start(client))["run_id"]
    await until(second, run_id, "done")
    whole = await told(second, run_id)
    async with await open_redis(api_settings) as redis:
        await redis.client.xtrim(f"run:{run_id}:log", maxlen=3, approximate=False)
        gap, *rest = await told(second, run_id)
        assert gap[:2] == (0, "gap") and gap[2]["state"] == "done" and gap[2]["result"]["answer"] == LONG
        assert 3 <= len(rest) < len(whole) and rest == whole[-len(rest) :]
        assert await told(second, run_id, rest[0][0]) == rest[1:], "nothing is missing, so there is no gap"
        assert await told(second, run_id, whole[-1][0]) == [], "who has seen the end is not told it again"
        await redis.client.delete(f"run:{run_id}:log")
    gap, last = await told(second, run_id, 5)
    assert (gap[1], last[1], last[2]) == ("gap", "done", whole[-1][2])


async def test_a_gap_in_a_run_that_goes_on(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer, api_settings: Settings
) -> None:
    model.script([Answer(LONG, pace=0.1)])
    run_id = (await start(client))["run_id"]
    await first_token(client, run_id)
    await asyncio.sleep(0.1)
    async with await open_redis(api_settings) as redis:
        await redis.client.xtrim(f"run:{run_id}:log", maxlen=1, approximate=False)
    found = await told(second, run_id)
    assert [name for _, name, _ in found].count("gap") == 1
    assert found[0][1] == "gap" and found[0][2]["state"] == "running"
    assert found[-1][1] == "done" and found[-1][2]["answer"] == LONG
    numbers = [number for number, _, _ in found[1:]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("where", ["client", "second"])
async def test_stop_closes_the_model_and_keeps_the_partial_answer(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer, where: str
) -> None:
    session = f"stop-{where}"
    model.script([Answer(LONG, pace=0.1), "Yes."])
    run = await start(client, session_id=session)
    await first_token(client, run["run_id"])
    asked = time.monotonic()
    await (second if where == "second" else client).post(f"/api/v1/runs/{run['run_id']}/stop")
    [closed] = await model.disconnected(1, timeout=3)
    assert closed - asked < 1
    stopped = await until(client, run["run_id"], "stopped")
    partial = stopped["result"]["answer"]
    assert partial and LONG.startswith(partial) and partial != LONG
    assert stopped["result"]["warnings"]
    await client.post("/api/v1/chat", json={"message": "Go on?", "session_id": session})
    assert said_to(model) == ["Go", partial, "Go on?"]
    entries = (await client.get(f"/api/v1/sessions/{session}")).json()["messages"]
    assert [(entry["role"], entry.get("state")) for entry in entries[:2]] == [("user", None), ("assistant", "stopped")]


async def test_stop_before_the_first_word_still_leaves_a_turn(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    model.script([Hang(), "Yes."])
    run = await start(client, session_id="stop-early")
    while not model.chats:
        await asyncio.sleep(0.01)
    stopped = (await client.post(f"/api/v1/runs/{run['run_id']}/stop")).json()
    assert (stopped["state"], stopped["result"]["answer"]) == ("stopped", "")
    await client.post("/api/v1/chat", json={"message": "Hello?", "session_id": "stop-early"})
    said = said_to(model)
    assert (said[0], said[-1], len(said)) == ("Go", "Hello?", 3)


@pytest.mark.parametrize("where", ["client", "second"])
async def test_reject_refuses_a_busy_session(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer, where: str
) -> None:
    session = f"reject-{where}"
    model.script([Answer(LONG, pace=0.05)])
    run = await start(client, session_id=session)
    await first_token(client, run["run_id"])
    other = second if where == "second" else client
    response = await other.post("/api/v1/chat", json={"message": "Me", "session_id": session, "on_busy": "reject"})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "thread_busy")
    assert (await until(client, run["run_id"], "done"))["result"]["answer"] == LONG


@pytest.mark.parametrize("where", ["client", "second"])
@pytest.mark.parametrize("policy", ["interrupt", "rollback"])
async def test_the_next_message_can_cut_the_first_short(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer, where: str, policy: str
) -> None:
    session = f"{policy}-{where}"
    model.script([Answer(LONG, pace=0.1), "Second.", "Third."])
    run = await start(client, session_id=session, message="First")
    await first_token(client, run["run_id"])
    other = second if where == "second" else client
    body = {"message": "Second", "session_id": session, "on_busy": policy}
    assert (await other.post("/api/v1/chat", json=body)).json()["answer"] == "Second."
    cut = await until(client, run["run_id"], "interrupted", "rolled_back")
    await client.post("/api/v1/chat", json={"message": "Third", "session_id": session})
    said = said_to(model)
    kept = (await client.get(f"/api/v1/sessions/{session}")).json()["messages"]
    if policy == "interrupt":
        assert said == ["First", cut["result"]["answer"], "Second", "Second.", "Third"]
        assert len(kept) == 6
    else:
        assert said == ["Second", "Second.", "Third"]
        assert [entry["text"] for entry in kept] == ["Second", "Second.", "Third", "Third."]


@pytest.mark.parametrize("policy", ["interrupt", "rollback"])
async def test_a_message_takes_the_place_of_one_that_is_being_answered(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer, policy: str
) -> None:
    session = f"replace-{policy}"
    model.script(["Before.", Answer(LONG, pace=0.1), "Instead."])
    await client.post("/api/v1/chat", json={"message": "Start", "session_id": session})
    run = await start(client, session_id=session, message="First")
    await first_token(client, run["run_id"])
    body = {"message": "Second", "session_id": session, "on_busy": policy, "replaces": run["run_id"]}
    assert (await second.post("/api/v1/chat", json=body)).json()["answer"] == "Instead."
    assert said_to(model) == ["Start", "Before.", "Second"]
    kept = (await client.get(f"/api/v1/sessions/{session}")).json()["messages"]
    assert [entry["text"] for entry in kept] == ["Start", "Before.", "Second", "Instead."]


async def test_concurrent_turns_on_two_servers_lose_nothing(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer
) -> None:
    turns = 32
    answers = await asyncio.gather(
        *(
            (client if n % 2 else second).post("/api/v1/chat", json={"message": f"m{n}", "session_id": "many"})
            for n in range(turns)
        )
    )
    assert [response.status_code for response in answers] == [200] * turns
    transcript = (await client.get("/api/v1/sessions/many")).json()
    assert transcript["total"] == 2 * turns
    texts = [entry["text"] for entry in transcript["messages"]]
    assert texts[1::2] == [f"You said: {text}" for text in texts[::2]], "questions and answers alternate"
    model.reset()
    model.script(["End."])
    await client.post("/api/v1/chat", json={"message": "end", "session_id": "many"})
    assert len(said_to(model)) == 2 * turns + 1


async def test_unknown_runs(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    for method, path in (("GET", ""), ("GET", "/stream"), ("POST", "/stop")):
        response = await client.request(method, f"/api/v1/runs/nothing{path}")
        assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_run")


async def test_a_turn_that_takes_too_long_ends_in_an_error(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    model.script([Hang(headers=True)])
    run = await start(client, session_id="slow")
    assert (await until(client, run["run_id"], "error"))["error"]["code"] == "model_timed_out"


async def test_turns_keep_their_order_on_a_server_that_has_just_started(
    api_settings: Settings, model: OpenAIServer, tmp_path: Path
) -> None:
    with LiveServer(api_settings.model_copy(update={"data_dir": tmp_path, "turn_timeout": 60})) as cold:
        async with httpx.AsyncClient(base_url=cold.url, timeout=60) as http:
            asked = []
            for number in range(10):
                body = {"message": f"number {number}", "session_id": "cold"}
                asked.append(asyncio.create_task(http.post("/api/v1/chat", json=body)))
                await asyncio.sleep(0.05)
            assert {(await turn).status_code for turn in asked} == {200}
    assert [chat.user_text for chat in model.chats] == [f"number {number}" for number in range(10)]


async def test_a_long_turn_goes_on_when_its_server_is_started_again(
    api_settings: Settings, model: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.runs.runner.STEP_SECONDS", 0.2)
    monkeypatch.setattr("api.runs.machine.LONG_SECONDS", 0.01)
    settings = api_settings.model_copy(update={"turn_timeout": 60.0, "data_dir": tmp_path / "data"})
    model.script([
        Answer("First the sum.", tool_calls=[ToolCall("calculate", {"expression": "6*7"})]),
        Answer("It is not " * 100, pace=0.1), Answer("It is 42."),
    ])  # fmt: skip
    with LiveServer(settings) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            run = await start(http, message="What is 6*7?", session_id="goes-on")
            seen = []
            async with http.stream("GET", f"/api/v1/runs/{run['run_id']}/stream") as response:
                async for event in events_of(response):
                    seen.append(event)
                    if event[1] == "token" and "not" in event[2]["text"]:
                        break
    headers = {"last-event-id": str(seen[-1][0])}
    with LiveServer(settings) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            async with http.stream("GET", f"/api/v1/runs/{run['run_id']}/stream", headers=headers) as response:
                rest = [event async for event in events_of(response)]
            answer = (await http.get("/api/v1/sessions/goes-on")).json()["messages"][-1]
    assert in_order(seen + rest)
    assert [data["begins_again"] for _, name, data in rest if name == "run" and "begins_again" in data] == ["step"]
    assert (rest[-1][1], rest[-1][2]["answer"]) == ("done", "It is 42.")
    assert [tool["name"] for tool in rest[-1][2]["tools"]] == ["calculate"]
    assert len(model.chats) == 3 and "42" in said_to(model)[-1], "the sum is not made again"
    assert [step["text"] for step in answer["steps"]] == ["First the sum."]
