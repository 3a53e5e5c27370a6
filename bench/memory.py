"""What a turn costs when its thread is long: turn 20 against turn 1,000, on the embedded Redis.

Each turn is two messages of 500 tokens and does what the server does around one: takes the thread's turn, runs a graph
of five nodes with the checkpointer, whose last node keeps the window bounded, appends to the transcript, and stores a
prepared summary when messages left the window. Figures are means over one cycle of the window (it grows from 8 to 16
turns and is cut back), ending at the turn that is named. Exits with 1 when a ratio is above the bar.

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

from settings import Settings
from stores.checkpoints import ThreadSaver, open_checkpointer
from stores.ownership import Owner
from stores.redis_server import open_redis
from stores.summaries import Summaries
from stores.transcripts import Transcripts
from stores.turns import ThreadTurns

BAR = 1.3
MOST_KEYS = 3
WINDOW_MESSAGES = (16, 32)
"""Messages left after a cut, and messages at which the window is cut."""
CYCLE = (WINDOW_MESSAGES[1] - WINDOW_MESSAGES[0]) // 2
EARLY = 20
OWNER = Owner("bench", "thread")
NAMES = {"ms": "ms", "kilobytes": "kB written", "commands": "commands", "keys": "keys"}


class Chat(TypedDict, total=False):
    """State with a bounded window."""

    messages: Annotated[list[AnyMessage], add_messages]
    summary: str


@dataclass(frozen=True)
class Cost:
    """What one turn cost: `commands` as Redis counts them, those inside scripts included; `keys` after it."""

    ms: float
    kilobytes: float
    commands: int
    keys: int


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


class Bench:
    """One thread, turn after turn."""

    def __init__(self, redis: Redis, settings: Settings, saver: ThreadSaver) -> None:
        self._words = random.Random(0)
        self._redis = redis
        self._graph = build(saver, self._words)
        self.turns = ThreadTurns(redis, settings)
        self._transcripts = Transcripts(redis, settings)
        self._summaries = Summaries(redis, settings)

    async def turn(self) -> None:
        """Do what the server does for one message."""
        question, run_id = text(self._words), uuid4().hex
        config = {"configurable": {"thread_id": OWNER.memory_key}}
        async with self.turns.hold(OWNER.memory_key, run_id):
            result = await self._graph.ainvoke({"messages": [HumanMessage(question)]}, config, durability="exit")
            await self._transcripts.append_turn(
                OWNER,
                {"role": "user", "text": question, "run_id": run_id},
                {"role": "assistant", "text": result["messages"][-1].text, "run_id": run_id, "state": "done"},
            )
        if "summary" in result and len(result["messages"]) == WINDOW_MESSAGES[0]:
            await self._summaries.put(OWNER.memory_key, result["summary"], [])

    async def measured(self) -> Cost:
        """Do a turn and tell what it cost."""
        before = await self._redis.info()
        started = time.perf_counter()
        await self.turn()
        seconds = time.perf_counter() - started
        after = await self._redis.info()
        return Cost(
            ms=seconds * 1000,
            kilobytes=(after["total_net_input_bytes"] - before["total_net_input_bytes"]) / 1000,
            commands=after["total_commands_processed"] - before["total_commands_processed"] - 1,
            keys=await self._redis.dbsize(),
        )


async def keys_of_thread(redis: Redis) -> tuple[list[str], list[str]]:
    """Return the keys besides the transcript, and the keys that never expire."""
    keys = [key.decode() async for key in redis.scan_iter()]
    lasting = [key for key in keys if await redis.ttl(key) < 0]
    return [key for key in keys if not key.startswith("session")], lasting


def table(early: list[Cost], late: list[Cost], turns: int) -> bool:
    """Print the figures; return whether all ratios are within the bar."""
    print(f"{'mean of a turn':16}{f'at {EARLY}':>12}{f'at {turns}':>12}{'ratio':>8}")
    within = True
    for field, name in NAMES.items():
        old, new = (statistics.mean(getattr(cost, field) for cost in costs) for costs in (early, late))
        within &= new <= BAR * old
        print(f"{name:16}{old:12.2f}{new:12.2f}{new / old:8.2f}")
    return within


async def main(turns: int) -> int:
    """Run the bench; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), _env_file=None)  # type: ignore[call-arg]
        async with await open_redis(settings) as handle:
            bench = Bench(handle.client, settings, await open_checkpointer(handle.client, settings))
            costs = [await bench.measured() for _ in range(turns)]
            await bench.turns.aclose()
            within = table(costs[EARLY - CYCLE : EARLY], costs[-CYCLE:], turns)
            idle, lasting = await keys_of_thread(handle.client)
            memory = await handle.client.info("memory")
    print(f"keys besides the transcript: {len(idle)}; keys without TTL: {len(lasting)}")
    print(f"Redis memory after {turns} turns: {memory['used_memory'] / 1e6:.1f} MB, transcript included")
    passed = within and len(idle) <= MOST_KEYS and not lasting
    print("within the bar" if passed else "ABOVE THE BAR")
    return 0 if passed else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Cost of a turn in a long thread.")
    parser.add_argument("--turns", type=int, default=1000)
    sys.exit(asyncio.run(main(parser.parse_args().turns)))
