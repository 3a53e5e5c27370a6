"""Conversations of a user with very many: what the list, a search inside and a turn's two messages take.

    python -m bench.sessions [--sessions 10000]

Each conversation has four messages in English and Chinese, words as frequent as in speech; a tenth as many belong to
another user. Printed, of 15 each: the median in milliseconds, and that of processor time, which a busy machine does not
lengthen; and the processor time of writing a turn. Exits with 1 when the list or a search takes more than 50 ms of it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from domain.owner import Owner
from settings import Settings
from stores.conversations.conversations import Conversations
from stores.conversations.entries import Listing, Message, Part, Wish
from stores.redis.old_transcripts import OldTranscript
from stores.sql.database import Database

BAR_MS = 50.0
TIMES = 15


class Nothing:
    """There is nothing to take over."""

    async def of(self, user_id: str) -> AsyncIterator[OldTranscript]:
        """Yield nothing."""
        return
        yield

    async def forget(self, owner: Owner) -> None:
        """Do nothing."""


class Talk:
    """Makes messages; the same ones each time."""

    def __init__(self) -> None:
        self._dice = random.Random(1)
        self.words = ["".join(self._dice.choices("abcdefghijklmnopqrstuvwxyz", k=n % 7 + 3)) for n in range(5000)]
        self._weights = [1 / (n + 1) for n in range(5000)]
        self.han = "".join(chr(self._dice.randint(0x4E00, 0x5FFF)) for _ in range(3000))

    def messages(self, count: int) -> list[Message]:
        """Return a conversation."""
        made: list[Message] = []
        for number in range(count):
            at = self._dice.randint(0, 2900)
            text = " ".join(self._dice.choices(self.words, self._weights, k=25)) + self.han[at : at + 30]
            made.append({"role": "assistant" if number % 2 else "user", "text": text, "run_id": f"r{number // 2}"})
        return made


async def timed(name: str, action: Callable[[], Awaitable[Any]]) -> float:
    """Print how long an action takes; return the median of its processor time in milliseconds."""
    taken, worked = [], []
    for _ in range(TIMES):
        began, worked_before = time.perf_counter(), time.process_time()
        await action()
        taken.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - worked_before) * 1000)
    print(f"{name:40}{statistics.median(taken):10.1f}{statistics.median(worked):10.1f}")
    return statistics.median(worked)


async def main(sessions: int) -> int:
    """Run the bench; return the exit status."""
    talk = Talk()
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(Settings(data_dir=Path(folder), _env_file=None))
        kept = Conversations(database, Nothing())  # type: ignore[arg-type]  # of the same methods
        for number in range(sessions + sessions // 10):
            owner = Owner("ann" if number < sessions else "bob", f"s{number}")
            await kept.add(owner, talk.messages(4), "")
        await kept.index("ann")
        await kept.index("bob")
        within = await lists(kept, talk)
        long = Owner("ann", "long")
        await kept.add(long, talk.messages(1000), "")
        await timed("the last 60 of 1,000 messages", lambda: kept.page(long, Part(limit=60, newest=True)))
        began = time.process_time()
        for _ in range(200):
            await kept.append(long, await kept.spot(long, Wish()), talk.messages(2))
        print(f"processor time of writing a turn: {(time.process_time() - began) / 200 * 1000:.2f} ms")
        await database.aclose()
    print("within the bar" if within else "ABOVE THE BAR")
    return 0 if within else 1


async def lists(kept: Conversations, talk: Talk) -> bool:
    """Time the list and searches; return whether all are within the bar."""
    print(f"{'ms':40}{'passed':>10}{'worked':>10}")
    *_, cursor = await kept.find("ann", Listing(archived=False))
    queries = {
        "a word of nearly all": talk.words[0], "a rare word": talk.words[4000],
        "the beginning of words": talk.words[9][:3], "three frequent words": " ".join(talk.words[:3]),
        "four Chinese characters": talk.han[100:104],
    }  # fmt: skip
    taken = [
        await timed("the list", lambda: kept.find("ann", Listing(archived=False))),
        await timed("its second page", lambda: kept.find("ann", Listing(archived=False, cursor=cursor))),
    ]
    for name, query in queries.items():
        taken.append(await timed(f"search: {name}", lambda query=query: kept.find("ann", Listing(query))))  # type: ignore[misc]
    return max(taken) <= BAR_MS


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Many conversations of a user.")
    parser.add_argument("--sessions", type=int, default=10_000)
    sys.exit(asyncio.run(main(parser.parse_args().sessions)))
