"""Tables of spreadsheets, made for SQL behind the reading; those of other documents are made when one asks for them."""

from __future__ import annotations

import logging

from domain.errors import AppError
from ingestion.one_by_one import OneByOne
from readers.media_types import CSV, ODS, TSV, XLS, XLSB, XLSX
from stores.library.contents import ContentGone
from stores.library.table_store import TableStore
from workers.sandbox import Sandbox

logger = logging.getLogger(__name__)
SPREADSHEETS = frozenset({CSV, ODS, TSV, XLS, XLSB, XLSX})


class TableWriter(OneByOne):
    """Makes the tables of contents that have been read to their end; what is missing is made when it is asked."""

    def __init__(self, tables: TableStore, sandbox: Sandbox) -> None:
        """Keep the store, and the sandbox in which tables are made; their owners close them."""
        self._tables, self._sandbox = tables, sandbox
        super().__init__("tables", self._make)

    async def _make(self, content_id: int) -> None:
        try:
            await self._tables.make(content_id, self._sandbox)
        except ContentGone:
            return
        except AppError as exc:
            logger.warning("the tables of a document were not made", extra={"error": exc.code})
