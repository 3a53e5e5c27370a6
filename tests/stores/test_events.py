from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from domain.errors import MemoryUnavailable, UnknownRun
from domain.owner import Owner
from settings import Settings
from stores.redis import event_reader, events
from stores.redis.event_reader import RunEvent
from stores.redis.events import RunEvents
from stores.redis.server import open_redis


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


async def start(runs: RunEvents, run_id: str = "r", tokens: int = 0, language: str = "en") -> list[str]:
    await runs.create(run_id, user_id="ann", thread_id="s", language=language)
    return [str(await runs.append(run_id, "token", {"text": f"t{number}"})) for number in range(tokens)]


async def collect(runs: RunEvents, run_id: str = "r", after: str | None = None, idle: float = 10) -> list[RunEvent]:
    async with asyncio.timeout(20):
        return [event async for event in runs.read(run_id, after, idle)]


def names(found: list[RunEvent]) -> list[str]:
    return [event.data.get("text", event.event) for event in found]


async def test_a_finished_run_is_read_whole(runs: RunEvents, other: RunEvents) -> None:
    ids = await start(runs, tokens=3)
    last = await runs.append("r", "done", {"answer": "你好"})
    found = await collect(other)
    assert names(found) == ["t0", "t1", "t2", "done"]
    assert [event.id for event in found] == [*ids, last]
    assert found[-1].data == {"answer": "你好"}


