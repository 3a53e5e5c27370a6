"""The rows of memories: each change in one transaction, and always of one user."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from domain.errors import UnknownMemory
from stores.memories.items import MOST_ITEMS, Memory, same_words
from stores.sql.database import among, lock
from stores.sql.tables import forgotten_memories, memories, memory_users

COLUMNS = [memories.c[name] for name in Memory.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of an item that was to be kept: `memory` as it is kept now, those that it took the place of.

    `memory` is None where nothing was written: memory is off, or the user had that forgotten.
    """

    memory: Memory | None
    superseded: Sequence[Memory] = ()
    merged: bool = False


def own(user_id: str, identity: str) -> ColumnElement[bool]:
    """Return the condition that a row is this item of this user."""
    return and_(memories.c.user_id == user_id, memories.c.id == identity)


def version_of(db: Connection, user_id: str) -> int:
    """Return the number of the last change of a user's items, 0 before the first."""
    return db.scalar(select(memory_users.c.version).where(memory_users.c.user_id == user_id)) or 0


def touch(db: Connection, user_id: str, **values: object) -> None:
    """Count a change of a user's items, so that every process reads them again."""
    lock(db, f"memories {user_id}")
    before = version_of(db, user_id)
    version = max(before + 1, time.time_ns() // 1000)  # never one of before the user's data were deleted
    if before:
        db.execute(update(memory_users).where(memory_users.c.user_id == user_id).values(version=version, **values))
    else:
        db.execute(insert(memory_users).values(user_id=user_id, version=version, **{"enabled": True, **values}))


def _mark(user_id: str, text: str) -> str:
    return blake2b(same_words(text).encode(), key=user_id.encode()[:64], digest_size=16).hexdigest()


def write(db: Connection, memory: Memory, *, said_before: bool = False, replaces: str = "") -> Written:
    """Keep an item, unless memory is off or the user had what its turn says forgotten; see `Memories.write`."""
    user_id = memory.user_id
    touch(db, user_id)
    off = db.scalar(select(memory_users.c.enabled).where(memory_users.c.user_id == user_id)) is False
    mark = select(func.count()).where(
        forgotten_memories.c.user_id == user_id, forgotten_memories.c.mark == _mark(user_id, memory.text)
    )
    if not said_before:
        mark = mark.where(forgotten_memories.c.turn_id == memory.turn_id)
    was_forgotten = (said_before or memory.origin == "said") and db.scalar(mark)
    if off or was_forgotten or not memory.text:
        return Written(None)
    related = select(*COLUMNS).where(
        memories.c.user_id == user_id,
        memories.c.persona == memory.persona,
        memories.c.valid_to == 0,
        or_(
            memories.c.mark == _mark(user_id, memory.text),
            and_(memories.c.slot == memory.slot, memories.c.slot != ""),
            memories.c.id == replaces,
        ),
    )
    before = [Memory(**row._mapping) for row in db.execute(related)]
    if replaces and all(item.id != replaces for item in before):
        raise UnknownMemory(id=replaces)
    same = next((item for item in before if same_words(item.text) == same_words(memory.text)), None)
    kept = memory
    if same is None:
        db.execute(insert(memories).values(**asdict(memory), mark=_mark(user_id, memory.text), vector=None, model=""))
    else:
        slot = memory.slot or same.slot
        kept = replace(same, slot=slot, created=memory.created, confidence=memory.confidence)
        renewed = {"slot": slot, "created": memory.created, "confidence": memory.confidence}
        db.execute(update(memories).where(own(user_id, same.id)).values(**renewed))
    ended = [replace(item, valid_to=memory.created, superseded_by=kept.id) for item in before if item is not same]
    db.execute(
        update(memories)
        .where(memories.c.user_id == user_id, among(memories.c.id, [item.id for item in ended]))
        .values(valid_to=memory.created, superseded_by=kept.id)
    )
    _drop_beyond(db, user_id)
    return Written(kept, ended, merged=same is not None)


def _drop_beyond(db: Connection, user_id: str) -> None:
    count = db.scalar(select(func.count()).select_from(memories).where(memories.c.user_id == user_id)) or 0
    if count > MOST_ITEMS:
        oldest = select(memories.c.id).where(memories.c.user_id == user_id)
        oldest = oldest.order_by(memories.c.valid_to == 0, memories.c.created).limit(count - MOST_ITEMS)
        db.execute(
            delete(memories).where(memories.c.user_id == user_id, among(memories.c.id, list(db.scalars(oldest))))
        )


def reword(db: Connection, user_id: str, identity: str, text: str) -> bool:
    """Change the words of an item; return whether there is one."""
    touch(db, user_id)
    values = {"text": text, "mark": _mark(user_id, text), "origin": "edited", "vector": None, "model": ""}
    return bool(db.execute(update(memories).where(own(user_id, identity)).values(**values)).rowcount)


def remove(db: Connection, user_id: str, identities: Collection[str] | None) -> list[Memory]:
    """Remove items and what they took the place of, and mark them as forgotten; return what was removed."""
    touch(db, user_id)
    query = select(*COLUMNS).where(memories.c.user_id == user_id)
    items = {row.id: Memory(**row._mapping) for row in db.execute(query)}
    wanted = set(items) if identities is None else {identity for identity in identities if identity in items}
    while more := {item.id for item in items.values() if item.superseded_by in wanted} - wanted:
        wanted |= more
    for identity in wanted:
        item = items[identity]
        row = {"user_id": user_id, "turn_id": item.turn_id, "mark": _mark(user_id, item.text)}
        db.execute(delete(forgotten_memories).where(*(forgotten_memories.c[name] == row[name] for name in row)))
        db.execute(insert(forgotten_memories).values(**row))
    db.execute(delete(memories).where(memories.c.user_id == user_id, among(memories.c.id, list(wanted))))
    return [items[identity] for identity in items if identity in wanted]


def set_vectors(db: Connection, user_id: str, made: Sequence[dict[str, Any]]) -> None:
    """Keep vectors, each unless its item has changed meanwhile."""
    touch(db, user_id)
    for row in made:
        db.execute(
            update(memories)
            .where(own(user_id, row["key"]), memories.c.text == row["said"])
            .values(vector=row["vector"], model=row["model"])
        )
