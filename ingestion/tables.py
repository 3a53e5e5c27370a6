"""Tables of spreadsheets, made for SQL behind the reading; those of other documents are made when one asks for them."""

from __future__ import annotations

import asyncio
import logging

from domain.errors import AppError
from readers.media_types import CSV, ODS, TSV, XLS, XLSB, XLSX
from stores.library.contents import ContentGone
from stores.library.table_store import TableStore
from workers.sandbox import Sandbox

logger = logging.getLogger(__name__)
SPREADSHEETS = frozenset({CSV, ODS, TSV, XLS, XLSB, XLSX})


class TableWriter:
    """Makes the tables of contents, one after the other."""

    def __init__(self, tables: TableStore, sandbox: Sandbox) -> None:
        """Keep the store, and the sandbox in which tables are made; their owners close them."""
        self._tables, self._sandbox = tables, sandbox
        self._turn = asyncio.Lock()
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def add(self, content_id: int) -> None:
        """Queue a content that has been read to its end."""
        if content_id not in self._tasks:
            task = asyncio.create_task(self._make(content_id), name=f"tables {content_id}")
            self._tasks[content_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(content_id, None))

    async def wait(self, content_id: int) -> None:
        """Return when the tables of a content that was added are made, or could not be."""
        if content_id in self._tasks:
            await asyncio.gather(self._tasks[content_id], return_exceptions=True)

    async def aclose(self) -> None:
        """Stop; what is missing is made when it is first asked."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, content_id: int) -> None:
        async with self._turn:
            try:
                await self._tables.make(content_id, self._sandbox)
            except ContentGone:
                return
            except AppError as exc:
                logger.warning("the tables of a document were not made", extra={"error": exc.code})
