"""Vectors in a real Chroma: exact and approximate search, deletion, a server that is away."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing

import numpy as np
import pytest
import pytest_asyncio

from domain.errors import Unavailable
from models.embeddings.interface import Vectors
from settings import Settings
from stores.library import vectors as module
from stores.library.vectors import VectorStore
from tests.library import BagEmbedder

RANDOM = np.random.default_rng(3)


def unit(count: int) -> Vectors:
    raw = RANDOM.normal(size=(count, BagEmbedder.dimensions)).astype(np.float32)
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)


@pytest_asyncio.fixture
async def store(settings: Settings) -> AsyncIterator[VectorStore]:
    opened = await VectorStore.open(settings, BagEmbedder(), "c" * 32)
    yield opened
    await opened.aclose()


async def test_nearest_first_within_the_scope(store: VectorStore) -> None:
    mine, other = unit(30), unit(5)
    await store.add(1, 0, mine[:20])
    await store.add(2, 0, other)
    assert (await store.search({1: 20}, mine[4], 3))[0][0] == (1, 4)
    await store.add(1, 20, mine[20:])
    found, cosines = await store.search({1: 30}, mine[25], 5)
    assert found[0] == (1, 25)
    assert list(cosines) == sorted(cosines, reverse=True)
    assert cosines[0] == pytest.approx(1.0, abs=1e-5)
    assert [content for content, _ in (await store.search({1: 30}, other[0], 50))[0]] == [1] * 30
    assert (await store.search({}, mine[0], 5))[0] == []


async def test_large_scopes_go_through_the_index(store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = unit(200)
    await store.add(1, 0, stored)
    await store.add(2, 0, unit(50))
    exact, cosines = await store.search({1: 200}, stored[9], 10)
    monkeypatch.setattr(module, "EXACT_LIMIT", 10)
    near, approximate = await store.search({1: 200}, stored[9], 10)
    assert near[0] == (1, 9)
    assert len(set(near) & set(exact)) >= 8
    assert approximate[0] == pytest.approx(cosines[0], abs=1e-4)


async def test_cache_is_bounded(store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE_BYTES", 20 * BagEmbedder.dimensions * 4)
    stored = {content: unit(15) for content in (1, 2, 3)}
    for content, block in stored.items():
        await store.add(content, 0, block)
    for content, block in [*stored.items(), *stored.items()]:
        assert (await store.search({content: 15}, block[3], 1))[0] == [(content, 3)]


@pytest.mark.parametrize("others", [20, 1200], ids=["not yet in the index", "in the index"])
async def test_deleted_vectors_are_gone_from_the_files_too(store: VectorStore, settings: Settings, others: int) -> None:
    block, kept = unit(40), unit(others)
    await store.add(1, 0, block)
    await store.add(2, 0, kept)
    await store.search({1: 40}, block[0], 5)
    assert await store.count({1: 40}) == 40
    assert on_disk(settings, block) and on_disk(settings, kept)
    await store.delete({1: 40, 3: 2})
    assert await store.count({1: 40}) == 0
    assert (await store.search({1: 40}, block[0], 5))[0] == []
    assert not on_disk(settings, block)
    assert (await store.search({2: others}, kept[3], 1))[0] == [(2, 3)]
    await store.delete({2: 20})
    assert not on_disk(settings, kept[:20])


async def test_vectors_are_added_while_others_are_deleted(store: VectorStore, settings: Settings) -> None:
    async def add(content: int) -> None:
        for number in range(20):
            await store.add(content + number, 0, unit(5))

    async def delete(content: int) -> None:
        for number in range(4):
            await store.add(content + number, 0, unit(5))
            await store.delete({content + number: 5})

    await asyncio.gather(add(100), add(200), delete(300), delete(400))
    assert await store.count({first + number: 5 for first in (100, 200) for number in range(20)}) == 200
    assert await store.count({first + number: 5 for first in (300, 400) for number in range(4)}) == 0
    await store.aclose()
    with closing(sqlite3.connect(settings.data_dir / "chroma" / "chroma.sqlite3")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def on_disk(settings: Settings, block: Vectors) -> int:
    """Return how many of these vectors are in files: 16 bytes of each are looked for."""
    files = [path.read_bytes() for path in settings.data_dir.rglob("*") if path.is_file()]
    return sum(any(vector[:4].tobytes() in data for data in files) for vector in block)


async def test_vectors_outlive_the_process_and_another_models_are_dropped(settings: Settings) -> None:
    block = unit(3)
    first = await VectorStore.open(settings, BagEmbedder(), "c" * 32)
    await first.add(1, 0, block)
    await first.aclose()
    again = await VectorStore.open(settings, BagEmbedder(), "c" * 32)
    assert await again.count({1: 3}) == 3
    await again.aclose()
    other = await VectorStore.open(settings, BagEmbedder("other"), "c" * 32)
    assert await other.count({1: 3}) == 0
    await other.aclose()


async def test_server_that_is_away_is_unavailable(settings: Settings) -> None:
    away = settings.model_copy(update={"chroma_url": "http://127.0.0.1:9"})
    with pytest.raises(Unavailable):
        await VectorStore.open(away, BagEmbedder(), "c" * 32)
