"""The SQL database of an installation: SQLite below DATA_DIR, or the PostgreSQL that DATABASE_URL names.

Queries are plain functions of a SQLAlchemy connection and run whole in a thread of a few: a search or a change is one
hop, and what they compute never holds up the event loop. docs/decisions/0012 has the measurement against an
asynchronous driver.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    Select,
    Table,
    Text,
    TypeDecorator,
    UpdateBase,
    bindparam,
    create_engine,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from domain.errors import DiskFull, Unavailable
from domain.sealing import Keyring
from domain.words import Words
from settings import Settings
from stores.disk import is_disk_full, is_out_of_room
from stores.sql import tables
from stores.sql.encrypted import driver, unlock
from stores.sql.upgrade import upgrade

T = TypeVar("T")
READERS = 3
WRITERS = {"sqlite": 1, "postgresql": 4}
BUSY_SECONDS = 10.0
TRIES = 5
COLLISIONS = frozenset({"40001", "40P01", "23505"})
"""SQLSTATE of a change that another one came in the way of: serialization failure, deadlock, the same key at once."""
NO_ANSWER = Words("the database does not answer", "数据库没有响应")


class Database:
    """Transactions on one database. Any number of processes may have it open; each upgrades its tables if need be.

    Attributes:
        kind: `sqlite` or `postgresql`.
        is_default: Whether it is the one below DATA_DIR, for DATABASE_URL is not set.
    """

    def __init__(self, engine: Engine, *, is_default: bool = True) -> None:
        """Use `open` instead."""
        self.kind = engine.dialect.name
        self.is_default = is_default
        self._engine = engine
        of_driver = cast(Any, engine.dialect).dbapi if self.kind == "sqlite" else sqlite3
        self._driver_failure: type[Exception] = of_driver.OperationalError
        self._local = threading.local()
        self._connections: list[Connection] = []
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sql-read")
        self._writers = ThreadPoolExecutor(WRITERS[engine.dialect.name], thread_name_prefix="sql-write")

    @classmethod
    async def open(cls, settings: Settings) -> Database:
        """Open the database of `settings` and bring its tables up to date.

        Raises:
            Unavailable: The PostgreSQL server does not answer.
            ValueError: DATABASE_URL is not the URL of a PostgreSQL or SQLite database, or that is not in UTF-8.
        """
        is_default = settings.database_url is None
        database = await asyncio.to_thread(lambda: cls(open_engine(settings), is_default=is_default))
        await asyncio.to_thread(database._upgrade)
        return database

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run `query` in one snapshot.

        Raises:
            Unavailable: The database does not answer.
        """
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._run, query, False)

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Run `change` in one transaction; an exception rolls it back.

        On SQLite one change runs at a time. On PostgreSQL several do: lock the rows that are decided on
        (`with_for_update`), or a name (`lock`). A change that collides with another runs again, so what it does outside
        the database has to come last.

        Raises:
            Unavailable: The database does not answer.
        """
        return await asyncio.get_running_loop().run_in_executor(self._writers, self._run, change, True)

    async def uid(self) -> str:
        """Return the id given to this database when it was created."""
        return await self.read(lambda db: str(db.scalar(select(tables.catalog.c.uid))))

    async def scrub(self) -> None:
        """Leave no deleted text in SQLite's write-ahead log: move it into the file and cut it to zero bytes."""
        if self._engine.dialect.name == "sqlite":
            await asyncio.get_running_loop().run_in_executor(self._writers, self._truncate_log)

    async def aclose(self) -> None:
        """Finish running queries and close every connection."""
        await asyncio.to_thread(self._close)

    def _run(self, work: Callable[[Connection], T], writing: bool) -> T:
        for attempt in range(1, TRIES + 1):
            try:
                return self._transact(work, writing)
            except self._driver_failure as exc:
                raise self._failure(exc) from exc
            except DBAPIError as exc:
                if not _worth_another_try(exc) or attempt == TRIES:
                    if isinstance(exc, OperationalError):
                        raise self._failure(exc) from exc
                    raise
        raise AssertionError

    def _transact(self, work: Callable[[Connection], T], writing: bool) -> T:
        connection = getattr(self._local, "connection", None) or self._connect(writing)
        with connection.begin() as transaction:
            result = work(connection)
            if not writing:
                transaction.rollback()
        return result

    def _connect(self, writing: bool) -> Connection:
        level = {} if writing or self._engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        connection = self._engine.connect().execution_options(writing=writing, **level)
        self._local.connection = connection
        self._connections.append(connection)
        return connection

    def _upgrade(self) -> None:
        try:
            with self._engine.connect().execution_options(writing=True) as connection:
                upgrade(connection)
        except OperationalError as exc:
            raise self._failure(exc) from exc

    def _failure(self, exc: Exception) -> Unavailable:
        """Return what it means that the database failed; SQLite calls a full disk an I/O error at times."""
        file = self._engine.url.database if self.kind == "sqlite" else None
        full = is_disk_full(exc) or (file and "disk I/O error" in str(exc) and is_out_of_room(Path(file).parent))
        return DiskFull() if full else Unavailable(reason=NO_ANSWER)

    def _truncate_log(self) -> None:
        connection = getattr(self._local, "connection", None) or self._connect(True)
        db = cast(sqlite3.Connection, connection.connection.dbapi_connection)
        deadline = time.monotonic() + BUSY_SECONDS
        while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] and time.monotonic() < deadline:
            time.sleep(0.02)

    def _close(self) -> None:
        self._readers.shutdown(wait=True)
        self._writers.shutdown(wait=True)
        for connection in self._connections:
            connection.close()
        self._connections.clear()


