"""Votes on answers: one of each user on each answer, changed in place."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Collection
from typing import Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, Connection, case, delete, func, insert, select, update
from typing_extensions import TypedDict

from domain.errors import BadInput
from domain.owner import Owner
from domain.times import iso_time
from domain.words import Words
from stores.conversations import tree
from stores.sql.database import Database, among, lock
from stores.sql.tables import feedback

Choice = Literal["up", "down"]
Reason = Literal["too_long", "too_short", "wrong", "not_found", "no_source", "tone", "ask_back", "wrong_tool"]
"""Why: `not_found` what was asked for is not in the answer though it is there, `ask_back` the question was unclear and
was not asked about, `wrong_tool` a tool was called that was not called for."""
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
MOST_COMMENT_CHARS: Final = 2000


class Vote(TypedDict):
    """A vote; `consent`: the turn may be replayed to try a change. Times are ISO 8601 UTC."""

    session_id: str
    message_id: str
    vote: Choice
    reasons: list[Reason]
    comment: str
    consent: bool
    created: str
    changed: str


class Totals(TypedDict):
    """How many votes there are, and how many give each reason."""

    up: int
    down: int
    users: int
    comments: int
    consents: int
    reasons: dict[str, int]


class Votes:
    """The votes of all users. Every method raises `Unavailable` when the database does not answer."""

    def __init__(self, database: Database) -> None:
        """Keep the database, which its owner closes."""
        self._database = database

    async def put(
        self,
        owner: Owner,
        message_id: str,
        choice: Choice,
        *,
        reasons: Collection[Reason] = (),
        comment: str = "",
        consent: bool = False,
    ) -> Vote:
        """Vote on an answer, in place of an earlier vote on it.

        Raises:
            BadInput: The message is no answer.
            UnknownMessage: The conversation has no such message.
            UnknownSession: The user has no such conversation.
        """
        values: dict[str, Any] = {
            "vote": choice, "reasons": [reason for reason in REASONS if reason in reasons],
            "comment": comment.strip()[:MOST_COMMENT_CHARS], "consent": consent, "changed": time.time(),
        }  # fmt: skip

        def change(db: Connection) -> Vote:
            number = _answer(db, owner, message_id)
            lock(db, f"feedback {owner.user_id} {number}")
            here = (feedback.c.user_id == owner.user_id, feedback.c.message_id == number)
            if not db.execute(update(feedback).where(*here).values(**values)).rowcount:
                new = {"user_id": owner.user_id, "thread_id": owner.thread_id or "", "message_id": number}
                db.execute(insert(feedback).values(**new, created=values["changed"], **values))
            return _vote(db.execute(select(feedback).where(*here)).one())

        return await self._database.write(change)

    async def take_back(self, owner: Owner, message_id: str) -> None:
        """Remove the vote on an answer, if there is one.

        Raises:
            BadInput: The message is no answer.
            UnknownMessage: The conversation has no such message.
            UnknownSession: The user has no such conversation.
        """

        def change(db: Connection) -> None:
            number = _answer(db, owner, message_id)
            db.execute(delete(feedback).where(feedback.c.user_id == owner.user_id, feedback.c.message_id == number))

        await self._database.write(change)

    async def of(self, user_id: str, message_ids: Collection[str]) -> dict[str, Vote]:
        """Return a user's votes on these messages, by message."""
        numbers = sorted(int(one) for one in message_ids)
        found = await self._votes(feedback.c.user_id == user_id, among(feedback.c.message_id, numbers))
        return {vote["message_id"]: vote for vote in found}

    async def page(self, user_id: str, offset: int, limit: int) -> tuple[list[Vote], int]:
        """Return a user's votes, the last changed first, and how many there are in all."""
        mine = feedback.c.user_id == user_id
        query = select(feedback).where(mine).order_by(feedback.c.changed.desc(), feedback.c.message_id.desc())
        count = select(func.count()).select_from(feedback).where(mine)

        def read(db: Connection) -> tuple[list[Vote], int]:
            return [_vote(row) for row in db.execute(query.offset(offset).limit(limit))], db.scalar(count) or 0

        return await self._database.read(read)

    async def totals(self) -> Totals:
        """Return how many votes all users gave, without a word of what they wrote."""
        grouped = select(feedback.c.vote, feedback.c.reasons, func.count()).group_by(
            feedback.c.vote, feedback.c.reasons
        )
        others = select(
            func.count(feedback.c.user_id.distinct()),
            func.count(case((feedback.c.comment != "", 1))),
            func.count(case((feedback.c.consent, 1))),
        )

        def read(db: Connection) -> Totals:
            votes: Counter[str] = Counter()
            reasons: Counter[str] = Counter()
            for vote, given, count in db.execute(grouped):
                votes[vote] += count
                reasons.update(dict.fromkeys(given, count))
            users, comments, consents = db.execute(others).one()
            return Totals(
                up=votes["up"], down=votes["down"], users=users, comments=comments, consents=consents,
                reasons={reason: reasons[reason] for reason in REASONS},
            )  # fmt: skip

        return await self._database.read(read)

    async def clear(self, owner: Owner) -> int:
        """Forget the votes on a conversation; return how many there were."""
        return await self._remove(feedback.c.user_id == owner.user_id, feedback.c.thread_id == (owner.thread_id or ""))

    async def export(self, user_id: str) -> AsyncIterator[tuple[str, Any]]:
        """Yield all votes of a user; see `PersonalData`."""
        if votes := await self._votes(feedback.c.user_id == user_id):
            yield "feedback.json", votes

    async def forget(self, user_id: str) -> dict[str, int]:
        """Delete all votes of a user; see `PersonalData`."""
        return {"feedback": await self._remove(feedback.c.user_id == user_id)}

    async def _votes(self, *which: ColumnElement[bool]) -> list[Vote]:
        query = select(feedback).where(*which).order_by(feedback.c.message_id)
        return await self._database.read(lambda db: [_vote(row) for row in db.execute(query)])

    async def _remove(self, *which: ColumnElement[bool]) -> int:
        return int(await self._database.write(lambda db: db.execute(delete(feedback).where(*which)).rowcount))


def _answer(db: Connection, owner: Owner, message_id: str) -> int:
    """Return the number of an answer of the user's conversation."""
    row = tree.message(db, tree.known(db, owner).id, message_id)
    if row.role != "assistant":
        raise BadInput(reason=Words("only answers are voted on; this is a question", "只能评价回答；这是一条提问"))
    return int(row.id)


def _vote(row: Any) -> Vote:
    return Vote(
        session_id=row.thread_id, message_id=str(row.message_id), vote=row.vote, reasons=row.reasons,
        comment=row.comment, consent=bool(row.consent), created=iso_time(row.created), changed=iso_time(row.changed),
    )  # fmt: skip
