"""Deletes documents from every store, and proves it: a receipt counts each store before and after.

One transaction hides and deletes the catalog's rows and leaves a tombstone that names the vectors and files still to
go. The tombstone goes last, so a deletion that was killed in the middle is finished on the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, select
from typing_extensions import TypedDict

from domain.errors import UnknownDocument
from domain.owner import Owner
from stores.library.attachments import Attachments, is_owned
from stores.library.pages import delete_content
from stores.library.table_store import TableStore
from stores.library.vectors import VectorStore
from stores.sql.database import Database, among
from stores.sql.tables import attachments, chunks, contents, documents, pages, postings, segments, tombstones


class Count(TypedDict):
    """Items that a store held of what was deleted, and holds now."""

    before: int
    after: int


Receipt = dict[str, Count]
"""Counts by store: `documents`, `attachments`, `pages`, `chunks`, `keywords`, `vectors`, `files`.

What is counted as gone is gone from the files of DATA_DIR as well.
"""


def _with_children(*which: ColumnElement[bool]) -> Select[tuple[str]]:
    """Return the query of the ids of `which` attachments and of all files that came out of them."""
    gone = select(attachments.c.id).where(*which).cte("gone", recursive=True)
    return select(gone.union(select(documents.c.id).where(documents.c.parent_id == gone.c.id)).c.id)


class Removal:
    """Deletes documents with all that only their owner had."""

    def __init__(self, database: Database, vectors: VectorStore | None, files: Attachments, tables: TableStore) -> None:
        self._database = database
        self._tables = tables
        self._vectors = vectors
        self._files = files

    async def family(self, document_id: str, owner: Owner) -> list[str]:
        """Return the ids of a document and of the files that came out of it.

        Raises:
            UnknownDocument: There is none, or it is another user's.
        """
        ids = await self._ids(attachments.c.id == document_id, attachments.c.user_id == owner.user_id)
        if not ids:
            raise UnknownDocument(id=document_id)
        return ids

    async def document(self, document_id: str, owner: Owner) -> Receipt:
        """Delete one document and the files that came out of it.

        Raises:
            UnknownDocument: There is none, or it is another user's.
        """
        receipt = await self._remove(attachments.c.id == document_id, attachments.c.user_id == owner.user_id)
        if not receipt["attachments"]["before"]:
            raise UnknownDocument(id=document_id)
        return receipt

    async def owner(self, owner: Owner) -> Receipt:
        """Delete all of a thread, or all of a user."""
        mine = attachments.c.user_id == owner.user_id
        if owner.thread_id is None:
            return await self._remove(mine)
        return await self._remove(mine, attachments.c.thread_id == owner.thread_id)

    async def finish(self) -> None:
        """Carry out what tombstones name: deletions that were cut short."""
        for stone in await self._database.read(lambda db: db.execute(select(tombstones)).all()):
            await self._carry_out(stone)

    async def _remove(self, *which: ColumnElement[bool]) -> Receipt:
        ids = await self._ids(*which)
        before = await self._held(ids)
        stone = await self._database.write(lambda db: _bury(db, ids))
        await self._carry_out(stone)
        left = {int(content_id): int(count) for content_id, count in stone.contents.items()}
        after = await self._held(ids, left, stone.files)
        return {store: Count(before=before[store], after=after[store]) for store in before}

    async def _ids(self, *which: ColumnElement[bool]) -> list[str]:
        return await self._database.read(lambda db: list(db.scalars(_with_children(*which))))

    async def _carry_out(self, stone: Row[Any]) -> None:
        if self._vectors is not None:
            await self._vectors.delete({int(content_id): count for content_id, count in stone.contents.items()})
        await self._tables.delete([int(content_id) for content_id in stone.contents])
        await self._files.release(stone.files)
        await self._database.scrub()
        await self._database.write(lambda db: db.execute(delete(tombstones).where(tombstones.c.id == stone.id)))

    async def _held(
        self, ids: list[str], contents: dict[int, int] | None = None, files: Sequence[str] | None = None
    ) -> dict[str, int]:
        """Count what the stores hold of these documents, and of `contents` and `files` without an owner."""
        counts, sizes, hashes = await self._database.read(lambda db: _count(db, ids, contents or {}))
        counts["vectors"] = await self._vectors.count(sizes) if self._vectors else 0
        paths = [self._files.path(sha256) for sha256 in {*hashes, *(files or ())}]
        counts["files"] = await asyncio.to_thread(lambda: sum(path.is_file() for path in paths))
        return counts


def _bury(db: Connection, ids: list[str]) -> Row[Any]:
    """Delete the rows of the documents that no one else shares; return the tombstone of the rest."""
    hashes = set(db.scalars(select(attachments.c.sha256).where(among(attachments.c.id, ids))))
    held = list(db.scalars(select(documents.c.content_id).where(among(documents.c.id, ids)).distinct()))
    sizes = select(contents.c.id, contents.c.chunks).where(among(contents.c.id, held)).order_by(contents.c.id)
    locked = db.execute(sizes.with_for_update()).all()
    db.execute(delete(documents).where(among(documents.c.id, ids)))
    db.execute(delete(attachments).where(among(attachments.c.id, ids)))
    owned = set(db.scalars(select(documents.c.content_id).where(among(documents.c.content_id, held))))
    orphans = {row.id: row.chunks for row in locked if row.id not in owned}
    for content_id in orphans:
        delete_content(db, content_id)
    unowned = sorted(sha256 for sha256 in hashes if not is_owned(db, sha256))
    return db.execute(insert(tombstones).values(contents=orphans, files=unowned).returning(tombstones)).one()


def _count(db: Connection, ids: list[str], left: dict[int, int]) -> tuple[dict[str, int], dict[int, int], list[str]]:
    """Return counts by store, chunks by content id, and hashes of the files."""
    held = select(documents.c.content_id).where(among(documents.c.id, ids))
    sizes = {
        row.id: row.chunks
        for row in db.execute(select(contents.c.id, contents.c.chunks).where(contents.c.id.in_(held)))
    }
    sizes |= left
    hashes = list(db.scalars(select(attachments.c.sha256).where(among(attachments.c.id, ids)).distinct()))

    def number(column: ColumnElement[Any], values: Iterable[Any], *joined: ColumnElement[bool]) -> int:
        return int(db.scalar(select(func.count()).where(among(column, list(values)), *joined)) or 0)

    counts = {
        "documents": number(documents.c.id, ids),
        "attachments": number(attachments.c.id, ids),
        "pages": number(pages.c.content_id, sizes),
        "chunks": number(chunks.c.content_id, sizes),
        "keywords": number(segments.c.content_id, sizes, postings.c.segment_id == segments.c.id),
    }
    return counts, sizes, hashes
