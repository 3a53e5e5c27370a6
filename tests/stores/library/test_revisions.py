"""The revisions make the same tables as a new database gets, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Connection, inspect, text

from settings import Settings
from stores.sql.database import Database, open_engine
from stores.sql.tables import metadata
from stores.sql.upgrade import head, revision, run_revisions
from tests.postgresql import PostgresServer


@pytest.fixture
def revised(database: Database, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """A second database of the kind of `database`, on which every revision was run."""

    def run(settings: Settings) -> Iterator[Connection]:
        with open_engine(settings).connect().execution_options(writing=True) as connection, connection.begin():
            run_revisions(connection)
            yield connection

    settings = Settings(data_dir=tmp_path / "revised", _env_file=None)
    if database.kind == "sqlite":
        yield from run(settings)
        return
    server: PostgresServer = request.getfixturevalue("postgresql")
    with server.database() as url:
        yield from run(settings.model_copy(update={"database_url": SecretStr(url)}))


def test_the_revisions_make_the_tables(revised: Connection) -> None:
    assert compare_metadata(MigrationContext.configure(revised), metadata) == []


def schema(db: Connection) -> dict[str, object]:
    """All that a database knows of its tables but the order of columns and the names of primary keys."""
    seen, options = inspect(db), dict[str, Any]()
    if db.dialect.name == "sqlite":
        for row in db.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")):
            options[row.name] = [option for option in ("AUTOINCREMENT", "WITHOUT ROWID") if option in row.sql]
    return {
        name: {
            "columns": sorted(repr({**column, "type": repr(column["type"])}) for column in seen.get_columns(name)),
            "keys": (seen.get_pk_constraint(name)["constrained_columns"], seen.get_foreign_keys(name)),
            "unique": sorted(map(repr, seen.get_unique_constraints(name))),
            "indexes": sorted(
                repr({**index, "dialect_options": {key: str(value) for key, value in index["dialect_options"].items()}})
                for index in seen.get_indexes(name)
            ),
            "options": options.get(name),
        }
        for name in seen.get_table_names()
    }


async def test_a_new_database_is_as_the_revisions_make_it(database: Database, revised: Connection) -> None:
    assert await database.read(schema) == schema(revised)
    newest = await asyncio.to_thread(head)
    assert await database.read(revision) == newest == await asyncio.to_thread(revision, revised)
    assert len(await database.uid()) == 32
