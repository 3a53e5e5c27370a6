"""Results worth keeping over a restart, by key; a key starts with the SHA-256 of the file that it is of."""

from __future__ import annotations

import sqlite3

from stores.library.catalog import Catalog

HASH_CHARS = 64


class ResultCache:
    """Bytes by key in the catalog; they go when the last owner of their file deletes it."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def get(self, key: str) -> bytes | None:
        """Return what was put under `key`, or None."""
        query = "SELECT value FROM cache WHERE key = ?"
        row = await self._catalog.read(lambda db: db.execute(query, (key,)).fetchone())
        return None if row is None else bytes(row["value"])

    async def put(self, key: str, value: bytes) -> None:
        """Keep `value`, unless its file has been deleted meanwhile."""

        def change(db: sqlite3.Connection) -> None:
            owned = db.execute("SELECT 1 FROM attachments WHERE sha256 = ?", (key[:HASH_CHARS],)).fetchone()
            if owned is not None:
                db.execute("INSERT OR REPLACE INTO cache VALUES (?, ?)", (key, value))

        await self._catalog.write(change)
