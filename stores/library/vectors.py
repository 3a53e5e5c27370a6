"""Dense vectors in Chroma: embedded below DATA_DIR, or a server at CHROMA_URL. Only ids and vectors are kept there.

Search over what one owner sees is exact: the vectors of those contents are taken from Chroma by id, kept in a bounded
cache, and multiplied. That is faster and more complete than Chroma's filtered HNSW query, which at 100,000 vectors and
a filter that admits 500 took 42 ms with a recall of 0.98; taking those 500 by id took 16 ms, once. Owners with
more than `EXACT_LIMIT` chunks go through HNSW.
"""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from domain.errors import DiskFull, Unavailable
from domain.words import Words
from models.embeddings.interface import Embedder, Vectors
from settings import Settings
from stores.disk import is_disk_full

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from chromadb.api.types import GetResult, Where

T = TypeVar("T")
EXACT_LIMIT = 20_000
CACHE_BYTES = 192 * 1024 * 1024
BATCH = 1000
THREADS = 2
OVERWRITTEN = 32
"""Vectors that are overwritten at a time: searches wait meanwhile."""
SYNC_THRESHOLD = 1000
"""Operations after which Chroma writes its index: what it does unless it is told otherwise."""
VACUUM = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=60).execute('VACUUM')"
VACUUM_SECONDS = 600
M_PERTURB = -6
"""Parameter of glibc's mallopt(3): memory is filled when it is allocated and overwritten when it is freed."""
NO_ANSWER = Words("the vector store does not answer", "向量库没有响应")


