"""Writes conversations: new ones, turns behind the place that they go on from, those that come from elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, Text, bindparam, case, delete, insert, or_, update

from domain.errors import RunLost
from domain.owner import Owner
from stores.conversations import search, tree
from stores.conversations.entries import PLACE, Entry, Kept, Message, Spot, shortened_title, title_of
from stores.redis.serde import dumps
from stores.sql.database import rows
from stores.sql.tables import conversations, messages, words

_MOVE = (
    update(conversations)
    .where(
        conversations.c.id == bindparam("conversation"),
        or_(conversations.c.running == bindparam("held"), bindparam("held", type_=Text) == ""),
    )
    .values(
        {name: bindparam(name, type_=conversations.c[name].type) for name in ("leaf", "length", "running", "active")}
        | {
            "newest": case(
                (bindparam("written", type_=BigInteger) > 0, bindparam("written")), else_=conversations.c.newest
            )
        }
    )
    .returning(conversations.c.id)
)


def append(db: Connection, owner: Owner, place: Spot, entries: Sequence[Entry], running: str, kept: Kept) -> Spot:
    """Write messages behind `place`; see `Conversations.append`."""
    title = next((title_of(entry) for entry in entries if entry.get("role") == "user"), "")
    now = time.time()
    conversation = place.conversation or new(db, owner, title, now)
    if place.conversation and not place.shown and title:
        _retitle(db, owner, place.conversation, title)
    leaf, length = tree.put(db, Spot(conversation, place.parent, place.depth), entries, kept)
    state = {"leaf": leaf, "length": length, "running": running, "active": now}
    which = {"conversation": conversation, "held": place.running, "written": leaf if entries else 0}
    if not rows(db, _MOVE, {**state, **which}):
        raise RunLost
    return Spot(conversation, leaf, length, leaf, shown=place.shown, running=running, temporary=place.temporary)


def _retitle(db: Connection, owner: Owner, conversation: int, title: str) -> None:
    """Give a conversation the title of its first question, unless somebody gave it one."""
    untitled = (conversations.c.id == conversation, conversations.c.titled == "")
    if db.execute(update(conversations).where(*untitled).values(title=title)).rowcount:
        search.index_title(db, conversation, owner.user_id, title)


def new(db: Connection, owner: Owner, title: str, now: float, *, temporary: bool = False) -> int:
    """Return the row of a conversation that may be there already, without messages."""
    row = tree.find(db, owner)
    if row is not None:
        return int(row.id)
    values = {
        "user_id": owner.user_id, "thread_id": owner.thread_id or "", "title": title, "created": now, "active": now,
        "pinned": False, "archived": False, "temporary": temporary,
    }  # fmt: skip
    number = int(db.execute(insert(conversations).returning(conversations.c.id), values).scalar_one())
    search.index_title(db, number, owner.user_id, title)
    return number


def add(db: Connection, owner: Owner, given: Sequence[Message], title: str, current: str | None = None) -> int:
    """Write a conversation that comes from elsewhere; see `Conversations.add`."""
    title = shortened_title(title) or next((title_of(entry) for entry in given if entry.get("role") == "user"), "")
    number = new(db, owner, title, time.time())
    if tree.known(db, owner).leaf:
        return 0
    places: dict[str | None, Spot] = {None: Spot(number)}
    last = places[None]
    for entry in given:
        before = places.get(entry["parent_message_id"], last) if "parent_message_id" in entry else last
        kept = {name: value for name, value in entry.items() if name not in PLACE}
        parent, depth = tree.put(db, before, [kept], {})  # type: ignore[list-item]  # an Entry without its place
        last = Spot(number, parent, depth)
        if "message_id" in entry:
            places[entry["message_id"]] = last
    shown = places.get(current, last) if current is not None else last
    tree.point(db, number, tree.message(db, number, shown.parent) if shown.parent else None)
    db.execute(update(conversations).where(conversations.c.id == number).values(newest=last.parent))
    return shown.depth


def replace(db: Connection, owner: Owner, changed: Sequence[Message]) -> None:
    """Overwrite messages; see `Conversations.replace`."""
    row = tree.known(db, owner)
    for entry in changed:
        kept = {name: value for name, value in entry.items() if name not in PLACE}
        db.execute(
            update(messages)
            .where(messages.c.conversation_id == row.id, messages.c.id == int(entry["message_id"]))
            .values(entry=dumps(kept).decode())
        )
    db.execute(update(messages).where(messages.c.conversation_id == row.id).values(summary=None, notes=None))
    search.forget(db, row)


def remove(db: Connection, owner: Owner) -> dict[str, int]:
    """Remove a conversation; return how many rows of it each table held."""
    row = tree.find(db, owner)
    if row is None:
        return {"conversations": 0, "transcript": 0, "words": 0}
    gone = {
        "transcript": delete(messages).where(messages.c.conversation_id == row.id),
        "words": delete(words).where(words.c.conversation_id == row.id),
        "conversations": delete(conversations).where(conversations.c.id == row.id),
    }
    return {name: db.execute(statement).rowcount for name, statement in gone.items()}
