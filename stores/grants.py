"""What users have allowed or denied tools for longer than one call: in one thread, or everywhere."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any, cast

from sqlalchemy import ColumnElement, delete, insert, select
from typing_extensions import TypedDict

from domain.owner import Owner
from domain.times import iso_time
from stores.sql.database import Database
from stores.sql.tables import grants

MOST_GRANTS = 500
"""Most rules of one user; a further one replaces the oldest."""


class Grant(TypedDict):
    """A rule of a user; `session_id` is empty for one that holds everywhere. `created` is ISO 8601 UTC."""

    id: int
    rule: dict[str, Any]
    session_id: str
    created: str


class Grants:
    """The rules of all users. Every method raises `Unavailable` when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, owner: Owner, rule: dict[str, Any], *, lasting: bool) -> None:
        """Keep a rule for the thread, or lastingly for the user; one that is there already is not kept twice."""
        thread_id = "" if lasting else owner.thread_id or ""
        mine = grants.c.user_id == owner.user_id

        def change(db: Any) -> None:
            rows = db.execute(select(grants).where(mine).order_by(grants.c.id)).all()
            if any(row.rule == rule and row.thread_id == thread_id for row in rows):
                return
            for row in rows[: max(0, len(rows) + 1 - MOST_GRANTS)]:
                db.execute(delete(grants).where(grants.c.id == row.id))
            values = {"user_id": owner.user_id, "thread_id": thread_id, "rule": rule, "created": time.time()}
            db.execute(insert(grants).values(**values))

        await self._database.write(change)

    async def of(self, owner: Owner) -> list[Grant]:
        """Return the rules that hold in the thread, oldest first; without a thread, those that hold everywhere."""
        threads = {"", owner.thread_id or ""}
        return await self._rules(grants.c.user_id == owner.user_id, grants.c.thread_id.in_(threads))

    async def remove(self, user_id: str, grant_id: int) -> bool:
        """Take a rule back; return whether the user had it."""
        return await self._remove(grants.c.user_id == user_id, grants.c.id == grant_id) > 0

    async def clear(self, owner: Owner) -> int:
        """Forget the rules of a thread; return how many there were."""
        return await self._remove(grants.c.user_id == owner.user_id, grants.c.thread_id == (owner.thread_id or ""))

    async def export(self, user_id: str) -> AsyncIterator[tuple[str, Any]]:
        """Yield all rules of a user, as one file."""
        if rules := await self._rules(grants.c.user_id == user_id):
            yield "permissions.json", rules

    async def forget(self, user_id: str) -> dict[str, int]:
        """Delete all rules of a user; return how many there were."""
        return {"permissions": await self._remove(grants.c.user_id == user_id)}

    async def _rules(self, *which: ColumnElement[bool]) -> list[Grant]:
        query = select(grants).where(*which).order_by(grants.c.id)
        rows = await self._database.read(lambda db: db.execute(query).all())
        return [
            Grant(id=row.id, rule=cast("dict[str, Any]", row.rule), session_id=row.thread_id,
                  created=iso_time(row.created))
            for row in rows
        ]  # fmt: skip

    async def _remove(self, *which: ColumnElement[bool]) -> int:
        return int(await self._database.write(lambda db: db.execute(delete(grants).where(*which)).rowcount))
