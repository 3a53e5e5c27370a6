"""The tree of a conversation in the database: places in it, paths, versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from domain.errors import RunLost, TemporarySession, UnknownMessage, UnknownRun, UnknownSession
from domain.owner import Owner
from stores.conversations.entries import ROOT, Entry, Kept, Message, Spot, Wish
from stores.redis.serde import dumps
from stores.sql.database import among, rows
from stores.sql.tables import conversations, messages

FIND = select(conversations).where(
    conversations.c.user_id == bindparam("user_id"), conversations.c.thread_id == bindparam("thread_id")
)
_MESSAGE = select(messages).where(
    messages.c.conversation_id == bindparam("conversation"), messages.c.id == bindparam("id")
)
_OF_RUN = (
    select(messages)
    .where(messages.c.conversation_id == bindparam("conversation"), messages.c.run_id == bindparam("run_id"))
    .order_by(messages.c.id)
)
_up = (
    select(messages.c.id, messages.c.parent_id, messages.c.depth)
    .where(messages.c.id == bindparam("last"), messages.c.conversation_id == bindparam("conversation"))
    .cte("path", recursive=True)
)
_up = _up.union_all(
    select(messages.c.id, messages.c.parent_id, messages.c.depth)
    .join(_up, messages.c.id == _up.c.parent_id)
    .where(_up.c.depth > bindparam("first"))
)
_PATH = (
    select(messages)
    .join(_up, messages.c.id == _up.c.id)
    .where(_up.c.depth >= bindparam("first"), _up.c.depth < bindparam("end"))
    .order_by(_up.c.depth)
)
_SUMMARY = (
    select(messages.c.summary, messages.c.depth)
    .join(_up, messages.c.id == _up.c.id)
    .where(messages.c.summary.is_not(None))
    .order_by(_up.c.depth.desc())
    .limit(1)
)
_CHILDREN = (
    select(messages.c.id, messages.c.parent_id, messages.c.role)
    .where(messages.c.conversation_id == bindparam("conversation"), among(messages.c.parent_id, "parents"))
    .order_by(messages.c.id)
)
_COLUMNS = ("conversation_id", "parent_id", "depth", "role", "run_id", "entry", "summary", "notes")
_INSERT = (
    insert(messages)
    .values({name: bindparam(name, type_=messages.c[name].type) for name in _COLUMNS})
    .returning(messages.c.id)
)
_ALL = select(messages).where(messages.c.conversation_id == bindparam("conversation")).order_by(messages.c.id)


def find(db: Connection, owner: Owner) -> Any:
    """Return the row of a conversation, or None."""
    values = {"user_id": owner.user_id, "thread_id": owner.thread_id or ""}
    return next(iter(rows(db, FIND, values)), None)


def known(db: Connection, owner: Owner) -> Any:
    """Return the row of a conversation that is kept.

    Raises:
        TemporarySession: It is not kept.
        UnknownSession: There is none.
    """
    row = find(db, owner)
    if row is None:
        raise UnknownSession(id=owner.thread_id)
    if row.temporary:
        raise TemporarySession(id=owner.thread_id)
    return row


def message(db: Connection, conversation: int, message_id: str | int) -> Any:
    """Return the row of a message.

    Raises:
        UnknownMessage: The conversation has none of this id.
    """
    text = str(message_id)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    for row in rows(db, _MESSAGE, {"conversation": conversation, "id": number}):
        return row
    raise UnknownMessage(id=text)


def question_of(db: Connection, conversation: Any, run_id: str) -> Any:
    """Return the row of the last message that a run answers.

    Raises:
        UnknownRun: The conversation has no such run.
    """
    found = rows(db, _OF_RUN, {"conversation": conversation.id, "run_id": run_id})
    asked = [row for row in found if row.role == "user"]
    if asked:
        return asked[-1]
    if found and found[0].parent_id:
        return message(db, conversation.id, found[0].parent_id)
    if conversation.running == run_id and conversation.leaf:
        return message(db, conversation.id, conversation.leaf)
    raise UnknownRun(id=run_id)


def answer_of(db: Connection, conversation: int, run_id: str) -> Message | None:
    """Return the answer that a run has written; None: the conversation waits for it.

    Raises:
        RunLost: It does not.
    """
    answers = [row for row in rows(db, _OF_RUN, {"conversation": conversation, "run_id": run_id}) if row.role != "user"]
    if answers:
        return placed(answers[-1])
    held = select(conversations.c.running).where(conversations.c.id == conversation)
    if db.scalar(held) != run_id:
        raise RunLost
    return None


def spot(db: Connection, owner: Owner, wish: Wish) -> Spot:
    """Return where a turn goes on; see `Conversations.spot`."""
    conversation = find(db, owner)
    if conversation is None:
        if (wish.replaces and not wish.gone) or wish.parent not in (None, ROOT):
            raise UnknownSession(id=owner.thread_id)
        return Spot()
    if conversation.temporary:
        if wish.replaces or wish.parent is not None:
            raise TemporarySession(id=owner.thread_id)
        return Spot(conversation.id, persona=conversation.persona, temporary=True)
    place = _spot_in(db, conversation, wish)
    return replace(place, persona=conversation.persona or "", remembers=bool(conversation.memory))


def _spot_in(db: Connection, conversation: Any, wish: Wish) -> Spot:
    if wish.replaces and (question := _question(db, conversation, wish)) is not None:
        return _answering(conversation, question) if wish.again else _before(db, conversation, question)
    leaf = conversation.leaf or ROOT
    parent = leaf if wish.parent is None else wish.parent
    place = None if parent == ROOT else message(db, conversation.id, parent)
    if wish.again and place is not None and place.role == "user":
        return _answering(conversation, place)
    return _behind(conversation, place)


def _question(db: Connection, conversation: Any, wish: Wish) -> Any:
    try:
        return question_of(db, conversation, wish.replaces or "")
    except UnknownRun:
        if wish.gone:
            return None
        raise


def _answering(conversation: Any, question: Any) -> Spot:
    return Spot(
        conversation.id, question.id, question.depth + 1, memory=question.parent_id, shown=conversation.leaf, again=True
    )


def _before(db: Connection, conversation: Any, question: Any) -> Spot:
    """The place of a question, which may be the last of several that were sent at once."""
    while question.parent_id:
        above = message(db, conversation.id, question.parent_id)
        if above.role != "user" or above.run_id != question.run_id:
            return _behind(conversation, above)
        question = above
    return _behind(conversation, None)


def _behind(conversation: Any, place: Any) -> Spot:
    if place is None:
        return Spot(conversation.id, shown=conversation.leaf)
    return Spot(conversation.id, place.id, place.depth + 1, place.id, place.run_id, conversation.leaf)


def put(db: Connection, place: Spot, entries: Sequence[Entry], kept: Kept) -> tuple[int, int]:
    """Write messages that follow each other; return the last one (its parent where there are none) and its depth + 1.

    `kept` stays with the last one.
    """
    parent, depth = place.parent, place.depth
    for number, entry in enumerate(entries, 1):
        row = {
            "conversation_id": place.conversation, "parent_id": parent, "depth": depth, "role": entry.get("role", ""),
            "run_id": entry.get("run_id", ""), "entry": dumps(entry).decode(), "summary": None, "notes": None,
            **(kept if number == len(entries) else {}),
        }  # fmt: skip
        parent = int(rows(db, _INSERT, row)[0].id)
        depth += 1
    return parent, depth


def path(db: Connection, conversation: int, last: int, first: int = 0, end: int | None = None) -> list[Any]:
    """Return the rows of the path that ends in message `last`, those of depths `first` to `end`."""
    span = {"conversation": conversation, "last": last, "first": first, "end": 2**31 - 1 if end is None else end}
    return rows(db, _PATH, span) if last else []


def last_summary(db: Connection, conversation: int, last: int) -> Any:
    """Return the newest `summary` on a path and the `depth` of its message, or None."""
    values = {"conversation": conversation, "last": last, "first": 0}
    return next(iter(rows(db, _SUMMARY, values)), None) if last else None


def shown(db: Connection, conversation: int, found: Sequence[Any]) -> tuple[list[Message], list[str]]:
    """Return messages of a path with their versions, and the ids of the questions among them without an answer."""
    parents = {row.parent_id for row in found} | {row.id for row in found}
    versions: dict[int, list[str]] = {}
    answered: set[int] = set()
    for row in rows(db, _CHILDREN, {"conversation": conversation, "parents": sorted(parents)}):
        versions.setdefault(row.parent_id, []).append(str(row.id))
        if row.role == "assistant":
            answered.add(row.parent_id)
    entries = [placed(row) for row in found]
    for row, entry in zip(found, entries, strict=True):
        entry["versions"] = versions[row.parent_id]
    return entries, [str(row.id) for row in found if row.role == "user" and row.id not in answered]


def whole(db: Connection, conversation: int) -> list[Message]:
    """Return every message of a tree, oldest first."""
    return [placed(row) for row in rows(db, _ALL, {"conversation": conversation})]


def placed(row: Any) -> Message:
    """Return the message in a row."""
    entry: Message = orjson.loads(row.entry)
    entry["message_id"] = str(row.id)
    entry["parent_message_id"] = str(row.parent_id) if row.parent_id else None
    return entry


def newest_below(db: Connection, conversation: int, start: Any) -> Any:
    """Return the message at the end of the newest path that goes through message `start`."""
    while True:
        below = rows(db, _CHILDREN, {"conversation": conversation, "parents": [start.id]})
        if not below:
            return start
        start = message(db, conversation, below[-1].id)


def point(db: Connection, conversation: int, leaf: Any) -> None:
    """Show the path that ends in the row `leaf` (None: no message)."""
    end = {"leaf": leaf.id, "length": leaf.depth + 1} if leaf else {"leaf": 0, "length": 0}
    db.execute(update(conversations).where(conversations.c.id == conversation).values(**end))


def drop(db: Connection, conversation: int, run_id: str, behind: int) -> None:
    """Delete the messages of a run that came after message `behind`; it answers nothing any more."""
    db.execute(update(conversations).where(conversations.c.id == conversation).values(running=""))
    of_run = (messages.c.conversation_id == conversation, messages.c.run_id == run_id, messages.c.id > behind)
    db.execute(delete(messages).where(*of_run))
