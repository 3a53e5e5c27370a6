from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from domain.errors import AnswerNotKept, MemoryUnavailable, RunLost, ThreadBusy
from settings import Settings
from stores.redis import turns as turns_module
from stores.redis.checkpoints import open_checkpointer
from stores.redis.exchange import ScriptCall, call_together
from stores.redis.server import open_redis
from stores.redis.turns import ThreadTurns, TurnStopped
from tests.stores.test_checkpoints import chat_graph, thread
from tests.stores.turns_worker import run_turns, stop_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def turns(redis: Redis, settings: Settings) -> AsyncIterator[ThreadTurns]:
    made = ThreadTurns(redis, settings)
    yield made
    await made.aclose()


async def start_worker(redis: Redis, what: str, name: str, argument: str) -> Process:
    socket = redis.connection_pool.connection_kwargs["path"]
    command = [sys.executable, "-m", "tests.stores.turns_worker", socket, what, name, argument]
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=PIPE)


def stall(seconds: float) -> None:
    """Do nothing else in this thread: other threads go on."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


async def line(process: Process) -> str:
    assert process.stdout
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()


async def hold(turns: ThreadTurns, run_id: str, log: list[str], policy: Any = "enqueue", seconds: float = 0.05) -> None:
    async with turns.hold("t", run_id, policy):
        log.append(f"+{run_id}")
        await asyncio.sleep(seconds)
        log.append(f"-{run_id}")


async def test_a_last_exchange_whose_answer_was_lost_is_sent_again_and_takes_effect_once(
    turns: ThreadTurns, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = call_together, [1, 1, 0]

    async def lossy(client: Redis, calls: Sequence[ScriptCall]) -> list[Any]:
        away, sent = failures.pop(0), len(failures) < 2
        results = await real(client, calls) if sent else []
        if away:
            raise RedisConnectionError("gone")
        return results

    count = ScriptCall("return redis.call('INCR', KEYS[1])", ["times"], [])
    async with turns.hold("t", "run") as turn:
        monkeypatch.setattr(turns_module, "call_together", lossy)
        await turns.finish(turn, [count])
    assert failures == [] and await redis.get("times") == b"1"


async def test_a_turn_that_another_run_has_taken_meanwhile_saves_nothing(turns: ThreadTurns, redis: Redis) -> None:
    count = ScriptCall("return redis.call('INCR', KEYS[1])", ["times"], [])
    async with turns.hold("t", "run") as turn:
        await redis.lset(turn._keys[0], 0, "another")
        with pytest.raises(RunLost):
            await turns.finish(turn, [count])
    assert await redis.get("times") is None


async def test_an_answer_that_could_not_be_kept_is_told(turns: ThreadTurns, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise RedisConnectionError("gone")

    monkeypatch.setattr(turns_module, "FINISH_SECONDS", 0.3)
    async with turns.hold("t", "run") as turn:
        monkeypatch.setattr(turns_module, "call_together", away)
        with pytest.raises(AnswerNotKept):
            await turns.finish(turn, [])


async def test_uncontended_turn_needs_two_commands_and_leaves_no_key(turns: ThreadTurns, redis: Redis) -> None:
    async with turns.hold("t", "warm"):
        pass
    await redis.config_resetstat()
    async with turns.hold("t", "r"):
        keys = [key async for key in redis.scan_iter()]
        assert len(keys) == 2
        assert all([0 < await redis.ttl(key) <= 30 for key in keys])
    assert await redis.dbsize() == 0
    calls = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert calls == 2


async def test_turns_are_taken_one_by_one_in_order(turns: ThreadTurns, redis: Redis) -> None:
    log: list[str] = []
    tasks = []
    async with turns.hold("t", "first"):
        for number in range(8):
            tasks.append(asyncio.create_task(hold(turns, str(number), log, seconds=0)))
            while await redis.llen("turn:{t}") < number + 2:
                await asyncio.sleep(0.005)
    await asyncio.gather(*tasks)
    assert log == [f"{sign}{number}" for number in range(8) for sign in "+-"]


async def test_waiters_are_woken_at_once(turns: ThreadTurns) -> None:
    log: list[str] = []
    started = time.monotonic()
    await asyncio.gather(*(hold(turns, str(number), log, seconds=0) for number in range(20)))
    assert time.monotonic() - started < 2 * turns_module.RECHECK_INTERVAL, (
        "twenty that look again by themselves need more"
    )
    assert len(log) == 40


async def test_threads_do_not_wait_for_each_other(turns: ThreadTurns) -> None:
    async with turns.hold("a", "1") as first, asyncio.timeout(10), turns.hold("b", "2") as second:
        assert not first.cut and not second.cut


async def test_reject_and_bounded_wait(redis: Redis, settings: Settings) -> None:
    impatient = ThreadTurns(redis, settings.model_copy(update={"thread_wait": 0.2}))
    async with impatient.hold("t", "1"):
        with pytest.raises(ThreadBusy):
            async with impatient.hold("t", "2", "reject"):
                pass
        started = time.monotonic()
        with pytest.raises(ThreadBusy):
            async with impatient.hold("t", "3"):
                pass
        assert 0.15 < time.monotonic() - started < 10
        assert await redis.llen("turn:{t}") == 1
    async with impatient.hold("t", "4", "reject"):
        pass
    await impatient.aclose()


@pytest.mark.parametrize("policy", ["interrupt", "rollback"])
async def test_interrupt_and_rollback_end_the_running_turn_and_go_first(turns: ThreadTurns, policy: Any) -> None:
    log: list[str] = []

    async def runner() -> None:
        async with turns.hold("t", "first") as turn:
            log.append(f"first {await stop_of(turn)}")

    first = asyncio.create_task(runner())
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(hold(turns, "waiting", log))
    await asyncio.sleep(0.05)
    await hold(turns, "new", log, policy)
    await asyncio.gather(first, waiting)
    assert log == [f"first {turns_module.CUTS[policy]}", "+new", "-new", "+waiting", "-waiting"]


async def test_a_run_is_stopped_before_and_while_it_waits(turns: ThreadTurns) -> None:
    await turns.request_stop("early")
    with pytest.raises(TurnStopped):
        async with turns.hold("t", "early"):
            pass
    async with turns.hold("t", "early"):
        pass
    async with turns.hold("t", "1"):
        waiting = asyncio.create_task(hold(turns, "2", []))
        await asyncio.sleep(0.05)
        await turns.request_stop("2")
        with pytest.raises(TurnStopped):
            await asyncio.wait_for(waiting, 10)


async def test_a_cancelled_waiter_leaves_the_queue(turns: ThreadTurns, redis: Redis) -> None:
    async with turns.hold("t", "1"):
        waiting = asyncio.create_task(hold(turns, "2", []))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert await redis.lrange("turn:{t}", 0, -1) == [b"1"]
    assert await redis.dbsize() == 0


async def test_a_long_turn_keeps_its_place(turns: ThreadTurns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "LEASE", 1.0)
    monkeypatch.setattr(turns_module, "RENEW_INTERVAL", 0.1)
    monkeypatch.setattr(turns_module, "RECHECK_INTERVAL", 0.05)
    log: list[str] = []
    long = asyncio.create_task(hold(turns, "long", log, seconds=2.0))
    await asyncio.sleep(0.02)
    await asyncio.gather(long, hold(turns, "next", log))
    assert log == ["+long", "-long", "+next", "-next"]


async def test_a_stalled_process_keeps_its_places(
    turns: ThreadTurns, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_module, "LEASE", 1.0)
    monkeypatch.setattr(turns_module, "RENEW_INTERVAL", 0.1)
    log: list[str] = []
    async with turns.hold("t", "first") as turn:
        waiting = [asyncio.create_task(hold(turns, name, log)) for name in "ab"]
        await asyncio.sleep(0.1)
        stall(1.5)
        assert await redis.lrange("turn:{t}", 0, -1) == [b"first", b"a", b"b"]
        leases = await redis.hgetall("turn:{t}:leases")
        assert len(leases) == 3 and min(map(float, leases.values())) > time.time() * 1000
        assert turn.cut is None
    await asyncio.gather(*waiting)
    assert log == ["+a", "-a", "+b", "-b"]


async def test_a_turn_learns_that_its_lease_is_lost(
    turns: ThreadTurns, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_module, "RENEW_INTERVAL", 0.05)
    async with turns.hold("t", "1") as turn:
        await redis.delete("turn:{t}")
        assert isinstance(await asyncio.wait_for(stop_of(turn), 2), RunLost)


async def test_a_run_on_another_process_is_stopped_at_once(turns: ThreadTurns, redis: Redis) -> None:
    worker = await start_worker(redis, "hold", "t", "far")
    assert await line(worker) == "held"
    started = time.monotonic()
    await turns.request_stop("far", "interrupted")
    assert await line(worker) == "interrupted"
    assert time.monotonic() - started < turns_module.RECHECK_INTERVAL
    assert await asyncio.wait_for(worker.wait(), 10) == 0


async def test_a_killed_process_frees_its_turn(
    turns: ThreadTurns, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert turns_module.LEASE <= 10
    monkeypatch.setattr(turns_module, "RECHECK_INTERVAL", 0.2)
    worker = await start_worker(redis, "lease", "t", "far")
    assert await line(worker) == "held"
    started = time.monotonic()
    waiting = asyncio.create_task(hold(turns, "next", []))
    await asyncio.sleep(0.1)
    worker.kill()
    await asyncio.wait_for(waiting, 5)
    assert time.monotonic() - started > 1
    await worker.wait()


async def test_32_turns_of_two_processes_lose_nothing(turns: ThreadTurns, redis: Redis, settings: Settings) -> None:
    worker = await start_worker(redis, "turns", "t", "16")
    graph = chat_graph(await open_checkpointer(redis, settings))
    await run_turns(turns, graph, "t", 16)
    _, errors = await asyncio.wait_for(worker.communicate(), 30)
    assert worker.returncode == 0, errors.decode()
    messages = (await graph.aget_state(thread("t"))).values["messages"]
    assert len(messages) == 64
    assert [type(m).__name__ for m in messages] == ["HumanMessage", "AIMessage"] * 32
    assert await redis.dbsize() == 2


async def test_missed_messages_are_made_up_for(turns: ThreadTurns, redis: Redis) -> None:
    async with turns.hold("t", "1") as turn:
        await redis.set("stop:1", "stopped")
        await redis.execute_command("CLIENT KILL", "TYPE", "pubsub")
        assert await asyncio.wait_for(stop_of(turn), 3) == "stopped"


async def test_redis_gone_is_memory_unavailable(settings: Settings) -> None:
    handle = await open_redis(settings)
    turns = ThreadTurns(handle.client, settings)
    await handle.aclose()
    with pytest.raises(MemoryUnavailable):
        async with turns.hold("t", "1"):
            pass
    await turns.aclose()
