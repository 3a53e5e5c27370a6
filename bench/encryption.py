"""What ENCRYPTION_KEY costs: the storage of a turn, of a document and of its tables, plain and encrypted in turns.

    python -m bench.encryption [--rounds N] [--plain]

Prints milliseconds of processor time (of all threads) for each, and the ratio. `--plain` measures the plain side alone,
for a comparison with another version. Nothing is read, embedded or answered: that takes the same time either way.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from domain.owner import Owner
from models.embeddings.registry import MissingEmbedder
from readers.interface import Outline
from settings import Settings
from stores.conversations.conversations import Conversations
from stores.conversations.entries import Entry, Wish
from stores.library.documents import Documents
from stores.library.pages import Chunk, PageText
from stores.redis.old_transcripts import OldTranscripts
from stores.sql.database import Database

TURNS, PAGES, FILE_BYTES, SEARCHES = 200, 200, 5_000_000, 50
PARAGRAPH = "The tenant gives nine weeks of notice in writing; the deposit of 2,480 pounds is paid back after that. "


class Nothing:
    """Stands for the transcripts that an older version left: none."""

    async def of(self, _: str) -> AsyncIterator[None]:
        """Yield nothing."""
        return
        yield


class Side:
    """The stores of one installation."""

    def __init__(self, documents: Documents, conversations: Conversations) -> None:
        self.documents, self.conversations = documents, conversations

    @classmethod
    async def open(cls, folder: Path, stack: AsyncExitStack, **keys: Any) -> Side:
        """Open them below a folder."""
        settings = Settings(data_dir=folder, _env_file=None, **keys)
        database = await Database.open(settings)
        stack.push_async_callback(database.aclose)
        return cls(
            await Documents.open(settings, database, MissingEmbedder()),
            Conversations(database, cast(OldTranscripts, Nothing())),
        )

    async def turns(self) -> None:
        """Write and read the rows of `TURNS` turns of a conversation."""
        owner = Owner("me", uuid4().hex)
        for number in range(TURNS):
            place = await self.conversations.spot(owner, Wish())
            asked = Entry(role="user", text=f"Question {number}? {PARAGRAPH}", run_id=f"r{number}")
            place = await self.conversations.append(owner, place, [asked], running=f"r{number}")
            answer = Entry(role="assistant", text=PARAGRAPH * 5, run_id=f"r{number}")
            await self.conversations.append(owner, place, [answer])

    async def document(self) -> None:
        """Store a file of 5 MB, its pages and its index, and search it."""
        owner = Owner("me", uuid4().hex)
        ref = await self.documents.attachments.put(uuid4().bytes * (FILE_BYTES // 16), name="lease.txt", owner=owner)
        contents = self.documents.contents
        content, _ = await contents.open(ref, key=ref["sha256"], origin="document", language="en")
        await contents.claim(content)
        await contents.outline(content, Outline("text/plain", "page", PAGES))
        text = PARAGRAPH * 25
        for first in range(1, PAGES, 20):
            pages = [PageText(number, "", text) for number in range(first, first + 20)]
            chunks = [Chunk(page.number, at * 600, at * 600 + 600, text[at * 600 :][:600], 150, "")
                      for page in pages for at in range(4)]  # fmt: skip
            await contents.add_pages(content, pages, chunks, [])
        await contents.finish(content, language="en")
        for _ in range(SEARCHES):
            await self.documents.search("deposit of the tenant", owner, mode="keyword")
        await self.documents.attachments.read(ref)


async def cost(work: Callable[[], Awaitable[None]]) -> float:
    """Return the milliseconds of processor time that `work` takes."""
    began = time.process_time()
    await work()
    return (time.process_time() - began) * 1000


async def measure(rounds: int, plain_only: bool) -> None:
    """Take both sides in turns and print medians."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sides = {"plain": await Side.open(folder / "plain", stack)}
        if not plain_only:
            sides["encrypted"] = await Side.open(folder / "encrypted", stack, encryption_key="k" * 40)
        for what in ("turns", "document"):
            taken: dict[str, list[float]] = {name: [] for name in sides}
            for _ in range(rounds):
                for name, side in sides.items():
                    taken[name].append(await cost(getattr(side, what)))
            medians = {name: statistics.median(values) for name, values in taken.items()}
            ratio = f", {medians['encrypted'] / medians['plain']:.2f} times" if "encrypted" in medians else ""
            shown = ", ".join(f"{name} {value:.0f} ms" for name, value in medians.items())
            sys.stdout.write(f"{what}: {shown}{ratio}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--plain", action="store_true")
    given = parser.parse_args()
    asyncio.run(measure(given.rounds, given.plain))