async def test_live_events_arrive_in_order_and_fast_on_another_process(runs: RunEvents, other: RunEvents) -> None:
    await start(runs, tokens=2)
    delays = []

    async def follow() -> list[str]:
        seen = []
        async for event in other.read("r"):
            seen.append(event.data.get("text", event.event))
            if "at" in event.data:
                delays.append(time.perf_counter() - event.data["at"])
        return seen

    task = asyncio.create_task(follow())
    await asyncio.sleep(0.1)
    for number in range(2, 300):
        await runs.append("r", "token", {"text": f"t{number}", "at": time.perf_counter()})
    await runs.finish("r", "stopped", {"answer": "part"})
    assert await asyncio.wait_for(task, 5) == [*(f"t{number}" for number in range(300)), "done"]
    assert sorted(delays)[len(delays) // 2] < 0.05


async def test_resuming_misses_nothing_and_repeats_nothing(runs: RunEvents, other: RunEvents) -> None:
    ids = await start(runs, tokens=5)
    task = asyncio.create_task(collect(other, after=ids[2]))
    await asyncio.sleep(0.05)
    await runs.append("r", "token", {"text": "t5"})
    end = await runs.finish("r", "done", {})
    assert names(await task) == ["t3", "t4", "t5", "done"]
    assert await collect(other, after=end) == []


async def test_there_is_one_terminal_event(runs: RunEvents) -> None:
    await start(runs)
    assert await runs.finish("r", "error", {"code": "x"})
    assert await runs.append("r", "token", {}) is None
    assert await runs.finish("r", "done", {}) is None
    assert not await runs.set_state("r", "running")
    assert names(await collect(runs)) == ["error"]


@pytest.mark.parametrize("after", ["nonsense", "99999999999999-0", "1-1", "1-", "-", "1-1-1", "9" * 40 + "-1"])
async def test_an_unknown_position_is_a_gap_and_then_everything(runs: RunEvents, after: str) -> None:
    await start(runs, tokens=2)
    await runs.finish("r", "done", {"answer": "a"})
    found = await collect(runs, after=after)
    assert names(found) == ["gap", "t0", "t1", "done"]
    assert found[0].data["state"] == "done"
    assert found[0].data["result"] == {"answer": "a"}


async def test_a_trimmed_stream_is_a_gap(runs: RunEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_EVENTS", 100)
    ids = await start(runs, tokens=500)
    await runs.finish("r", "done", {})
    for after in (None, ids[3]):
        found = await collect(runs, after=after)
        assert found[0].event == "gap"
        assert 100 <= len(found) < 400
        assert names(found)[-2:] == ["t499", "done"]
    assert names(await collect(runs, after=ids[497])) == ["t498", "t499", "done"]


async def test_an_expired_stream_gives_the_durable_result(runs: RunEvents, redis: Redis) -> None:
    ids = await start(runs, tokens=2)
    await runs.finish("r", "done", {"answer": "kept"})
    await redis.delete("run:r:events")
    for after in (None, ids[0]):
        found = await collect(runs, after=after)
        assert names(found) == ["gap", "done"]
        assert found[1].data == {"answer": "kept"}


async def test_ticks_when_nothing_happens(runs: RunEvents) -> None:
    await start(runs, tokens=1)
    task = asyncio.create_task(collect(runs, idle=0.1))
    await asyncio.sleep(0.35)
    await runs.finish("r", "done", {})
    found = names(await task)
    assert found[0] == "t0"
    assert found[-1] == "done"
    assert 2 <= found.count("tick") <= 4


async def test_record(runs: RunEvents, redis: Redis) -> None:
    assert await runs.get("r") is None
    await start(runs)
    record = await runs.get("r")
    assert record is not None
    assert (record["state"], record["user_id"], record["thread_id"]) == ("queued", "ann", "s")
    assert await runs.set_state("r", "running")
    await runs.append("r", "token", {})
    await runs.finish("r", "done", {"answer": "x"})
    record = await runs.get("r")
    assert record is not None
    assert (record["state"], record["result"]) == ("done", {"answer": "x"})
    assert record["created"] <= record["started"] <= record["finished"]
    keys = [key async for key in redis.scan_iter()]
    assert len(keys) == 2
    assert all([3590 <= await redis.ttl(key) <= 3600 for key in keys])


async def test_forget(runs: RunEvents, redis: Redis) -> None:
    await start(runs, "a", tokens=2)
    await start(runs, "b")
    await start(runs, "kept")
    for stranger in (Owner("bob", "s"), Owner("ann", "other")):
        assert await runs.forget(["a", "b"], stranger) == 0
    assert await runs.forget(["a", "b", "none"], Owner("ann", "s")) == 3
    assert await runs.forget([], Owner("ann", "s")) == 0
    assert await runs.get("a") is None
    assert [key async for key in redis.scan_iter()] == [b"run:kept"]


async def test_unknown_run(runs: RunEvents) -> None:
    with pytest.raises(UnknownRun):
        await collect(runs, "none")


@pytest.mark.parametrize(("language", "word"), [("en", "Send"), ("zh", "重新发送")])
async def test_a_run_whose_process_is_gone_ends_in_error(
    redis: Redis, settings: Settings, other: RunEvents, monkeypatch: pytest.MonkeyPatch, language: str, word: str
) -> None:
    monkeypatch.setattr(events, "LOST_AFTER", 0.3)
    monkeypatch.setattr(event_reader, "LOOK_INTERVAL", 0.1)
    gone = RunEvents(redis, settings)
    await start(gone, tokens=1, language=language)
    task = asyncio.create_task(collect(other))
    await gone.aclose()
    found = await asyncio.wait_for(task, 5)
    assert names(found) == ["t0", "error"]
    assert found[1].data["code"] == "run_lost"
    assert word in found[1].data["remedy"]
    record = await other.get("r")
    assert record is not None
    assert record["state"] == "error"


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
        await runs.append("r", "token", {"text": f"t{number}"})
        await asyncio.sleep(0.02)
    await runs.finish("r", "done", {})
    assert names(await task) == ["t0", "t1", "t2", "t3", "t4", "t5", "done"]


async def test_a_slow_reader_reads_the_stream_again(runs: RunEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_reader, "BACKLOG", 10)
    await start(runs, tokens=1)
    seen = []
    async for event in runs.read("r"):
        if not seen:
            for number in range(1, 100):
                await runs.append("r", "token", {"text": f"t{number}"})
            await runs.finish("r", "done", {})
            await asyncio.sleep(0.05)
        seen.append(event)
    assert names(seen) == [*(f"t{number}" for number in range(100)), "done"]


async def test_500_open_streams_need_one_more_connection(runs: RunEvents, other: RunEvents, redis: Redis) -> None:
    await asyncio.gather(*(start(runs, f"r{number}") for number in range(500)))
    tasks = [asyncio.create_task(collect(other, f"r{number}")) for number in range(500)]
    await asyncio.sleep(0.5)
    clients = (await redis.info("clients"))["connected_clients"]
    assert clients <= 64 + 4
    assert await redis.ping()
    for number in range(500):
        await runs.append(f"r{number}", "token", {"text": "x"})
        await runs.finish(f"r{number}", "done", {})
    found = await asyncio.wait_for(asyncio.gather(*tasks), 20)
    assert all(names(each) == ["x", "done"] for each in found)


async def test_redis_gone_is_memory_unavailable(settings: Settings) -> None:
    handle = await open_redis(settings)
    runs = RunEvents(handle.client, settings)
    await start(runs)
    await handle.aclose()
    with pytest.raises(MemoryUnavailable):
        await runs.append("r", "token", {})
    with pytest.raises(MemoryUnavailable):
        await collect(runs)
    await runs.aclose()