class VectorStore:
    """Vectors by (content id, ordinal) in one Chroma collection per catalog and embedding model."""

    def __init__(self, client: ClientAPI, collection: Collection, dimensions: int, folder: Path | None) -> None:
        """Use `open` instead."""
        self._folder = folder
        self._client = client
        self._collection = collection
        self._dimensions = dimensions
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="vectors")
        self._cache: OrderedDict[int, Vectors] = OrderedDict()
        self._cached_bytes = 0
        self._guard = threading.Lock()

    @classmethod
    async def open(cls, settings: Settings, embedder: Embedder, catalog_uid: str) -> VectorStore:
        """Open the collection of this catalog and embedding model, and drop those of its former models.

        Raises:
            Unavailable: The Chroma server does not answer.
        """
        client, collection = await asyncio.to_thread(_open, settings, embedder, catalog_uid)
        folder = None if settings.chroma_url else settings.data_dir / "chroma"
        return cls(client, collection, embedder.dimensions, folder)

    async def add(self, content_id: int, first: int, vectors: Vectors) -> None:
        """Store the vectors of chunks `first`, `first + 1`, ... of a content; storing them again changes nothing."""
        ids = [_id(content_id, first + number) for number in range(len(vectors))]
        metadatas = [{"content": content_id}] * len(ids)

        def write() -> None:
            for start in range(0, len(ids), BATCH):
                part = slice(start, start + BATCH)
                self._collection.upsert(ids=ids[part], embeddings=vectors[part], metadatas=metadatas[part])  # type: ignore[arg-type]

        await self._run(write)

    async def search(
        self, sizes: dict[int, int], query: Vectors, limit: int
    ) -> tuple[list[tuple[int, int]], NDArray[np.float32]]:
        """Return the (content id, ordinal) and cosine of the `limit` nearest chunks.

        Args:
            sizes: How many vectors each content to be searched has.
            query: Unit vector of shape (dimensions,).
            limit: Most chunks to return.
        """
        sizes = {content_id: size for content_id, size in sizes.items() if size}
        if not sizes:
            return [], np.zeros(0, np.float32)
        find = self._exact if sum(sizes.values()) <= EXACT_LIMIT else self._approximate
        return await self._run(lambda: find(sizes, query, limit))

    async def delete(self, sizes: dict[int, int]) -> None:
        """Remove the vectors of contents, each of which may have up to so many of them, from the disk as well.

        Chroma marks what is deleted and keeps it in its files, so it is overwritten first, which takes 4 to 12 ms a
        vector. The files of a Chroma server are left to its operator.
        """
        ids = [_id(content_id, number) for content_id, size in sizes.items() for number in range(size)]
        with self._guard:
            for content_id in sizes:
                gone = self._cache.pop(content_id, None)
                self._cached_bytes -= 0 if gone is None else gone.nbytes
        for start in range(0, len(ids) if self._folder else 0, OVERWRITTEN):
            await self._run(partial(self._overwrite, ids[start : start + OVERWRITTEN]))
        for start in range(0, len(ids), BATCH):
            await self._run(partial(self._collection.delete, ids=ids[start : start + BATCH]))
        if ids and self._folder:
            await self._run(self._purge)

    async def count(self, sizes: dict[int, int]) -> int:
        """Return how many vectors the contents have in Chroma; `sizes` bounds the ordinals that are asked for."""

        def ask() -> int:
            found = 0
            ids = [_id(content_id, number) for content_id, size in sizes.items() for number in range(size)]
            for start in range(0, len(ids), BATCH):
                found += len(self._collection.get(ids=ids[start : start + BATCH], include=[])["ids"])
            return found

        return await self._run(ask)

    async def aclose(self) -> None:
        """Finish running calls and close an embedded Chroma."""
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._client.close)  # type: ignore[attr-defined]  # its interface leaves it out

    async def _run(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _guarded, call)

    def _overwrite(self, ids: list[str]) -> None:
        found = self._collection.get(ids=ids, include=[])["ids"]
        if found:
            noise = np.random.default_rng().standard_normal((len(found), self._dimensions)).astype(np.float32)
            noise /= np.linalg.norm(noise, axis=1, keepdims=True)
            self._collection.update(ids=found, embeddings=noise)

    def _purge(self) -> None:
        """Have Chroma write its index, which it does after so many operations, and leave nothing in its database."""
        self._collection.delete(ids=[f"none:{number}" for number in range(SYNC_THRESHOLD)])
        # Chroma has an SQLite of its own: a second one in the same process would free its locks and damage the file.
        file = str(cast(Path, self._folder) / "chroma.sqlite3")
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", VACUUM, file], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env={name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
            timeout=VACUUM_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            raise ConnectionError(done.stderr.strip().rpartition("\n")[2])

    def _exact(
        self, sizes: dict[int, int], query: Vectors, limit: int
    ) -> tuple[list[tuple[int, int]], NDArray[np.float32]]:
        self._load(sizes)
        with self._guard:
            blocks = [(content_id, self._cache[content_id]) for content_id in sizes if content_id in self._cache]
            for content_id, _ in blocks:
                self._cache.move_to_end(content_id)
        if not blocks:
            return [], np.zeros(0, np.float32)
        scores = np.concatenate([block @ query for _, block in blocks])
        best = np.argpartition(-scores, min(limit, len(scores)) - 1)[:limit]
        best = best[np.argsort(-scores[best], kind="stable")]
        offsets = np.cumsum([0, *(len(block) for _, block in blocks)])
        places = np.searchsorted(offsets, best, side="right") - 1
        chunks = [(blocks[place][0], int(spot - offsets[place])) for place, spot in zip(places, best, strict=True)]
        self._shrink()
        return chunks, scores[best]

    def _load(self, sizes: dict[int, int]) -> None:
        """Bring the vectors that are not cached yet."""
        with self._guard:
            have = {content_id: len(self._cache.get(content_id, ())) for content_id in sizes}
        missing = [(c, n) for c, size in sizes.items() for n in range(have[c], size)]
        for start in range(0, len(missing), BATCH):
            ids = [_id(c, n) for c, n in missing[start : start + BATCH]]
            self._remember(self._collection.get(ids=ids, include=["embeddings"]))

    def _remember(self, found: GetResult) -> None:
        grouped: dict[int, list[tuple[int, Vectors]]] = {}
        for row, vector in zip(found["ids"], np.asarray(found["embeddings"], np.float32), strict=True):
            content_id, ordinal = _place(row)
            grouped.setdefault(content_id, []).append((ordinal, vector))
        with self._guard:
            for content_id, items in grouped.items():
                self._append(content_id, sorted(items, key=lambda item: item[0]))

    def _append(self, content_id: int, items: list[tuple[int, Vectors]]) -> None:
        """Extend a cached block by the vectors that follow it without a hole."""
        block = self._cache.get(content_id, np.zeros((0, self._dimensions), np.float32))
        fresh: list[Vectors] = []
        for ordinal, vector in items:
            if ordinal == len(block) + len(fresh):
                fresh.append(vector)
        if fresh:
            self._cache[content_id] = np.vstack([block, *fresh])
            self._cached_bytes += len(fresh) * self._dimensions * 4

    def _shrink(self) -> None:
        with self._guard:
            while self._cached_bytes > CACHE_BYTES and len(self._cache) > 1:
                self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes

    def _approximate(
        self, sizes: dict[int, int], query: Vectors, limit: int
    ) -> tuple[list[tuple[int, int]], NDArray[np.float32]]:
        admitted = cast("Where", {"content": {"$in": [*sizes]}})
        found = self._collection.query(
            query_embeddings=query[None, :], n_results=limit, where=admitted, include=["distances"]
        )
        chunks = [_place(row) for row in found["ids"][0]]
        return chunks, 1 - np.asarray((found["distances"] or [[]])[0], np.float32)


