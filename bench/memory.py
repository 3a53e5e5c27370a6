"""What a turn costs when its thread is long: turn 20 against turn 1,000, on the embedded Redis.

Each turn is two messages of 500 tokens and does what the server does around one: takes the thread's turn, runs a graph
of five nodes with the checkpointer, whose last node keeps the window bounded, and stores a
prepared summary when messages left the window. The window grows from 8 to 16 turns and is cut back.

A long thread is brought to turn 960. Its last 40 turns alternate with turns 13 to 20 of five new threads: whatever else
the machine does meets both alike, and both see the same part of the window's cycle. Milliseconds are medians, the rest
means. Exits with 1 when a ratio is above the bar.

    python -m bench.memory [--turns 1000]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from redis.asyncio import Redis
from typing_extensions import TypedDict

from domain.owner import Owner
from settings import Settings
from stores.redis.checkpoints import ThreadSaver, open_checkpointer
from stores.redis.server import open_redis
from stores.redis.summaries import Summaries
from stores.redis.turns import ThreadTurns

BAR = 1.3
MOST_KEYS = 3
WINDOW_MESSAGES = (16, 32)
"""Messages left after a cut, and messages at which the window is cut."""
CYCLE = (WINDOW_MESSAGES[1] - WINDOW_MESSAGES[0]) // 2
EARLY = 20
NEW_THREADS = 5


class Chat(TypedDict, total=False):
    """State with a bounded window."""

    messages: Annotated[list[AnyMessage], add_messages]
    summary: str


@dataclass(frozen=True)
class Cost:
    """What one turn cost: `commands` as Redis counts them, those inside scripts included; `keys` of the thread."""

    ms: float
    cpu_ms: float
    kilobytes: float
    commands: int
    keys: int


COLUMNS = {
    "ms": ("ms", statistics.median),
    "cpu_ms": ("ms of CPU", statistics.median),
    "kilobytes": ("kB written", statistics.mean),
    "commands": ("commands", statistics.mean),
    "keys": ("keys", statistics.mean),
}


def text(words: random.Random) -> str:
    """Return about 500 tokens."""
    return " ".join("".join(words.choices("abcdefghijklmnop", k=words.randint(2, 7))) for _ in range(380))


def build(saver: ThreadSaver, words: random.Random) -> Any:
    """Compile a graph of five nodes; the last one cuts the window."""

    async def nothing(_: Chat) -> Chat:
        return {}

    async def answer(_: Chat) -> Chat:
        return {"messages": [AIMessage(text(words))]}

    async def remember(state: Chat) -> Chat:
        low, high = WINDOW_MESSAGES
        if len(state["messages"]) <= high:
            return {}
        gone: list[Any] = [RemoveMessage(id=str(message.id)) for message in state["messages"][:-low]]
        return {"messages": gone, "summary": text(words)}

    graph = StateGraph(Chat)
    steps: dict[str, Any] = {
        "detect": nothing,
        "recall": nothing,
        "select": nothing,
        "answer": answer,
        "remember": remember,
    }
    for name, step in steps.items():
        graph.add_node(name, step)
    for first, second in zip([START, *steps], [*steps, END], strict=True):
        graph.add_edge(first, second)
    return graph.compile(checkpointer=saver)


class Server:
    """The parts of a server that a turn uses."""

    def __init__(self, redis: Redis, settings: Settings, saver: ThreadSaver) -> None:
        self._words = random.Random(0)
        self.redis = redis
        self._graph = build(saver, self._words)
        self.turns = ThreadTurns(redis, settings)
        self._summaries = Summaries(redis, settings)

    async def turn(self, owner: Owner) -> None:
        """Do what the server does for one message."""
        question, run_id = text(self._words), uuid4().hex
        config = {"configurable": {"thread_id": owner.memory_key}}
        async with self.turns.hold(owner.memory_key, run_id):
            result = await self._graph.ainvoke({"messages": [HumanMessage(question)]}, config, durability="exit")
        if "summary" in result and len(result["messages"]) == WINDOW_MESSAGES[0]:
            await self._summaries.put(owner.memory_key, result["summary"], [])

    async def measured(self, owner: Owner) -> Cost:
        """Do a turn and tell what it cost."""
        before = await self.redis.info()
        started, cpu = time.perf_counter(), time.process_time()
        await self.turn(owner)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
        after = await self.redis.info()
        return Cost(
            ms=seconds * 1000,
            cpu_ms=cpu_seconds * 1000,
            kilobytes=(after["total_net_input_bytes"] - before["total_net_input_bytes"]) / 1000,
            commands=after["total_commands_processed"] - before["total_commands_processed"] - 1,
            keys=len(await self.keys(owner)),
        )

    async def keys(self, owner: Owner) -> list[bytes]:
        """Return the keys of a thread."""
        return [key async for key in self.redis.scan_iter(match=f"*{owner.memory_key}*")]


async def compare(server: Server, long: Owner, turns: int) -> tuple[list[Cost], list[Cost]]:
    """Return the costs of turns 13 to 20 of new threads and of the last turns of the long one, in alternation."""
    new = [Owner("bench", f"new-{number}") for number in range(NEW_THREADS)]
    for owner in new:
        for _ in range(EARLY - CYCLE):
            await server.turn(owner)
    for _ in range(turns - NEW_THREADS * CYCLE):
        await server.turn(long)
    early, late = [], []
    for owner in new:
        for _ in range(CYCLE):
            early.append(await server.measured(owner))
            late.append(await server.measured(long))
    return early, late


def table(early: list[Cost], late: list[Cost], turns: int) -> bool:
    """Print the figures; return whether all ratios are within the bar."""
    print(f"{'a turn':16}{f'at {EARLY}':>12}{f'at {turns}':>12}{'ratio':>8}")
    within = True
    for field, (name, average) in COLUMNS.items():
        old, new = (average([getattr(cost, field) for cost in costs]) for costs in (early, late))
        within &= new <= BAR * old
        print(f"{name:16}{old:12.2f}{new:12.2f}{new / old:8.2f}")
    return within


async def main(turns: int) -> int:
    """Run the bench; return the exit status."""
    long = Owner("bench", "long")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), _env_file=None)
        async with await open_redis(settings) as handle:
            server = Server(handle.client, settings, await open_checkpointer(handle.client, settings))
            within = table(*await compare(server, long, turns), turns)
            await server.turns.aclose()
            idle = [key for key in await server.keys(long) if not key.startswith(b"session")]
            lasting = [key async for key in handle.client.scan_iter() if await handle.client.ttl(key) < 0]
            held = [await handle.client.memory_usage(key, samples=0) or 0 for key in idle]
    print(f"keys: {len(idle)} ({sum(held) / 1e3:.0f} kB); keys without TTL: {len(lasting)}")
    passed = within and len(idle) <= MOST_KEYS and not lasting
    print("within the bar" if passed else "ABOVE THE BAR")
    return 0 if passed else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Cost of a turn in a long thread.")
    parser.add_argument("--turns", type=int, default=1000)
    sys.exit(asyncio.run(main(parser.parse_args().turns)))
