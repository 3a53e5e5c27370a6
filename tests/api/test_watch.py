"""Runs whose process is only frozen: another one goes on with them, and what wakes does no harm."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from langchain_core.tools import tool
from starlette.requests import Request

from api.edge.keys import ApiKeys
from domain.errors import RunLost
from domain.owner import LOCAL_USER
from domain.words import Words
from settings import Settings
from stores.people.users import ApiKey, Role, calling_key
from stores.redis.unfinished import INDEX, steps_key
from tests.api.conftest import events_of, in_order, said_to
from tests.api.test_runs import start
from tests.live_server import LiveServer, remember
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall
from tools.interface import ToolSpec

SENT: list[str] = []
"""What the tool has sent."""


@tool(parse_docstring=True)
async def send_card(text: str) -> str:
    """Send a card.

    Args:
        text: What it says.
    """
    SENT.append(text)
    return "sent"


@pytest.fixture(scope="module")
def pair(api_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, LiveServer]]:
    """Two servers of one installation with a tool that writes; turns may take a while and count as long at once."""
    changed = {"turn_timeout": 60.0, "data_dir": tmp_path_factory.mktemp("watch") / "data"}
    settings = api_settings.model_copy(update=changed)
    spec = ToolSpec(tool=send_card, title=Words("Send a card", "发送卡片"), permission="write")
    with pytest.MonkeyPatch.context() as patched, LiveServer(settings) as first, LiveServer(settings) as second:
        patched.setattr("api.runs.machine.LONG_SECONDS", 0.01)
        patched.setattr("api.runs.watch.LOOK_SECONDS", 0.1)
        remember(first, False)
        for live in (first, second):
            live.app.state.backend.services.tools.set_foreign([spec], {})
        yield first, second


@pytest.fixture
def server(pair: tuple[LiveServer, LiveServer]) -> LiveServer:
    return pair[0]


@pytest_asyncio.fixture(loop_scope="session")
async def client(pair: tuple[LiveServer, LiveServer]) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=pair[0].url, timeout=60) as http:
        yield http


@pytest_asyncio.fixture(loop_scope="session")
async def second(pair: tuple[LiveServer, LiveServer]) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=pair[1].url, timeout=60) as http:
        yield http


async def kept(live: LiveServer, run_id: str, *, spoken: bool = False) -> Any:
    """Wait until steps of a run are kept, and it has spoken; returns the runner and the run."""
    runner = live.app.state.backend.runner
    for _ in range(500):
        run = runner._runs.get(run_id)
        if run is not None and run.is_kept and (run.progress.partial or not spoken):
            return runner, run
        await asyncio.sleep(0.02)
    raise AssertionError("nothing is kept of it")


async def freeze(live: LiveServer, run_id: str, *, spoken: bool = False) -> Any:
    """Let a run of `live` seem to be on a process that is gone; returns it."""
    runner, run = await kept(live, run_id, spoken=spoken)
    runner._events.leave(run_id)
    assert await on_its_loop(run, runner._unfinished.release(run_id, run.log.before))
    return run


async def on_its_loop(run: Any, work: Any) -> Any:
    """Do something in the thread of the server that a run is on."""
    return await asyncio.to_thread(asyncio.run_coroutine_threadsafe(work, run.task.get_loop()).result, 20)


async def followed(client: httpx.AsyncClient, run_id: str) -> list[tuple[int, str, Any]]:
    async with client.stream("GET", f"/api/v1/runs/{run_id}/stream", headers={"last-event-id": "0"}) as response:
        return [event async for event in events_of(response)]


async def over(run: Any) -> None:
    for _ in range(500):
        if run.task.done():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the frozen run has no end")


async def test_a_process_that_wakes_writes_no_second_answer(
    client: httpx.AsyncClient, second: httpx.AsyncClient, server: LiveServer, model: OpenAIServer
) -> None:
    frozen = threading.Event()
    model.script([Answer("The first one says", hold=frozen), Answer("The second one.")])
    run_id = (await start(client, session_id="wakes"))["run_id"]
    run = await freeze(server, run_id, spoken=True)
    end = (await followed(second, run_id))[-1]
    assert (end[1], end[2]["answer"], end[2]["state"]) == ("done", "The second one.", "done")
    frozen.set()
    await over(run)
    assert run.left or isinstance(run.error, RunLost)
    shown = (await client.get("/api/v1/sessions/wakes")).json()["messages"]
    assert [entry["text"] for entry in shown] == ["Go", "The second one."]
    assert (await followed(second, run_id))[-1] == end
    redis = server.app.state.backend.redis.client
    looks = [redis.exists(steps_key(run_id)), redis.sismember(INDEX, run_id)]
    assert not any([await on_its_loop(run, look) for look in looks]), "nothing of it stays"
    model.script([Answer("More.")])
    await second.post("/api/v1/chat", json={"message": "And?", "session_id": "wakes"})
    assert said_to(model) == ["Go", "The second one.", "And?"]


async def test_what_another_process_goes_on_with_counts_for_the_key_that_asked(
    client: httpx.AsyncClient, second: httpx.AsyncClient, pair: tuple[LiveServer, LiveServer], model: OpenAIServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    limited = ApiKey(id="of-a-script", user_id=LOCAL_USER, name="", prefix="", created=0.0, quota={"calls": 9})

    async def with_key(self: ApiKeys, request: Request) -> tuple[str, Role]:
        calling_key.set(limited)
        return LOCAL_USER, "user"

    frozen = threading.Event()
    model.script([Answer("The first one says", hold=frozen), Answer("The second one.")])
    with monkeypatch.context() as patched:
        patched.setattr(ApiKeys, "_user", with_key)
        run_id = (await start(client, session_id="counts"))["run_id"]
    run = await freeze(pair[0], run_id, spoken=True)
    assert (await followed(second, run_id))[-1][1] == "done"
    frozen.set()
    await over(run)
    usage = pair[0].app.state.backend.services.usage
    for _ in range(100):
        today = await on_its_loop(run, usage.today(LOCAL_USER, limited.id))
        if today["turns"]:
            break
        await asyncio.sleep(0.05)
    assert (today["turns"], today["calls"]) == (1, 1)


@pytest.mark.parametrize("gone", [False, True])
async def test_no_process_goes_on_with_a_document_that_is_deleted(
    client: httpx.AsyncClient, second: httpx.AsyncClient, server: LiveServer, model: OpenAIServer, gone: bool
) -> None:
    thread, end = f"deleted-{gone}", threading.Event()
    file = {"file": ("code.txt", b"The secret code is PELICAN7.")}
    sent = (await client.post("/api/v1/documents", files=file, data={"session_id": thread})).json()[0]
    search = Answer(tool_calls=[ToolCall("search_documents", {"query": "secret code"})])
    told = Answer("The code is PELICAN7, and so on and so forth.", hold=end)  # also where the other process goes on
    model.respond = lambda request: told if request.messages[-1]["role"] == "tool" else search
    run_id = (await start(client, session_id=thread, message="Which code?"))["run_id"]
    _, run = await kept(server, run_id, spoken=True)
    if gone:
        await freeze(server, run_id)
    deleted = await second.delete(f"/api/v1/documents/{sent['id']}")
    assert deleted.status_code == 200, deleted.text
    end.set()
    await over(run)
    redis = server.app.state.backend.redis.client
    assert not await on_its_loop(run, redis.exists(steps_key(run_id)))
    await asyncio.sleep(0.5)  # several looks of the other process
    shown = (await client.get(f"/api/v1/sessions/{thread}")).json()
    assert "PELICAN7" not in str(shown) and shown["messages"][0]["text"] == "Which code?"
    assert (await second.get(f"/api/v1/runs/{run_id}")).status_code == 404
    model.respond = lambda _: "I do not know it."
    await second.post("/api/v1/chat", json={"message": "And now?", "session_id": thread})
    assert "PELICAN7" not in model.chats[-1].text


async def test_an_answer_that_is_written_is_told_and_not_made_again(
    client: httpx.AsyncClient, second: httpx.AsyncClient, server: LiveServer, model: OpenAIServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    model.script([Answer("Written once.", wait=0.1)])
    stuck, go_on = threading.Event(), threading.Event()
    turns = server.app.state.backend.turns
    finish = turns.finish

    async def frozen(*given: Any) -> None:
        stuck.set()
        await asyncio.to_thread(go_on.wait, 20)
        await finish(*given)

    monkeypatch.setattr(turns, "finish", frozen)
    run_id = (await start(client, session_id="written"))["run_id"]
    assert await asyncio.to_thread(stuck.wait, 20)
    run = await freeze(server, run_id)
    end = (await followed(second, run_id))[-1]
    assert (end[1], end[2]["answer"]) == ("done", "Written once.")
    go_on.set()
    await over(run)
    shown = (await second.get("/api/v1/sessions/written")).json()["messages"]
    assert [entry["text"] for entry in shown] == ["Go", "Written once."] and len(model.chats) == 1


async def test_a_run_that_went_on_after_an_answer_goes_on_again_and_does_nothing_twice(
    client: httpx.AsyncClient, second: httpx.AsyncClient, server: LiveServer, model: OpenAIServer
) -> None:
    frozen = threading.Event()
    SENT.clear()
    calls = [ToolCall("send_card", {"text": "a card"}), ToolCall("calculate", {"expression": "6*7"}, id="call_2")]
    model.script([Answer(tool_calls=calls), Answer("Half of", hold=frozen), Answer("It is sent.")])
    waiting = (await client.post("/api/v1/chat", json={"message": "Send it", "session_id": "card"})).json()
    assert waiting["state"] == "waiting" and not SENT
    run_id, answers = waiting["run_id"], {"answers": {"*": {"decision": "approve"}}}
    assert (await client.post(f"/api/v1/runs/{run_id}/answers", json=answers)).status_code == 202
    run = await freeze(server, run_id, spoken=True)
    events = await followed(second, run_id)
    assert in_order(events)
    assert (events[-1][1], events[-1][2]["answer"]) == ("done", "It is sent.")
    assert [(run["name"], run["status"]) for run in events[-1][2]["tools"]] == [
        ("send_card", "ok"),
        ("calculate", "ok"),
    ]
    frozen.set()
    await over(run)
    assert SENT == ["a card"]
    shown = (await second.get("/api/v1/sessions/card")).json()
    assert [entry["text"] for entry in shown["messages"]] == ["Send it", "It is sent."] and shown["waiting"] is None


async def test_files_of_the_turn_are_still_there_and_nothing_stays_of_a_temporary_one(
    client: httpx.AsyncClient, second: httpx.AsyncClient, server: LiveServer, model: OpenAIServer
) -> None:
    frozen = threading.Event()
    model.script([Answer("It is so many weeks", hold=frozen), Answer("Nine weeks.")])
    form = {"message": "How long is the notice?", "session_id": "file", "temporary": "true"}
    file = {"file": ("lease.txt", b"The notice of this lease is nine weeks.", "text/plain")}
    made = (await client.post("/api/v1/runs", data=form, files=file)).raise_for_status().json()
    run = await freeze(server, made["run_id"], spoken=True)
    events = await followed(second, made["run_id"])
    assert [data["begins_again"] for _, name, data in events if "begins_again" in data] == ["step"]
    end = events[-1][2]
    assert end["answer"] == "Nine weeks." and [item["status"] for item in end["attachments"]] == ["ready"]
    assert "nine weeks" in str(model.chats[-1].body["messages"])
    frozen.set()
    await over(run)
    assert (await second.get("/api/v1/sessions/file")).json()["messages"][-1]["text"] == "Nine weeks."
    assert (await second.delete("/api/v1/sessions/file")).status_code == 200
    redis = server.app.state.backend.redis.client
    for _ in range(100):
        if not (left := await on_its_loop(run, redis.keys(f"*{made['run_id']}*"))):
            break
        await asyncio.sleep(0.05)
    assert [key for key in left if b":steps" in key] == []


async def test_a_response_in_the_background_is_said_once(
    client: httpx.AsyncClient, second: httpx.AsyncClient, server: LiveServer, model: OpenAIServer
) -> None:
    frozen = threading.Event()
    model.script([Answer("Half of the answer ", hold=frozen), Answer("The whole answer.")])
    body = {"model": "m", "input": "Say it", "background": True}
    made = (await client.post("/v1/responses", json=body)).json()
    run = await freeze(server, made["id"].removeprefix("resp_"), spoken=True)
    async with second.stream("GET", f"/v1/responses/{made['id']}", params={"stream": True}) as response:
        text = "".join([chunk async for chunk in response.aiter_text()])
    assert "Half o" in text and "response.completed" in text
    frozen.set()
    await over(run)
    for http in (client, second):
        found = (await http.get(f"/v1/responses/{made['id']}")).json()
        said = [part["text"] for item in found["output"] for part in item["content"]]
        assert found["status"] == "completed" and "".join(said) == "The whole answer."
