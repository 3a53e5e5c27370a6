"""Tables of one document as a DuckDB file: made once, then only read. These functions run in killable children."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict, final
from uuid import UUID

from readers.table_text import TextTable, tables_of
from stores.library.column_types import Column, typed
from workers.memory_file import MemoryFile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BLOCK_SIZE: Final = 16_384
"""The smallest that DuckDB has: a table of a few rows takes 45 KB instead of 540."""
MEMORY: Final = "512MB"
LONGEST_CELL: Final = 2000
"""Characters of a text that are returned."""
LIMITS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1, "memory_limit": MEMORY, "temp_directory": "", "autoinstall_known_extensions": False,
    "autoload_known_extensions": False, "python_enable_replacements": False,
}  # fmt: skip
UNLOCKED: Final = "SET force_mbedtls_unsafe = true"
"""DuckDB's own cipher writes only on this word: its nonces come from a generator that can be foretold. AES-GCM needs
them to differ under one key, not to be secret, and each file has a key of its own."""
LOCK: Final = "SET enable_external_access = false; SET lock_configuration = true"
"""After the limits: what is locked is not set any more."""
SERVER: Final = ("duckdb_", "pragma_", "current_setting", "getenv", "getvariable")
"""Beginnings of names of functions that tell of the server. DESCRIBE, SHOW and information_schema tell of tables."""


@final
class Answer(TypedDict):
    """Names of columns, rows of JSON-native values, and whether there are more rows."""

    columns: list[str]
    rows: list[list[Any]]
    more: bool


@final
class Refusal(TypedDict):
    """Why a query was not run or failed, in the database's words, and the tables that there are."""

    refused: str
    tables: list[str]


def make(pages: Sequence[tuple[str, str]], apart: bool, file: str, key: str) -> int:
    """Write the tables of pages (label, Markdown) to `file`, encrypted where there is a key; return their number.

    They are t1, t2, ... in their order; each sheet's first one has its name too.
    """
    import duckdb

    tables = tables_of(pages, apart=apart)
    with duckdb.connect(":memory:", config=LIMITS) as db:
        if key:
            db.execute(UNLOCKED)
        options = f"STORAGE_VERSION 'latest', BLOCK_SIZE {BLOCK_SIZE}{_encryption(key)}"
        db.execute(f"ATTACH {_text(file)} AS made ({options})")
        db.execute("USE made")
        names: set[str] = set()
        for number, table in enumerate(tables, 1):
            _fill(db, f"t{number}", table)
            low = table.place.casefold()
            if apart and low not in names and not (low[:1] == "t" and low[1:].isdigit()):
                names.add(low)
                db.execute(f"CREATE VIEW {_name(table.place)} AS FROM t{number}")
        db.execute("USE memory; DETACH made")
    return len(tables)


def select(file: Path, key: str, sql: str, most: int) -> Answer | Refusal | None:
    """Run one SELECT on the tables in `file`; return its first `most` rows, or why not, or None without any table."""
    import duckdb

    with _opened(file, key) as db:
        db.execute(LOCK)
        if not db.execute("SELECT count(*) FROM duckdb_tables()").fetchall()[0][0]:
            return None
        try:
            statements = duckdb.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                return Refusal(refused="one SELECT is allowed, and nothing else", tables=_described(db))
            if told := [name for name in SERVER if name in sql.casefold()]:
                return Refusal(refused=f"there is no function {told[0]}", tables=_described(db))
            cursor = db.execute(statements[0])
            columns = [str(column[0]) for column in cursor.description or ()]
            rows = cursor.fetchmany(most + 1)
            plain = [[_plain(value) for value in row] for row in rows[:most]]
            return Answer(columns=columns, rows=plain, more=len(rows) > most)
        except duckdb.OutOfMemoryException:
            return Refusal(refused="the query needs too much memory", tables=_described(db))
        except duckdb.Error as error:
            return Refusal(refused=str(error).splitlines()[0][:500], tables=_described(db))


def described(file: Path, key: str) -> list[str]:
    """Return a line for each table: its name, that of its sheet, its rows, and its columns with type and unit."""
    with _opened(file, key) as db:
        return _described(db)


def _opened(file: Path, key: str) -> DuckDBPyConnection:
    import duckdb

    if not key:
        return duckdb.connect(str(file), read_only=True, config=LIMITS)
    db = duckdb.connect(":memory:", config=LIMITS)
    db.execute(f"ATTACH {_text(str(file))} AS made (READ_ONLY{_encryption(key)}); USE made")
    return db


def _encryption(key: str) -> str:
    return f", ENCRYPTION_KEY {_text(key)}, ENCRYPTION_CIPHER 'GCM'" if key else ""


def _described(db: DuckDBPyConnection) -> list[str]:
    tables = db.execute("SELECT table_name, comment, estimated_size FROM duckdb_tables() ORDER BY table_oid").fetchall()
    columns = db.execute("SELECT table_name, column_name, data_type, comment FROM duckdb_columns()").fetchall()
    lines = []
    for name, place, rows in tables:
        own = [f'"{column}" {kind}' + f" in {unit}" * bool(unit) for of, column, kind, unit in columns if of == name]
        lines.append(f"{name}" + f" [{place}]" * bool(place) + f", {rows} rows: {', '.join(own)}")
    return lines


def _fill(db: DuckDBPyConnection, name: str, table: TextTable) -> None:
    """Create one table. Through CSV: inserting rows one by one takes a hundred times as long."""
    columns: list[Column] = [typed(cells) for cells in zip(*table.rows, strict=True)]
    columns = columns or [Column("VARCHAR", "", []) for _ in table.columns]
    rows = io.StringIO(newline="")
    csv.writer(rows).writerows(zip(*(column.cells for column in columns), strict=True))
    kinds = ", ".join(f"{_name(own)}: {_text(column.kind)}" for own, column in zip(table.columns, columns, strict=True))
    with MemoryFile([rows.getvalue().encode("utf-8", "replace")]) as file:
        db.execute(
            f"CREATE TABLE {name} AS FROM read_csv({_text(str(file.path))}, auto_detect=false, header=false, "
            f"delim=',', quote='\"', escape='\"', nullstr='', columns={{{kinds}}}, max_line_size=20000000)"
        )
    if table.place:
        db.execute(f"COMMENT ON TABLE {name} IS {_text(table.place)}")
    for own, column in zip(table.columns, columns, strict=True):
        if column.unit:
            db.execute(f"COMMENT ON COLUMN {name}.{_name(own)} IS {_text(column.unit)}")


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _plain(value: object) -> Any:
    """Return a value as JSON has it: exact numbers, dates and what is made of parts as text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta | UUID | str | bytes):
        return str(value)[:LONGEST_CELL]
    return str(value)[:LONGEST_CELL]
