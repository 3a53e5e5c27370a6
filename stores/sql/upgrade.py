"""Brings the tables of a database up to date with the revisions in `stores/sql/migrations/`, in one transaction.

An empty database gets the tables as they are now: the revisions would make the same ones in three times as long.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, select, text

from stores.sql.tables import catalog, metadata

if TYPE_CHECKING:
    from alembic.runtime.migration import RevisionStep

FOLDER = Path(__file__).with_name("migrations")
VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where Alembic keeps the revision."""
LOCK = 7_266_352_415_903_112_041
"""Key of the advisory lock in PostgreSQL that lets one process upgrade at a time; any number would do."""


def head() -> str:
    """Return the newest revision: the number of the last file."""
    return max(path.stem for path in FOLDER.glob("r*.py")).partition("_")[0]


def revision(connection: Connection) -> str | None:
    """Return the revision that the tables have, or None before the first."""
    return connection.scalar(select(VERSION)) if inspect(connection).has_table(VERSION.name) else None


class NotUtf8(ValueError):
    """The PostgreSQL database keeps text in another encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__(f"The PostgreSQL database has the encoding {encoding}; make one with ENCODING 'UTF8'.")
        self.encoding = encoding


def upgrade(connection: Connection) -> None:
    """Run the revisions that are missing, all of them or none; processes that start at once wait for the first.

    `connection` has to take SQLite's write lock when it begins. Alembic is loaded only when there is something to do.

    Raises:
        NotUtf8: The PostgreSQL database keeps text in another encoding.
    """
    with connection.begin():
        if connection.dialect.name == "postgresql":
            if (encoding := connection.exec_driver_sql("SHOW server_encoding").scalar_one()) != "UTF8":
                raise NotUtf8(encoding)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        if not inspect(connection).get_table_names():
            _create(connection)
        elif revision(connection) != head():
            run_revisions(connection)


def _create(connection: Connection) -> None:
    metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(catalog).values(uid=uuid.uuid4().hex))
    VERSION.create(connection)
    connection.execute(insert(VERSION).values(version_num=head()))


def run_revisions(connection: Connection) -> None:
    """Run the revisions that are missing."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(FOLDER, version_locations=[FOLDER])

    def missing(current: object, _: object) -> list[RevisionStep]:
        return script._upgrade_revs("head", current)  # type: ignore[arg-type]  # as Alembic's own `upgrade` does

    with EnvironmentContext(Config(), script, fn=missing, destination_rev="head") as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
