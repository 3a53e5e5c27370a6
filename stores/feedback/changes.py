"""Changes that votes proposed: tried, applied or rejected, in force, and taken back.

What is in force is not kept anywhere else: it is the newest applied change of each slot, so taking a change back
brings back exactly what was before it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, delete, insert, or_, select, true, update

from domain.errors import Unavailable, UnknownChange
from stores.sql.database import Database, lock
from stores.sql.tables import feedback, feedback_changes

ChangeState = Literal["applied", "rejected", "rolled_back"]
ALL: Final = ""
"""The user of a change that is for all."""
KNOWN_SECONDS: Final = 10.0
KNOWN_USERS: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change and how it did.

    Attributes:
        id: Its number.
        user_id: For whom it is; `ALL`: for everybody who has none of their own in its slot.
        slot: What it is about: `length`, `ask_back`, `note:sources`, `note:tone`, `retrieval`, `tool:<name>`.
        value: What that becomes.
        state: Whether it is in force, was not good enough, or was taken back.
        figures: Of its trial: `wins`, `losses`, `bound`, `needed`, `turns`; see `stores.feedback.trial`.
        created: Unix time of the trial.
        changed: Unix time of its state.
    """

    id: int
    user_id: str
    slot: str
    value: str
    state: ChangeState
    figures: dict[str, float]
    created: float
    changed: float


class Changes:
    """The changes of all users. Every method but `lean` raises `Unavailable` when the database does not answer.

    Args:
        database: Where they are; its owner closes it.
        learning: Whether any is in force at all.
    """

    def __init__(self, database: Database, *, learning: bool = True) -> None:
        self._database, self.learning = database, learning
        self._known: OrderedDict[str, tuple[float, dict[str, str]]] = OrderedDict()

    async def in_force(self, user_id: str) -> dict[str, str]:
        """Return the values that hold for a user by slot, sorted: their own, else those for all.

        A process reads them at most once in `KNOWN_SECONDS`, unless it changes them itself.
        """
        if not self.learning:
            return {}
        known = self._known.get(user_id)
        if known is None or known[0] < time.monotonic():
            values = await self._database.read(lambda db: _in_force(db, user_id))
            known = self._known[user_id] = (time.monotonic() + KNOWN_SECONDS, values)
            self._known.move_to_end(user_id)
            while len(self._known) > KNOWN_USERS:
                self._known.popitem(last=False)
        return known[1]

    async def lean(self, user_id: str) -> float:
        """Return how much more than by default keywords count in a user's searches; see `ranking.fuse`."""
        try:
            return float((await self.in_force(user_id)).get("retrieval", 1.0))
        except Unavailable:
            return 1.0

    async def of(self, user_id: str, *, with_all: bool = False) -> list[Change]:
        """Return a user's changes, newest first; with `with_all` also those for all that are in force."""
        which = feedback_changes.c.user_id == user_id
        if with_all:
            which = or_(which, (feedback_changes.c.user_id == ALL) & (feedback_changes.c.state == "applied"))
        query = select(feedback_changes).where(which).order_by(feedback_changes.c.id.desc())
        return await self._database.read(lambda db: [Change(**row._mapping) for row in db.execute(query)])

    async def add(
        self, user_id: str, slot: str, value: str, state: Literal["applied", "rejected"], figures: dict[str, float]
    ) -> Change | None:
        """Keep a change that was tried; an applied one is in force at once.

        None where the votes that it came from were deleted meanwhile: nothing of it is kept either.
        """
        now = time.time()
        values = {"user_id": user_id, "slot": slot, "value": value, "state": state, "figures": figures,
                  "created": now, "changed": now}  # fmt: skip

        votes = select(feedback.c.user_id).where(true() if user_id == ALL else feedback.c.user_id == user_id).limit(1)

        def change(db: Connection) -> int | None:
            lock(db, f"feedback changes {user_id}")
            if db.execute(votes).first() is None:
                return None
            return int(db.execute(insert(feedback_changes).returning(feedback_changes.c.id), values).scalar_one())

        number = await self._database.write(change)
        self._forget(user_id)
        return None if number is None else Change(id=number, **values)  # type: ignore[arg-type]  # the same keys

    async def roll_back(self, user_id: str, number: int) -> Change:
        """Take an applied change back, and with it later ones of its slot: what was before it holds again.

        One that was taken back already stays so.

        Raises:
            UnknownChange: The user has no such change, or it was never applied.
        """
        mine = feedback_changes.c.user_id == user_id

        def change(db: Connection) -> Change:
            lock(db, f"feedback changes {user_id}")
            row = db.execute(select(feedback_changes).where(mine, feedback_changes.c.id == number)).first()
            if row is None or row.state == "rejected":
                raise UnknownChange(id=number)
            if row.state == "applied":
                later = (feedback_changes.c.slot == row.slot, feedback_changes.c.id >= number)
                applied = feedback_changes.c.state == "applied"
                taken = {"state": "rolled_back", "changed": time.time()}
                db.execute(update(feedback_changes).where(mine, applied, *later).values(**taken))
            return Change(**db.execute(select(feedback_changes).where(feedback_changes.c.id == number)).one()._mapping)

        taken_back = await self._database.write(change)
        self._forget(user_id)
        return taken_back

    async def export(self, user_id: str) -> AsyncIterator[tuple[str, Any]]:
        """Yield all changes of a user; see `PersonalData`."""
        if found := await self.of(user_id):
            names = [name for name in Change.__dataclass_fields__ if name != "user_id"]
            yield "feedback_changes.json", [{name: getattr(one, name) for name in names} for one in found]

    async def forget(self, user_id: str) -> dict[str, int]:
        """Delete all changes of a user, those in force too; see `PersonalData`."""
        statement = delete(feedback_changes).where(feedback_changes.c.user_id == user_id)

        def change(db: Connection) -> int:
            lock(db, f"feedback changes {user_id}")  # one that is being added is there by then, or finds no votes
            return db.execute(statement).rowcount

        gone = await self._database.write(change)
        self._forget(user_id)
        return {"feedback_changes": gone}

    def _forget(self, user_id: str) -> None:
        """Read anew what holds for a user; for everybody where a change is for all."""
        if user_id == ALL:
            self._known.clear()
        self._known.pop(user_id, None)


def _in_force(db: Connection, user_id: str) -> dict[str, str]:
    query = (
        select(feedback_changes.c.slot, feedback_changes.c.value)
        .where(feedback_changes.c.user_id.in_([user_id, ALL]), feedback_changes.c.state == "applied")
        .order_by(feedback_changes.c.user_id != ALL, feedback_changes.c.id)
    )
    values = {row.slot: row.value for row in db.execute(query)}
    return dict(sorted(values.items()))
