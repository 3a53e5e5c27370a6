from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from domain.errors import MemoryUnavailable, UnknownRun
from domain.owner import Owner
from domain.runs import Event, RunState
from domain.words import Language
from settings import Settings
from stores.redis import events
from stores.redis.events import RunEvents
from stores.redis.server import open_redis
from tests.stores.test_turns import stall


@pytest.fixture
async def runs(redis: Redis, settings: Settings) -> AsyncIterator[RunEvents]:
    made = RunEvents(redis, settings)
    yield made
    await made.aclose()


@pytest.fixture
async def other(redis: Redis, settings: Settings) -> AsyncIterator[RunEvents]:
    """What another server process on the same Redis would have."""
    made = RunEvents(redis, settings)
    yield made
    await made.aclose()


ANN = Owner("ann", "s")


async def start(runs: RunEvents, run_id: str = "r", tokens: int = 0, language: Language = "en") -> None:
    await runs.create(run_id, ANN, language)
    await say(runs, *range(tokens), run_id=run_id)


async def say(runs: RunEvents, *numbers: int, run_id: str = "r", **data: object) -> None:
    """Append the tokens t0, t1, ... as the events 1, 2, ..."""
    for number in numbers:
        assert await runs.append(run_id, [Event(number + 1, "token", {"text": f"t{number}", **data})])


async def finish(runs: RunEvents, number: int, state: RunState = "done", run_id: str = "r", **data: object) -> bool:
    return await runs.append(run_id, [Event(number, "error" if state == "error" else "done", data)], state)


async def collect(runs: RunEvents, run_id: str = "r", after: int = 0) -> list[Event]:
    async with asyncio.timeout(20):
        return [event async for batch in runs.read(run_id, after) for event in batch]


def names(found: list[Event]) -> list[str]:
    return [event.data.get("text", event.name) for event in found]


async def test_a_finished_run_is_read_whole(runs: RunEvents, other: RunEvents) -> None:
    await start(runs, tokens=3)
    await finish(runs, 4, answer="你好")
    found = await collect(other)
    assert names(found) == ["t0", "t1", "t2", "done"]
    assert [event.number for event in found] == [1, 2, 3, 4]
    assert found[-1].data == {"answer": "你好"}


async def test_many_events_are_added_in_one_step_and_none_twice(runs: RunEvents) -> None:
    await start(runs)
    batch = [Event(number, "token", {"text": f"t{number}"}) for number in range(1, 1201)]
    assert await runs.append("r", batch, "running")
    assert await runs.append("r", batch), "sent again after a lost connection"
    await finish(runs, 1201, "interrupted")
    assert [event.number for event in await collect(runs)] == list(range(1, 1202))


