"""Memories on SQLite and on PostgreSQL, with an embedder that knows a few words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest_asyncio

from domain.words import Words
from models.embeddings.interface import Vectors
from stores.memories.memories import Memories
from stores.sql.database import Database
from tests.postgresql import postgresql
from tests.stores.library.conftest import database, settings

__all__ = ["database", "postgresql", "settings"]

MEANINGS = (
    ("peanut", "花生"),
    ("live", "home", "city", "moved", "住", "搬"),
    ("colour", "颜色"),
    ("cat", "pet", "猫", "宠物"),
)


class WordEmbedder:
    """One dimension a meaning, and one that all texts share."""

    name, dimensions, detail = "words", len(MEANINGS) + 1, Words("", "")

    async def passages(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts])

    async def query(self, text: str) -> Vectors:
        return self._vector(text)

    @staticmethod
    def _vector(text: str) -> Vectors:
        held = [float(any(word in text.lower() for word in words)) for words in MEANINGS]
        vector = np.array([*held, 1.0], np.float32)
        unit: Vectors = vector / np.linalg.norm(vector)
        return unit


@pytest_asyncio.fixture
async def memories(database: Database) -> AsyncIterator[Memories]:
    opened = Memories(database, WordEmbedder())
    yield opened
    await opened.aclose()
