from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, RemoveMessage
from redis.asyncio import Redis

from domain.errors import MemoryUnavailable
from settings import Settings
from stores.redis.checkpoints import ThreadSaver, open_checkpointer
from stores.redis.exchange import ScriptCall, call_together
from stores.redis.turns import FINISHED_TTL, ThreadTurns
from tests.stores.test_checkpoints import ask, chat_graph, thread


@pytest.fixture
async def saver(redis: Redis, settings: Settings) -> ThreadSaver:
    return await open_checkpointer(redis, settings)


async def said(graph: Any, name: str) -> list[str]:
    return [m.content for m in (await graph.aget_state(thread(name))).values.get("messages", [])]


async def test_a_turn_with_memory_costs_two_exchanges(saver: ThreadSaver, redis: Redis, settings: Settings) -> None:
    turns, graph = ThreadTurns(redis, settings), chat_graph(saver)
    for number in range(3):
        await redis.config_resetstat()
        async with turns.hold("t", f"r{number}", calls=[saver.reading("t")]) as turn:
            with saver.stage("t", turn.results[0]) as memory:
                await graph.ainvoke(ask(f"q{number}"), thread("t"), durability="exit")
                assert not await redis.exists("checkpoint_latest:t:__empty__") or number, "nothing is written yet"
                await turns.finish(turn, memory.calls())
        stats = await redis.info("commandstats")
        assert number == 0 or stats["cmdstat_evalsha"]["calls"] == 2
    assert await said(graph, "t") == ["q0", "answer", "q1", "answer", "q2", "answer"]
    assert len([key async for key in redis.scan_iter("checkpoint*")]) == 2
    await turns.aclose()


async def test_what_was_put_is_read_back_before_it_is_sent(saver: ThreadSaver, redis: Redis) -> None:
    graph = chat_graph(saver)
    with saver.stage("t", []) as memory:
        await graph.ainvoke({"messages": [HumanMessage("q", id="1")]}, thread("t"), durability="exit")
        await graph.aupdate_state(thread("t"), {"messages": [RemoveMessage(id="1")]}, as_node="n0")
        assert await said(graph, "t") == ["answer"]
        assert await redis.dbsize() == 0
        await call_together(redis, memory.calls())
    assert await said(graph, "t") == ["answer"]


async def test_writes_of_a_failed_step_are_kept_with_its_checkpoint(saver: ThreadSaver, redis: Redis) -> None:
    failing = True

    async def second(state: Any) -> Any:
        if failing:
            raise ValueError
        return {"seen": ["second"]}

    graph = chat_graph(saver, lambda state: {"seen": ["first"]}, second)
    with saver.stage("t", []) as memory:
        with pytest.raises(ValueError):
            await graph.ainvoke(ask("q"), thread("t"), durability="exit")
        await call_together(redis, memory.calls())
    failing = False
    assert (await graph.ainvoke(None, thread("t")))["seen"] == ["first", "second"]


async def test_what_is_not_sent_is_as_if_it_had_not_been(saver: ThreadSaver, redis: Redis) -> None:
    graph = chat_graph(saver)
    await graph.ainvoke(ask("kept"), thread("t"))
    with saver.stage("t", None):
        await graph.ainvoke(ask("lost"), thread("t"), durability="exit")
    assert await said(graph, "t") == ["kept", "answer"]


async def test_a_deleted_thread_is_empty_also_while_it_is_staged(saver: ThreadSaver, redis: Redis) -> None:
    graph = chat_graph(saver)
    await graph.ainvoke(ask("old"), thread("t"))
    [found] = await call_together(redis, [saver.reading("t")])
    with saver.stage("t", found) as memory:
        assert await said(graph, "t") == ["old", "answer"]
        await saver.adelete_thread("t")
        assert await said(graph, "t") == []
        assert not memory.calls()


async def test_a_turn_that_waits_reads_what_the_one_before_wrote(
    saver: ThreadSaver, redis: Redis, settings: Settings
) -> None:
    turns, graph = ThreadTurns(redis, settings), chat_graph(saver)

    async def take(number: int) -> None:
        async with turns.hold("t", f"r{number}", calls=[saver.reading("t")]) as turn:
            with saver.stage("t", turn.results[0]) as memory:
                await graph.ainvoke(ask(str(number)), thread("t"), durability="exit")
                await turns.finish(turn, memory.calls())

    await asyncio.gather(*(take(number) for number in range(8)))
    assert sorted(text for text in await said(graph, "t") if text != "answer") == [str(n) for n in range(8)]
    await turns.aclose()


async def test_a_failing_call_is_told_and_the_turn_is_given_back(redis: Redis, settings: Settings) -> None:
    turns = ThreadTurns(redis, settings)
    with pytest.raises(MemoryUnavailable):
        async with turns.hold("t", "r") as turn:
            await turns.finish(turn, [ScriptCall("return redis.call('NO SUCH COMMAND')", [], [])])
    (mark,) = [key async for key in redis.scan_iter()]
    assert mark == b"turn:{t}:r:0" and 0 < await redis.ttl(mark) <= FINISHED_TTL
    await turns.aclose()
