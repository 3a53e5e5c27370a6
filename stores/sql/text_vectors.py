"""Vectors of short texts that belong to no document: kept in the database, so that a restart does not embed again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, select, update

from models.embeddings.interface import Role
from stores.sql.database import Database, among, insert_rows, lock
from stores.sql.tables import text_vectors

Line = tuple[Role, str]
"""A text and how it is embedded."""
UNUSED_SECONDS: Final = 30 * 24 * 3600
"""Vectors that no process has loaded for so long are dropped."""


class TextVectors:
    """Vectors by model, role and text."""

    def __init__(self, database: Database) -> None:
        """Keep the database, which its owner closes."""
        self._database = database

    async def get(self, model: str, lines: Sequence[Line]) -> dict[Line, NDArray[np.float32]]:
        """Return the vectors that are kept of `lines`, and note that they are in use."""
        wanted = {_key(model, line): line for line in lines}
        here = among(text_vectors.c.key, list(wanted))

        def load(db: Connection) -> list[tuple[str, bytes]]:
            db.execute(update(text_vectors).where(here).values(used=time.time()))
            return [(row.key, row.value) for row in db.execute(select(text_vectors).where(here))]

        return {wanted[key]: np.frombuffer(value, np.float32) for key, value in await self._database.write(load)}

    async def put(self, model: str, vectors: Mapping[Line, NDArray[np.float32]]) -> None:
        """Keep vectors, and drop those that are long out of use."""
        now = time.time()
        rows = [(_key(model, line), vector.astype(np.float32).tobytes(), now) for line, vector in vectors.items()]

        def change(db: Connection) -> None:
            lock(db, text_vectors.name)
            db.execute(delete(text_vectors).where(text_vectors.c.used < now - UNUSED_SECONDS))
            db.execute(delete(text_vectors).where(among(text_vectors.c.key, [key for key, _, _ in rows])))
            insert_rows(db, text_vectors, rows)

        await self._database.write(change)


def _key(model: str, line: Line) -> str:
    return sha256("\0".join((model, *line)).encode("utf-8", "replace")).hexdigest()
