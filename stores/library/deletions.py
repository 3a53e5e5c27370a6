"""Deletions over several stores, recorded before the first store is touched, until the last is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy import delete, insert, select

from stores.sql.database import Database
from stores.sql.tables import deletions

Kind = Literal["document", "session", "user"]


@dataclass(frozen=True, slots=True)
class Deletion:
    """One requested deletion; `target`: ids of a document and its parts, id of a session, or nothing."""

    id: int
    kind: Kind
    user_id: str
    target: str


class Deletions:
    """Pending deletions. Those of a process that is killed stay here, for the next one to finish."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, kind: Kind, user_id: str, target: str = "") -> Deletion:
        """Record a deletion; it is on disk when this returns."""
        note = insert(deletions).values(kind=kind, user_id=user_id, target=target).returning(deletions.c.id)
        number = await self._database.write(lambda db: db.execute(note).scalar_one())
        return Deletion(number, kind, user_id, target)

    async def end(self, deletion: Deletion) -> None:
        """Remove a deletion that is done, or had nothing to delete."""
        await self._database.write(lambda db: db.execute(delete(deletions).where(deletions.c.id == deletion.id)))

    async def under_way(self) -> list[Deletion]:
        """Return all that are not done, oldest first."""
        rows = await self._database.read(lambda db: db.execute(select(deletions).order_by(deletions.c.id)).all())
        return [Deletion(row.id, cast(Kind, row.kind), row.user_id, row.target) for row in rows]