def database_url(settings: Settings) -> URL:
    """Return the URL of the database that `settings` name."""
    if settings.database_url is None:
        return URL.create("sqlite", database=str(settings.data_dir / "catalog.sqlite3"))
    return make_url(settings.database_url.get_secret_value())


def open_engine(settings: Settings) -> Engine:
    """Return an engine for the database that `settings` name, encrypted where they say so.

    Raises:
        ValueError: DATABASE_URL is not the URL of a database that is kept.
    """
    return engine_for(database_url(settings), settings.keyring)


def engine_for(url: URL, keyring: Keyring | None = None) -> Engine:
    """Return an engine for `url`: `sqlite:///path`, `postgresql://...` or `postgres://...`.

    Args:
        url: The database.
        keyring: With a key in it, a file of SQLite is encrypted; a server of PostgreSQL encrypts its own.

    Raises:
        ValueError: It is the URL of another kind of database, or of none that is kept.
    """
    kind = url.drivername.partition("+")[0]
    if kind == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise ValueError("DATABASE_URL names no file: sqlite:///path does.")
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        arguments = {"timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False}
        key = keyring.of_database[0] if keyring else None
        engine = create_engine(
            url.set(drivername="sqlite"), poolclass=NullPool, connect_args=arguments, module=driver(key)
        )
        event.listen(engine, "connect", partial(_prepare_sqlite, key=key))
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if kind in ("postgresql", "postgres"):
        return create_engine(
            url.set(drivername="postgresql+psycopg"), poolclass=NullPool,
            connect_args={"connect_timeout": 10, "client_encoding": "utf8"},
        )  # fmt: skip
    raise ValueError(f"DATABASE_URL starts with {kind}://; postgresql:// and sqlite:/// are known.")


def lock(db: Connection, name: str) -> None:
    """Hold `name` until the transaction ends. On SQLite a transaction that writes holds everything already."""
    if db.dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def rows(db: Connection, query: Select[Any] | UpdateBase, values: Mapping[str, Any]) -> list[Any]:
    """Return the rows of a query (or of a change that returns some) that is built once, columns as attributes.

    On SQLite it is compiled once and goes past Core, whose way through a statement costs ten times what SQLite itself
    needs for a few rows by key.
    """
    if db.dialect.name != "sqlite":
        return list(db.execute(query, values))
    statement = _compiled(query, db.dialect)
    given = {**statement.literals, **values}
    parameters = [convert(given[name]) if convert else given[name] for name, convert in statement.parameters]
    found = cast(sqlite3.Connection, db.connection.dbapi_connection).execute(statement.sql, parameters)
    if not statement.results:
        return list(map(statement.row, found))
    read = []
    for row in map(list, found):
        for place, convert in statement.results:
            row[place] = convert(row[place])
        read.append(statement.row(row))
    return read


def insert_rows(db: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows, values in the order of the columns.

    SQLAlchemy's own insert spends 15 microseconds a row on its parameters, six times what SQLite does on the row.
    """
    sql, converters = _insertion(table, db.dialect)
    if converters:
        rows = (
            [convert(value) if convert else value for convert, value in zip(converters, row, strict=True)]
            for row in rows
        )
    driver = cast(Any, db.connection.dbapi_connection)
    if db.dialect.name == "sqlite":
        driver.executemany(sql, rows)
        return
    with driver.cursor() as cursor, cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(row)


Converter = Callable[[Any], Any] | None


class _Compiled(NamedTuple):
    sql: str
    literals: dict[str, Any]
    parameters: list[tuple[str, Converter]]
    row: Callable[..., Any]
    results: list[tuple[int, Callable[[Any], Any]]]


@cache
def _compiled(query: Select[Any] | UpdateBase, dialect: Dialect) -> _Compiled:
    compiled = query.compile(dialect=dialect)
    columns = list(query.exported_columns)
    names = [str(name) for name in compiled.positiontup or ()]
    results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return _Compiled(
        sql=compiled.string,
        literals=dict(compiled.params),
        parameters=[(name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names],
        row=partial(tuple.__new__, namedtuple("Row", [str(column.key) for column in columns])),
        results=[(place, convert) for place, convert in enumerate(results) if convert],
    )


@cache
def _insertion(table: Table, dialect: Dialect) -> tuple[str, list[Converter]]:
    """Return the statement, and what turns the values of our own types into the database's."""
    if dialect.name == "sqlite":
        sql = str(insert(table).compile(dialect=dialect))
    else:
        quote = dialect.identifier_preparer.quote
        sql = f"COPY {quote(table.name)} ({', '.join(quote(column.name) for column in table.columns)}) FROM STDIN"
    own = [column.type if isinstance(column.type, TypeDecorator) else None for column in table.columns]
    converters: list[Converter] = [kind.bind_processor(dialect) if kind else None for kind in own]
    return sql, converters if any(own) else []


def _worth_another_try(exc: DBAPIError) -> bool:
    # A connection that broke has committed nothing unless it broke in COMMIT, where SQLAlchemy gives no statement.
    lost = exc.connection_invalidated and exc.statement is not None
    return lost or getattr(exc.orig, "sqlstate", None) in COLLISIONS


def _prepare_sqlite(db: sqlite3.Connection, _: object, key: bytes | None) -> None:
    if key is not None:
        unlock(db, key)
    _use_wal(db, driver(key).OperationalError)
    db.execute("PRAGMA secure_delete=ON")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("PRAGMA cache_size=-16000")


def _use_wal(db: sqlite3.Connection, busy: type[Exception]) -> None:
    """Switch to the write-ahead log; while another connection does the same, SQLite fails without waiting."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except busy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    begin = "BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN"
    cast(Any, connection.connection.dbapi_connection).execute(begin)


class _List(TypeDecorator[Sequence[Any]]):
    """A list as one parameter: an array in PostgreSQL, JSON in SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, of_text: bool) -> None:
        super().__init__()
        self.of_text = of_text

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(ARRAY(Text() if self.of_text else BigInteger()))

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        return json.dumps(list(value or ())) if dialect.name == "sqlite" else list(value or ())


class _Values(FunctionElement[Any]):
    """The values of a list parameter, as a query."""

    inherit_cache = True


@compiles(_Values, "sqlite")
def _values_sqlite(element: _Values, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **options)}))"


@compiles(_Values, "postgresql")
def _values_postgresql(element: _Values, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT unnest({compiler.process(element.clauses, **options)}))"


def among(column: ColumnElement[Any], values: Sequence[Any] | str) -> ColumnElement[bool]:
    """Return the condition that `column` is one of `values`, however many; a string names a parameter that gives them.

    Unlike `in_` it is one parameter, so there is no bound on its length and one statement for every length.
    """
    kind = _List(isinstance(column.type, Text | tables.Characters))
    parameter = bindparam(values, type_=kind) if isinstance(values, str) else bindparam(None, values, type_=kind)
    return column.op("IN", is_comparison=True)(_Values(parameter))