def _wipe_memory() -> None:
    """Make the C library wipe memory when it is freed and allocated, where it can (glibc).

    Chroma writes its HNSW blocks to disk with their unused part, which is whatever the process had there before:
    without this, text of deleted documents was found in `data_level0.bin`.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_PERTURB, 255)


def _open(settings: Settings, embedder: Embedder, catalog_uid: str) -> tuple[ClientAPI, Collection]:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    quiet = ChromaSettings(anonymized_telemetry=False)
    try:
        if settings.chroma_url:
            url = urlsplit(settings.chroma_url)
            secure = url.scheme == "https"
            port = url.port or (443 if secure else 8000)
            client = chromadb.HttpClient(host=url.hostname or "localhost", port=port, ssl=secure, settings=quiet)
        else:
            _wipe_memory()
            folder = settings.data_dir / "chroma"
            folder.mkdir(parents=True, exist_ok=True)
            client = chromadb.PersistentClient(path=folder, settings=quiet)
        family = f"chunks-{catalog_uid[:12]}-"
        model = hashlib.sha256(f"{embedder.name}:{embedder.dimensions}".encode()).hexdigest()[:12]
        collection = client.get_or_create_collection(
            family + model, embedding_function=None, configuration={"hnsw": {"space": "ip"}}
        )
        for other in client.list_collections():
            if other.name.startswith(family) and other.name != collection.name:
                client.delete_collection(other.name)
    except _chroma_errors() as exc:
        raise DiskFull() if is_disk_full(exc) else Unavailable(reason=NO_ANSWER) from exc
    return client, collection


def _guarded(call: Callable[[], T]) -> T:
    try:
        return call()
    except _chroma_errors() as exc:
        raise DiskFull() if is_disk_full(exc) else Unavailable(reason=NO_ANSWER) from exc


def _chroma_errors() -> tuple[type[Exception], ...]:
    import httpx
    from chromadb.errors import ChromaError

    return ChromaError, httpx.HTTPError, ConnectionError, ValueError, subprocess.TimeoutExpired


def _id(content_id: int, ordinal: int) -> str:
    return f"{content_id}:{ordinal}"


def _place(row: str) -> tuple[int, int]:
    content_id, _, ordinal = row.partition(":")
    return int(content_id), int(ordinal)
