"""What is to be deleted over several stores, noted before the first of them is touched, until the last is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from stores.library.catalog import Catalog

Kind = Literal["document", "session", "user"]


@dataclass(frozen=True, slots=True)
class Deletion:
    """One deletion that somebody asked for; `target`: ids of a document and its parts, id of a session, or nothing."""

    id: int
    kind: Kind
    user_id: str
    target: str


class Deletions:
    """The deletions that are under way. A process that is killed leaves its own here, for the next one to finish."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def begin(self, kind: Kind, user_id: str, target: str = "") -> Deletion:
        """Note a deletion; it is on disk when this returns."""
        insert = "INSERT INTO deletions (kind, user_id, target) VALUES (?, ?, ?) RETURNING id"
        values = (kind, user_id, target)
        row = await self._catalog.write(lambda db: db.execute(insert, values).fetchone())
        return Deletion(int(row["id"]), kind, user_id, target)

    async def end(self, deletion: Deletion) -> None:
        """Strike a deletion that is done, or that there was nothing to do for."""
        values = (deletion.id,)
        await self._catalog.write(lambda db: db.execute("DELETE FROM deletions WHERE id = ?", values))

    async def under_way(self) -> list[Deletion]:
        """Return all that are not done, oldest first."""
        query = "SELECT * FROM deletions ORDER BY id"
        rows = await self._catalog.read(lambda db: db.execute(query).fetchall())
        return [Deletion(int(row["id"]), cast(Kind, row["kind"]), row["user_id"], row["target"]) for row in rows]
