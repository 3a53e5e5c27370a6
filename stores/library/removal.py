"""Deletes documents from every store, and proves it: a receipt counts each store before and after.

One transaction hides and deletes the catalog's rows and leaves a tombstone that names the vectors and files still to
go. The tombstone goes last, so a deletion that was killed in the middle is finished on the next start.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from typing_extensions import TypedDict

from domain.errors import UnknownDocument
from domain.owner import Owner
from stores.library.attachments import Attachments
from stores.library.catalog import Catalog
from stores.library.contents import delete_content
from stores.library.vectors import VectorStore


class Count(TypedDict):
    """Items that a store held of what was deleted, and holds now."""

    before: int
    after: int


Receipt = dict[str, Count]
"""Counts by store: `documents`, `attachments`, `pages`, `chunks`, `keywords`, `vectors`, `files`."""

_WITH_CHILDREN = """
WITH RECURSIVE gone(id) AS (
  SELECT id FROM attachments a WHERE {where}
  UNION SELECT d.id FROM documents d JOIN gone ON d.parent_id = gone.id)
SELECT id FROM gone"""


class Removal:
    """Deletes documents with all that only their owner had."""

    def __init__(self, catalog: Catalog, vectors: VectorStore | None, attachments: Attachments) -> None:
        self._catalog = catalog
        self._vectors = vectors
        self._attachments = attachments

    async def family(self, document_id: str, owner: Owner) -> list[str]:
        """Return the ids of a document and of the files that came out of it.

        Raises:
            UnknownDocument: There is none, or it is another user's.
        """
        ids = await self._ids("a.id = ? AND a.user_id = ?", (document_id, owner.user_id))
        if not ids:
            raise UnknownDocument(id=document_id)
        return ids

    async def document(self, document_id: str, owner: Owner) -> Receipt:
        """Delete one document and the files that came out of it.

        Raises:
            UnknownDocument: There is none, or it is another user's.
        """
        receipt = await self._remove("a.id = ? AND a.user_id = ?", (document_id, owner.user_id))
        if not receipt["attachments"]["before"]:
            raise UnknownDocument(id=document_id)
        return receipt

    async def owner(self, owner: Owner) -> Receipt:
        """Delete all of a thread, or all of a user."""
        if owner.thread_id is None:
            return await self._remove("a.user_id = ?", (owner.user_id,))
        return await self._remove("a.user_id = ? AND a.thread_id = ?", (owner.user_id, owner.thread_id))

    async def finish(self) -> None:
        """Carry out what tombstones name: deletions that were cut short."""
        stones = await self._catalog.read(lambda db: db.execute("SELECT * FROM tombstones").fetchall())
        for stone in stones:
            await self._carry_out(stone)

    async def _remove(self, where: str, values: Sequence[str]) -> Receipt:
        ids = await self._ids(where, values)
        before = await self._held(ids)
        stone = await self._catalog.write(lambda db: _bury(db, ids))
        await self._carry_out(stone)
        left = {int(content_id): int(n) for content_id, n in json.loads(stone["contents"]).items()}
        after = await self._held(ids, left, json.loads(stone["files"]))
        return {store: Count(before=before[store], after=after[store]) for store in before}

    async def _ids(self, where: str, values: Sequence[str]) -> list[str]:
        query = _WITH_CHILDREN.format(where=where)
        return await self._catalog.read(lambda db: [row["id"] for row in db.execute(query, values)])

    async def _carry_out(self, stone: sqlite3.Row) -> None:
        if self._vectors is not None:
            for content_id, count in json.loads(stone["contents"]).items():
                await self._vectors.delete(int(content_id), count)
        await self._attachments.release(json.loads(stone["files"]))
        await self._catalog.scrub()
        await self._catalog.write(lambda db: db.execute("DELETE FROM tombstones WHERE id = ?", (stone["id"],)))

    async def _held(
        self, ids: list[str], contents: dict[int, int] | None = None, files: Sequence[str] | None = None
    ) -> dict[str, int]:
        """Count what the stores hold of these documents, and of `contents` and `files` that nobody owns any more."""
        counts, sizes, hashes = await self._catalog.read(lambda db: _count(db, ids, contents or {}))
        counts["vectors"] = await self._vectors.count(sizes) if self._vectors else 0
        counts["files"] = sum(self._attachments.path(sha256).is_file() for sha256 in {*hashes, *(files or ())})
        return counts


def _bury(db: sqlite3.Connection, ids: list[str]) -> sqlite3.Row:
    """Delete the documents and what nobody else owns of them; return the tombstone of the rest."""
    listed = (json.dumps(ids),)
    among = "IN (SELECT value FROM json_each(?))"
    files = [r[0] for r in db.execute(f"SELECT DISTINCT sha256 FROM attachments WHERE id {among}", listed)]
    contents = [r[0] for r in db.execute(f"SELECT DISTINCT content_id FROM documents WHERE id {among}", listed)]
    db.execute(f"DELETE FROM documents WHERE id {among}", listed)
    db.execute(f"DELETE FROM attachments WHERE id {among}", listed)
    orphans: dict[int, int] = {}
    for content_id in contents:
        if db.execute("SELECT 1 FROM documents WHERE content_id = ?", (content_id,)).fetchone() is None:
            orphans[content_id] = db.execute("SELECT chunks FROM contents WHERE id = ?", (content_id,)).fetchone()[0]
            delete_content(db, content_id)
    unowned = [sha for sha in files if not db.execute("SELECT 1 FROM attachments WHERE sha256 = ?", (sha,)).fetchone()]
    values = (json.dumps(orphans), json.dumps(unowned))
    row: sqlite3.Row = db.execute(
        "INSERT INTO tombstones (contents, files) VALUES (?, ?) RETURNING *", values
    ).fetchone()
    return row


def _count(
    db: sqlite3.Connection, ids: list[str], contents: dict[int, int]
) -> tuple[dict[str, int], dict[int, int], list[str]]:
    """Return counts by store, chunks by content id, and hashes of the files."""
    listed = json.dumps(ids)
    among = "IN (SELECT value FROM json_each(?))"
    owned = dict(
        db.execute(
            f"SELECT c.id, c.chunks FROM contents c WHERE c.id IN (SELECT content_id FROM documents WHERE id {among})",
            (listed,),
        ).fetchall()
    )
    sizes = {**owned, **contents}
    chosen = json.dumps(list(sizes))
    hashes = [row[0] for row in db.execute(f"SELECT DISTINCT sha256 FROM attachments WHERE id {among}", (listed,))]

    def number(query: str, value: str) -> int:
        return int(db.execute(f"SELECT count(*) FROM {query} {among}", (value,)).fetchone()[0])

    counts = {
        "documents": number("documents WHERE id", listed),
        "attachments": number("attachments WHERE id", listed),
        "pages": number("pages WHERE content_id", chosen),
        "chunks": number("chunks WHERE content_id", chosen),
        "keywords": number(
            "postings p JOIN segments s ON s.id = p.segment_id WHERE s.content_id", chosen
        ),
    }  # fmt: skip
    return counts, sizes, hashes
