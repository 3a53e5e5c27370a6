"""Personas that users write: each user's own, and those that administrators share with everybody."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import Any, Final, Literal

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from domain.errors import NoSuchPersona, PersonaExists, TooManyPersonas
from stores.sql.database import Database, lock
from stores.sql.tables import personas

MemoryUse = Literal["shared", "own"]
NAME_CHARS: Final = 60
MOST_PERSONAS: Final = 100
"""Personas of one user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A role of somebody's own.

    Attributes:
        id: Its id; conversations and memories name it by this.
        user_id: Whose it is.
        name: Its name, of which its owner has one.
        prompt: Its instructions, with variables.
        tone: How it speaks; empty: as the prompt says.
        tools: Names of tools, or patterns of names, that it may use; None: all.
        model: The model that answers; empty: the server's.
        memory: `own`: it alone recalls what is said to it, and nothing else; `shared`: what all conversations remember.
        opening: What is shown where a conversation begins.
        shared: Everybody on the server may use and copy it.
        created: Unix time.
        changed: Unix time.
    """

    id: str = ""
    user_id: str
    name: str
    prompt: str
    tone: str = ""
    tools: list[str] | None = None
    model: str = ""
    memory: MemoryUse = "shared"
    opening: str = ""
    shared: bool = False
    created: float = 0.0
    changed: float = 0.0


_COLUMNS = [personas.c[name] for name in Persona.__dataclass_fields__]


class Personas:
    """The personas of all users."""

    def __init__(self, database: Database) -> None:
        """Keep the database, which its owner closes."""
        self._database = database

    async def all(self, user_id: str) -> list[Persona]:
        """Return what a user may choose: their own by name, then what others share, by name."""
        query = select(*_COLUMNS).where(_visible(user_id)).order_by(personas.c.name, personas.c.created)
        rows = await self._database.read(lambda db: db.execute(query).all())
        found = [Persona(**row._mapping) for row in rows]
        return sorted(found, key=lambda one: one.user_id != user_id)

    async def get(self, user_id: str, identity: str) -> Persona:
        """Return a persona of the user's own, or one that is shared.

        Raises:
            NoSuchPersona: The user may choose none of this id.
        """
        query = select(*_COLUMNS).where(_visible(user_id), personas.c.id == identity)
        row = await self._database.read(lambda db: db.execute(query).first())
        if row is None:
            raise NoSuchPersona(id=identity)
        return Persona(**row._mapping)

    async def named(self, user_id: str, name: str) -> Persona | None:
        """Return the persona of this id or name that a user may choose: of several the user's own, then the oldest."""
        named = or_(personas.c.id == name, personas.c.name == name)
        query = select(*_COLUMNS).where(_visible(user_id), named)
        query = query.order_by(personas.c.id != name, personas.c.user_id != user_id, personas.c.created).limit(1)
        row = await self._database.read(lambda db: db.execute(query).first())
        return Persona(**row._mapping) if row is not None else None

    async def add(self, persona: Persona, *, renamed: bool = False) -> Persona:
        """Keep a new persona.

        Args:
            persona: Its id and times are made here.
            renamed: Whether one whose name is taken gets a number behind it.

        Raises:
            PersonaExists: Its owner has one of this name.
            TooManyPersonas: Its owner has `MOST_PERSONAS`.
        """

        def change(db: Connection) -> Persona:
            lock(db, f"personas {persona.user_id}")
            of_user = personas.c.user_id == persona.user_id
            if (db.scalar(select(func.count()).select_from(personas).where(of_user)) or 0) >= MOST_PERSONAS:
                raise TooManyPersonas(limit=MOST_PERSONAS)
            taken = set(db.scalars(select(personas.c.name).where(of_user)))
            if persona.name in taken and not renamed:
                raise PersonaExists(name=persona.name)
            now = time.time()
            name = persona.name if persona.name not in taken else free_name(persona.name, taken)
            made = replace(persona, id=f"persona-{uuid.uuid4().hex[:20]}", name=name, created=now, changed=now)
            db.execute(insert(personas).values(**asdict(made)))
            return made

        return await self._database.write(change)

    async def change(self, user_id: str, identity: str, **changes: Any) -> Persona:
        """Change a user's own persona.

        Raises:
            NoSuchPersona: The user has none of this id.
            PersonaExists: The user has another one of this name.
        """
        mine = and_(personas.c.user_id == user_id, personas.c.id == identity)

        def change(db: Connection) -> None:
            lock(db, f"personas {user_id}")
            others = select(personas.c.id).where(personas.c.user_id == user_id, personas.c.id != identity)
            if "name" in changes and db.scalar(others.where(personas.c.name == changes["name"]).limit(1)):
                raise PersonaExists(name=changes["name"])
            if not db.execute(update(personas).where(mine).values(**changes, changed=time.time())).rowcount:
                raise NoSuchPersona(id=identity)

        await self._database.write(change)
        return await self.get(user_id, identity)

    async def remove(self, user_id: str, identity: str) -> None:
        """Remove a user's own persona.

        Raises:
            NoSuchPersona: The user has none of this id.
        """
        statement = delete(personas).where(personas.c.user_id == user_id, personas.c.id == identity)
        if not await self._database.write(lambda db: db.execute(statement).rowcount):
            raise NoSuchPersona(id=identity)

    async def export(self, user_id: str) -> AsyncIterator[tuple[str, Any]]:
        """Yield a user's own personas; see `PersonalData`."""
        if own := [asdict(one) for one in await self.all(user_id) if one.user_id == user_id]:
            yield "personas.json", own

    async def forget(self, user_id: str) -> dict[str, int]:
        """Delete a user's own personas, the shared ones too; see `PersonalData`."""
        statement = delete(personas).where(personas.c.user_id == user_id)
        return {"personas": await self._database.write(lambda db: db.execute(statement).rowcount)}


def _visible(user_id: str) -> Any:
    return or_(personas.c.user_id == user_id, personas.c.shared)


def free_name(name: str, taken: set[str]) -> str:
    """Return the name with the first number behind it that is free.

    >>> free_name("Poet", {"Poet", "Poet (2)"})
    'Poet (3)'
    """
    base = name[: NAME_CHARS - 6].rstrip()
    return next(made for number in count(2) if (made := f"{base} ({number})") not in taken)
