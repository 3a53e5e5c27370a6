"""Foreign tools of an installation: sources that administrators added, and definitions that they approved."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from stores.sql.database import Database, lock
from stores.sql.tables import tool_pins, tool_sources


@dataclass(frozen=True, slots=True)
class Pin:
    """An approved definition, its hash, by whom it was approved, and when (Unix time)."""

    version: str
    definition: Mapping[str, Any]
    approved_by: str
    approved: float


@dataclass(frozen=True, slots=True)
class Approval:
    """A definition that is to be approved."""

    version: str
    definition: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredSources:
    """Everything stored: configurations by source, sources whose first listing is approved, pins by source and tool."""

    configs: Mapping[str, Mapping[str, Any]]
    approved: frozenset[str]
    pins: Mapping[str, Mapping[str, Pin]]


class ToolSourceStore:
    """The two tables of foreign tools."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> StoredSources:
        """Return everything.

        Raises:
            Unavailable: The database does not answer.
        """
        return await self._database.read(_load)

    async def put(self, name: str, config: Mapping[str, Any], by: str) -> bool:
        """Add a source, or change its configuration; its pins stay. Return whether it is new."""

        def change(db: Connection) -> bool:
            lock(db, "tool_sources")
            values = {"config": dict(config), "changed_by": by, "changed": time.time()}
            known = db.execute(update(tool_sources).where(tool_sources.c.name == name).values(**values)).rowcount
            if not known:
                db.execute(insert(tool_sources).values(name=name, **values))
            return not known

        return await self._database.write(change)

    async def remove(self, name: str) -> bool:
        """Remove a source with its pins; return whether it was there."""

        def change(db: Connection) -> bool:
            lock(db, "tool_sources")
            db.execute(delete(tool_pins).where(tool_pins.c.source == name))
            return db.execute(delete(tool_sources).where(tool_sources.c.name == name)).rowcount > 0

        return await self._database.write(change)

    async def adopt(self, name: str, tools: Mapping[str, Approval], by: str) -> None:
        """Approve what a source lists first; does nothing when a first listing is approved already."""

        def change(db: Connection) -> None:
            lock(db, "tool_sources")
            row = db.execute(select(tool_sources.c.approved).where(tool_sources.c.name == name)).first()
            if row is not None and row.approved is not None:
                return
            if row is None:
                db.execute(insert(tool_sources).values(name=name))
            db.execute(update(tool_sources).where(tool_sources.c.name == name).values(approved=time.time()))
            _pin(db, name, tools, by)

        await self._database.write(change)

    async def approve(self, name: str, tools: Mapping[str, Approval], by: str) -> None:
        """Approve definitions, in place of those approved before."""

        def change(db: Connection) -> None:
            lock(db, "tool_sources")
            _pin(db, name, tools, by)

        await self._database.write(change)


def _pin(db: Connection, source: str, tools: Mapping[str, Approval], by: str) -> None:
    for tool, approval in tools.items():
        db.execute(delete(tool_pins).where(tool_pins.c.source == source, tool_pins.c.tool == tool))
        db.execute(
            insert(tool_pins).values(
                source=source, tool=tool, version=approval.version, definition=dict(approval.definition),
                approved_by=by, approved=time.time(),
            )
        )  # fmt: skip


def _load(db: Connection) -> StoredSources:
    sources = db.execute(select(tool_sources)).all()
    pins: dict[str, dict[str, Pin]] = {}
    for row in db.execute(select(tool_pins)):
        pins.setdefault(row.source, {})[row.tool] = Pin(row.version, row.definition, row.approved_by, row.approved)
    return StoredSources(
        configs={row.name: row.config for row in sources if row.config is not None},
        approved=frozenset(row.name for row in sources if row.approved is not None),
        pins=pins,
    )
