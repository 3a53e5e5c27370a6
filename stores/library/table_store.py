"""Where the tables of documents are kept for SQL: one folder a content, made once, gone with the content."""

from __future__ import annotations

import asyncio
import shutil
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from domain.sealing import Keyring
from stores.library import table_database
from stores.library.contents import ContentGone
from stores.sql.database import Database
from stores.sql.tables import contents, pages
from workers.sandbox import Sandbox

MAKING_SECONDS: Final = 120
"""CPU time for the tables of one document; 200,000 rows take six seconds."""
STRAY_SECONDS: Final = 3600
INCOMING: Final = "incoming"


class Tables(NamedTuple):
    """The tables of a document: a file for `table_database`, and the key to it; empty where it is not encrypted."""

    file: Path
    key: str


class TableStore:
    """Tables by content, below a folder. Any number of processes may make the same one: the first is kept."""

    def __init__(self, database: Database, folder: Path, keyring: Keyring) -> None:
        """Keep the tables of the contents of `database` below `folder`, encrypted with the newest key of `keyring`."""
        self._database, self._folder, self._keyring = database, folder, keyring
        self._file = f"tables-{keyring.newest}.duckdb" if keyring else "tables.duckdb"

    async def tables(self, content_id: int, sandbox: Sandbox) -> Tables:
        """Return a content's tables, which are made now if they are not there.

        Raises:
            ContentGone: It was deleted.
            AppError: Its tables could not be made.
        """
        path = self._folder / str(content_id) / self._file
        if not await asyncio.to_thread(path.is_file):
            await self.make(content_id, sandbox)
        return Tables(path, self._key(content_id))

    async def make(self, content_id: int, sandbox: Sandbox) -> None:
        """Make the tables of a content that was read to its end.

        Raises:
            ContentGone: It was deleted.
            AppError: They could not be made.
        """
        rows = select(pages.c.label, pages.c.text).where(pages.c.content_id == content_id).order_by(pages.c.number)

        def query(db: Connection) -> tuple[str | None, list[tuple[str, str]]]:
            unit = db.scalar(select(contents.c.unit).where(contents.c.id == content_id))
            return unit, [(row.label, row.text) for row in db.execute(rows)]

        unit, texts = await self._database.read(query)
        incoming = self._folder / INCOMING / uuid.uuid4().hex
        await asyncio.to_thread(incoming.mkdir, parents=True, mode=0o700)
        try:
            await sandbox.run(
                table_database.make, texts, unit == "sheet", str(incoming / self._file), self._key(content_id),
                name="tables", seconds=MAKING_SECONDS, writable=[incoming],
            )  # fmt: skip
            await self._database.write(lambda db: self._keep(db, content_id, incoming))
        finally:
            await asyncio.to_thread(shutil.rmtree, incoming, ignore_errors=True)

    async def delete(self, content_ids: Sequence[int]) -> None:
        """Remove the tables of contents that are deleted."""
        for content_id in content_ids:
            await asyncio.to_thread(shutil.rmtree, self._folder / str(content_id), ignore_errors=True)

    async def tidy(self) -> None:
        """Remove what processes that were killed left half made."""

        def remove() -> None:
            for path in (self._folder / INCOMING).glob("*"):
                if time.time() - path.stat().st_mtime > STRAY_SECONDS:
                    shutil.rmtree(path, ignore_errors=True)

        await asyncio.to_thread(remove)

    def _key(self, content_id: int) -> str:
        return self._keyring.key_for(f"tables {content_id}").hex() if self._keyring else ""

    def _keep(self, db: Connection, content_id: int, incoming: Path) -> None:
        # Holds the content meanwhile, so that a deletion at the same time comes before it or removes what is kept.
        if db.scalar(select(contents.c.id).where(contents.c.id == content_id).with_for_update()) is None:
            raise ContentGone
        target = self._folder / str(content_id)
        target.mkdir(parents=True, mode=0o700, exist_ok=True)
        # A child that reads the tables is let at this very file, not at one that takes its place.
        if not (target / self._file).exists():
            (incoming / self._file).replace(target / self._file)
