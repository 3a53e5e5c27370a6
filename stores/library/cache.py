"""Results that outlive a restart, by key; a key starts with the SHA-256 of the file that it is of."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from stores.library.attachments import is_owned
from stores.sql.database import Database, lock
from stores.sql.tables import cache

HASH_CHARS = 64


class ResultCache:
    """Bytes by key in the database; they go when the last owner of their file deletes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> bytes | None:
        """Return what was put under `key`, or None."""
        value = await self._database.read(lambda db: db.scalar(select(cache.c.value).where(cache.c.key == key)))
        return None if value is None else bytes(value)

    async def put(self, key: str, value: bytes) -> None:
        """Keep `value`, unless its file has been deleted meanwhile."""

        def change(db: Connection) -> None:
            lock(db, key[:HASH_CHARS])
            if is_owned(db, key[:HASH_CHARS]):
                db.execute(delete(cache).where(cache.c.key == key))
                db.execute(insert(cache), {"key": key, "value": value})

        await self._database.write(change)
