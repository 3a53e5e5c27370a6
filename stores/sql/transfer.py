"""Moves the rows of an installation from one SQL database to another: all or none, compared by counts and hashes.

Vectors stay in Chroma and files in DATA_DIR. Both are found from the new database too: its id moves with the rows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text

from stores.sql import tables
from stores.sql.upgrade import upgrade

BATCH = 500
"""Rows that are held in memory at a time."""


class NotEmpty(Exception):
    """The target holds rows already."""


class Differs(Exception):
    """A table of the target is not what the source holds; nothing of it was kept."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a table holds: its rows, and a hash of them that does not depend on their order."""

    rows: int
    sha256: str


def move(source: Engine, target: Engine) -> dict[str, Content]:
    """Copy every table of `source` into `target` in one transaction, and compare; return what each holds.

    `source` is brought up to date first; if it is SQLite, writers are locked out meanwhile.

    Raises:
        NotEmpty: `target` holds rows already. The argument is the table.
        Differs: A table came out other than it went in. The argument is the table.
    """
    snapshot = {} if source.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with source.connect() as reading, target.connect() as writing:
        old = reading.execution_options(writing=True)
        new = writing.execution_options(writing=True)
        upgrade(old)
        upgrade(new)
        old = old.execution_options(**snapshot)
        with old.begin(), new.begin():
            for table in tables.metadata.sorted_tables:
                if table is not tables.catalog and new.scalar(select(func.count()).select_from(table)):
                    raise NotEmpty(table.name)
            new.execute(delete(tables.catalog))
            return {table.name: _copy(old, new, table) for table in tables.metadata.sorted_tables}


def _copy(old: Connection, new: Connection, table: Table) -> Content:
    for batch in old.execute(select(table).execution_options(yield_per=BATCH)).partitions():
        new.execute(insert(table), [row._asdict() for row in batch])
    if new.dialect.name == "postgresql" and [column.name for column in table.primary_key] == ["id"]:
        _number_on(new, table)
    sent, received = content(old, table), content(new, table)
    if sent != received:
        raise Differs(table.name)
    return received


def content(db: Connection, table: Table) -> Content:
    """Return how many rows `table` has and what they add up to."""
    rows, total = 0, 0
    for row in db.execute(select(table).execution_options(yield_per=BATCH)):
        rows += 1
        total += int.from_bytes(hashlib.sha256(repr([_plain(value) for value in row]).encode()).digest(), "big")
    return Content(rows, f"{total % 2**256:064x}")


def _plain(value: Any) -> Any:
    """Return `value` as every database gives it back."""
    if isinstance(value, str):
        return tables.UNSTORABLE.sub("\ufffd", value)
    return bytes(value) if isinstance(value, memoryview) else value


def _number_on(db: Connection, table: Table) -> None:
    """Let PostgreSQL number new rows after those that came with a number."""
    sequence = db.scalar(select(func.pg_get_serial_sequence(table.name, "id")))
    if sequence is not None:
        last = db.scalar(select(func.max(table.c.id)))
        values = {"sequence": sequence, "last": last or 1, "used": last is not None}
        db.execute(text("SELECT setval(:sequence, :last, :used)"), values)
