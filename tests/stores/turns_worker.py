"""A second server process for the tests of turns. Arguments: Redis socket, what to do, thread, count."""

from __future__ import annotations

import asyncio
import sys
from typing import Any
from uuid import uuid4

from langchain_core.messages import HumanMessage

from domain.runs import Cut
from settings import Settings
from stores.redis import turns as turns_module
from stores.redis.checkpoints import open_checkpointer
from stores.redis.server import open_redis
from stores.redis.turns import ThreadTurns, Turn
from tests.stores.test_checkpoints import chat_graph, thread


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def stop_of(turn: Turn) -> Cut:
    stopped = asyncio.Event()
    turn.when_stopped(lambda _: stopped.set())
    await stopped.wait()
    assert turn.cut
    return turn.cut


async def run_turns(turns: ThreadTurns, graph: Any, name: str, count: int) -> None:
    async def one(number: int) -> None:
        async with turns.hold(name, uuid4().hex):
            await graph.ainvoke({"messages": [HumanMessage(f"q{number}")]}, thread(name), durability="exit")

    await asyncio.gather(*(one(number) for number in range(count)))


async def hold_briefly_leased(turns: ThreadTurns, name: str, run_id: str) -> None:
    turns_module.LEASE = 2.0
    async with turns.hold(name, run_id):
        say("held")
        await asyncio.sleep(60)


async def hold_until_stopped(turns: ThreadTurns, name: str, run_id: str) -> None:
    async with turns.hold(name, run_id) as turn:
        say("held")
        say(str(await stop_of(turn)))


async def main(socket: str, what: str, name: str, argument: str) -> None:
    settings = Settings(redis_url=f"unix://{socket}", _env_file=None)
    async with await open_redis(settings) as handle:
        turns = ThreadTurns(handle.client, settings)
        if what == "turns":
            graph = chat_graph(await open_checkpointer(handle.client, settings))
            await run_turns(turns, graph, name, int(argument))
        elif what == "lease":
            await hold_briefly_leased(turns, name, argument)
        else:
            await hold_until_stopped(turns, name, argument)
        await turns.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
