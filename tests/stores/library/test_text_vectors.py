"""Vectors of short texts, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio

import numpy as np

from stores.sql.database import Database
from stores.sql.text_vectors import Line, TextVectors


async def test_the_same_text_may_be_put_twice_at_once(database: Database) -> None:
    store = TextVectors(database)
    lines: list[Line] = [("query", f"text {n}") for n in range(50)]
    vectors = {line: np.full(4, n, np.float32) for n, line in enumerate(lines)}
    await asyncio.gather(*(store.put("model", vectors) for _ in range(8)))
    found = await store.get("model", lines)
    assert sorted(found) == sorted(lines)
    assert all(np.array_equal(found[line], vector) for line, vector in vectors.items())
