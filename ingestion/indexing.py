"""Work that follows reading: vectors and summaries, in the background and in small steps."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque

from domain.errors import AppError, Unavailable
from domain.words import Language
from ingestion.one_by_one import OneByOne
from ingestion.summaries import Summarizer, cut_windows, summarize
from models.embeddings.interface import Embedder
from privacy.outbound import wanted_privacy
from stores.library.backlog import Backlog
from stores.library.contents import ContentGone
from stores.library.documents import Documents
from stores.library.vectors import VectorStore
from stores.people.users import calling_user
from workers.sandbox import Sandbox

logger = logging.getLogger(__name__)

BATCH = 8
"""Chunks embedded at a time: with the bundled model about 1.2 seconds of two cores."""
LONGEST_PAUSE = 60.0
CHARS_IN_THREAD = 50_000
CUTTING_SECONDS = 600.0
"""CPU time for cutting one long document into windows; ten million characters take about a minute."""


class Vectorizer:
    """Embeds chunks of contents in turn, a batch each, so that a long document does not hold up a short one."""

    def __init__(self, documents: Documents, embedder: Embedder) -> None:
        self._contents, self._backlog, self._vectors = documents.contents, documents.backlog, documents.vectors
        self._embedder = embedder
        self._queue: deque[int] = deque()
        self._done: dict[int, asyncio.Event] = {}
        self._next_done = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, content_id: int) -> None:
        """Queue the chunks of a content for embedding."""
        if self._vectors is None:
            return
        if content_id not in self._queue:
            self._queue.append(content_id)
            self._done.setdefault(content_id, asyncio.Event()).clear()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(self._vectors), name="vectors")

    async def wait(self, content_id: int) -> None:
        """Return when a content that was added has its vectors, or the embedding model does not answer."""
        if content_id in self._done:
            await self._done[content_id].wait()

    async def next_done(self, seconds: float) -> None:
        """Return when some content has its vectors, at the latest after `seconds`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._next_done.wait(), seconds)

    async def aclose(self) -> None:
        """Stop after the running batch is given up; the rest is done after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for content_id in list(self._done):
            await self._contents.release(content_id)

    async def _work(self, vectors: VectorStore) -> None:
        pause = 1.0
        while self._queue:
            content_id = self._queue.popleft()
            try:
                wanted_privacy.set(await self._backlog.privacy(content_id))
                more = await self._step(content_id, vectors)
                pause = 1.0
            except Unavailable as exc:
                logger.warning("embedding waits", extra={"error": exc.code, "seconds": pause})
                self._settle(content_id)
                self._queue.append(content_id)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            if more and content_id not in self._queue:
                self._queue.append(content_id)
            elif not more:
                self._settle(content_id)

    async def _step(self, content_id: int, vectors: VectorStore) -> bool:
        """Embed one batch; return whether there may be more."""
        try:
            batch = await self._backlog.not_embedded(content_id, BATCH)
            if not batch:
                return False
            first, count = batch[0].ordinal, batch[-1].ordinal + 1
            await vectors.add(content_id, first, await self._embedder.passages([item.text for item in batch]))
        except ContentGone:
            return False
        try:
            await self._backlog.embedded(content_id, count, self._embedder.name)
        except ContentGone:
            await vectors.delete({content_id: count})
            return False
        return True

    def _settle(self, content_id: int) -> None:
        done = self._done.pop(content_id, None)
        if done is not None:
            done.set()
        self._next_done.set()
        self._next_done = asyncio.Event()


class SummaryWriter(OneByOne):
    """Summarises long contents that have been read to their end; what is missing is written after the next start."""

    def __init__(self, backlog: Backlog, summarizer: Summarizer, threshold: int, sandbox: Sandbox) -> None:
        self._backlog = backlog
        self._sandbox = sandbox
        self._summarizer = summarizer
        self._threshold = threshold
        super().__init__("summary", self._write)

    async def _write(self, content_id: int) -> None:
        try:
            tokens, language, summary = await self._backlog.size(content_id)
            if tokens <= self._threshold or summary is not None:
                return
            wanted_privacy.set(await self._backlog.privacy(content_id))
            if not calling_user.get():  # work that a start of the server goes on with
                calling_user.set(await self._backlog.user(content_id))
            texts = await self._backlog.texts(content_id)
            wanted: Language = "zh" if language == "zh" else "en"
            await self._backlog.set_summary(content_id, await self._summary(texts, wanted))
        except ContentGone:
            return
        except AppError as exc:
            logger.warning("summary left for later", extra={"error": exc.code})

    async def _summary(self, texts: list[str], language: Language) -> str:
        """Cut long texts in a child process: seconds of computing in a thread would delay everyone's turns."""
        if sum(map(len, texts)) > CHARS_IN_THREAD:
            windows = await self._sandbox.run(cut_windows, texts, name="summary", seconds=CUTTING_SECONDS)
        else:
            windows = await asyncio.to_thread(cut_windows, texts)
        return await summarize(windows, language, self._summarizer)