async def test_live_events_arrive_in_order_and_fast_on_another_process(runs: RunEvents, other: RunEvents) -> None:
    await start(runs, tokens=2)
    delays: list[float] = []

    async def follow() -> list[str]:
        seen = []
        async for batch in other.read("r"):
            seen += names(batch)
            delays.extend(time.perf_counter() - event.data["at"] for event in batch if "at" in event.data)
        return seen

    task = asyncio.create_task(follow())
    await asyncio.sleep(0.1)
    for number in range(2, 300):
        await say(runs, number, at=time.perf_counter())
    await finish(runs, 301, "stopped", answer="part")
    assert await asyncio.wait_for(task, 20) == [*(f"t{number}" for number in range(300)), "done"]
    assert sorted(delays)[len(delays) // 2] < 0.5


async def test_resuming_misses_nothing_and_repeats_nothing(runs: RunEvents, other: RunEvents) -> None:
    await start(runs, tokens=5)
    task = asyncio.create_task(collect(other, after=3))
    await asyncio.sleep(0.05)
    await say(runs, 5)
    await finish(runs, 7)
    assert names(await task) == ["t3", "t4", "t5", "done"]
    assert await collect(other, after=7) == []


async def test_there_is_one_terminal_event(runs: RunEvents) -> None:
    await start(runs)
    assert await finish(runs, 1, "error", error={"code": "x"})
    assert not await runs.append("r", [Event(2, "token", {})])
    assert not await finish(runs, 2)
    assert not await runs.append("r", [Event(2, "run", {})], "running")
    assert names(await collect(runs)) == ["error"]


async def test_a_number_that_was_never_given_counts_as_none(runs: RunEvents) -> None:
    await start(runs, tokens=2)
    await finish(runs, 3, answer="a")
    assert names(await collect(runs, after=2**31 - 1)) == ["t0", "t1", "done"]


async def test_a_trimmed_stream_starts_with_what_is_kept(runs: RunEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_EVENTS", 100)
    await start(runs, tokens=500)
    await finish(runs, 501)
    for after in (0, 4):
        numbers = [event.number for event in await collect(runs, after=after)]
        assert 100 <= len(numbers) < 400
        assert numbers == list(range(numbers[0], 502))
    assert names(await collect(runs, after=498)) == ["t498", "t499", "done"]


async def test_an_expired_stream_gives_the_durable_result(runs: RunEvents, redis: Redis) -> None:
    await start(runs, tokens=2)
    await finish(runs, 3, "rolled_back", answer="kept")
    await redis.delete("run:r:log")
    for after in (0, 1):
        assert await collect(runs, after=after) == [Event(3, "done", {"answer": "kept"})]
    assert await collect(runs, after=3) == []


async def test_record(runs: RunEvents, redis: Redis) -> None:
    assert await runs.get("r") is None
    await start(runs)
    record = await runs.get("r")
    assert record is not None
    assert (record["state"], record["user_id"], record["thread_id"]) == ("queued", "ann", "s")
    assert await runs.append("r", [Event(1, "run", {})], "running")
    await finish(runs, 2, "interrupted", answer="x")
    record = await runs.get("r")
    assert record is not None
    assert (record["state"], record["result"], record["last"]) == ("interrupted", {"answer": "x"}, 2)
    assert record["created"] <= record["started"] <= record["finished"]
    keys = [key async for key in redis.scan_iter()]
    assert len(keys) == 3, "record, events, and the runs of the thread"
    assert all([3590 <= await redis.ttl(key) <= 3600 for key in keys])


async def test_forget(runs: RunEvents, redis: Redis) -> None:
    await start(runs, "a", tokens=2)
    await start(runs, "b")
    await start(runs, "kept")
    for stranger in (Owner("bob", "s"), Owner("ann", "other")):
        assert await runs.forget(["a", "b"], stranger) == 0
    assert await runs.forget(["a", "none"], ANN) == 2
    assert await runs.forget([], ANN) == 0
    assert await runs.get("a") is None
    assert not await runs.append("a", [Event(3, "token", {})]), "what is forgotten does not come back"
    await runs.create("elsewhere", Owner("ann", "other"), "en")
    assert await runs.forget_thread(ANN, ["elsewhere"]) == 2, "`b` and `kept` are found by their thread"
    assert await runs.get("kept") is None and await runs.get("elsewhere") is not None


async def test_unknown_run(runs: RunEvents) -> None:
    with pytest.raises(UnknownRun):
        await collect(runs, "none")


@pytest.mark.parametrize(("language", "word"), [("en", "Send"), ("zh", "重新发送")])
async def test_a_run_whose_process_is_gone_ends_in_error(
    redis: Redis, settings: Settings, other: RunEvents, monkeypatch: pytest.MonkeyPatch, language: Language, word: str
) -> None:
    monkeypatch.setattr(events, "LOST_AFTER", 0.3)
    monkeypatch.setattr(events, "CHECK_INTERVAL", 0.1)
    gone = RunEvents(redis, settings)
    await start(gone, tokens=1, language=language)
    task = asyncio.create_task(collect(other))
    await gone.aclose()
    found = await asyncio.wait_for(task, 5)
    assert names(found) == ["t0", "error"]
    assert found[1].data["error"]["code"] == "run_lost"
    assert word in found[1].data["error"]["remedy"]
    record = await other.get("r")
    assert record is not None
    assert record["state"] == "error"


async def test_a_run_of_a_stalled_process_is_not_lost(runs: RunEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOST_AFTER", 0.4)
    monkeypatch.setattr(events, "BEAT_INTERVAL", 0.1)
    await start(runs)
    stall(1.0)
    record = await runs.get("r")
    assert record is not None and record["state"] == "queued"


async def test_a_silent_run_with_a_heartbeat_is_not_lost(runs: RunEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOST_AFTER", 0.4)
    monkeypatch.setattr(events, "BEAT_INTERVAL", 0.1)
    await start(runs)
    await asyncio.sleep(0.8)
    record = await runs.get("r")
    assert record is not None
    assert record["state"] == "queued"


async def test_a_reader_survives_the_loss_of_its_subscription(runs: RunEvents, other: RunEvents, redis: Redis) -> None:
    await start(runs, tokens=1)
    task = asyncio.create_task(collect(other))
    await asyncio.sleep(0.1)
    await redis.execute_command("CLIENT KILL", "TYPE", "pubsub")
    for number in range(1, 6):
        await say(runs, number)
        await asyncio.sleep(0.02)
    await finish(runs, 7)
    assert names(await task) == ["t0", "t1", "t2", "t3", "t4", "t5", "done"]


async def test_a_slow_reader_misses_nothing(runs: RunEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BATCH", 10)
    await start(runs, tokens=1)
    seen: list[str] = []
    async for batch in runs.read("r"):
        if not seen:
            await say(runs, *range(1, 100))
            await finish(runs, 101)
        seen += names(batch)
    assert seen == [*(f"t{number}" for number in range(100)), "done"]


async def test_500_open_streams_need_one_more_connection(runs: RunEvents, other: RunEvents, redis: Redis) -> None:
    await asyncio.gather(*(start(runs, f"r{number}") for number in range(500)))
    tasks = [asyncio.create_task(collect(other, f"r{number}")) for number in range(500)]
    await asyncio.sleep(0.5)
    clients = (await redis.info("clients"))["connected_clients"]
    assert clients <= 64 + 4
    assert await redis.ping()
    for number in range(500):
        await say(runs, 0, run_id=f"r{number}")
        await finish(runs, 2, run_id=f"r{number}")
    found = await asyncio.wait_for(asyncio.gather(*tasks), 20)
    assert all(names(each) == ["t0", "done"] for each in found)


async def test_redis_gone_is_memory_unavailable(settings: Settings) -> None:
    handle = await open_redis(settings)
    runs = RunEvents(handle.client, settings)
    await start(runs)
    await handle.aclose()
    with pytest.raises(MemoryUnavailable):
        await runs.append("r", [Event(1, "token", {})])
    with pytest.raises(MemoryUnavailable):
        await collect(runs)
    await runs.aclose()
