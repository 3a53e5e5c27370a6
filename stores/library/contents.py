"""What was read out of files, stored once per content however many people own it: the writing side of documents."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from typing_extensions import TypedDict

from domain.errors import ErrorBody
from domain.owner import Owner
from domain.types import AttachmentRef, OcrLine
from domain.words import Language
from readers.interface import Outline
from stores.library import keywords
from stores.library.attachments import as_ref
from stores.library.catalog import Catalog

LEASE_SECONDS = 30.0
"""A content whose reader has not reported for so long is free to be read by another process."""


@dataclass(frozen=True, slots=True)
class PageText:
    """The final text of one page; chunk offsets count its characters. `lines` and `confidence` only after OCR."""

    number: int
    label: str
    text: str
    ocr: bool = False
    confidence: float | None = None
    lines: list[OcrLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that is matched: `text` is characters `start` to `end` of its page's text."""

    page: int
    start: int
    end: int
    text: str
    tokens: int
    heading: str


class Gap(TypedDict):
    """A page that is not indexed as it should be: why, as a code of `readers.texts` or `stores.library.records`."""

    page: int
    state: Literal["skipped", "failed"]
    reason: str


@dataclass(frozen=True, slots=True)
class Embeddable:
    """A chunk as the embedding model gets it: its heading above its text."""

    ordinal: int
    text: str


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A content with work left, and one of its documents."""

    content_id: int
    status: str
    ref: AttachmentRef
    owner: Owner
    language: Language


class ContentGone(Exception):
    """The content was deleted while it was being read. Internal: its readers stop quietly."""


class Contents:
    """Contents by id: opened for an owner's file, filled page by page, finished or failed."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def open(
        self, ref: AttachmentRef, *, key: str, origin: str, language: Language, parent_id: str | None = None
    ) -> tuple[int, str]:
        """Make `ref` a document of the content `key`; return the content's id and status.

        A content that failed before is emptied and `queued` again: the reason may have gone. `parent_id` is the
        document whose file contained this one; it stays what it was when it is not given.
        """

        def change(db: sqlite3.Connection) -> tuple[int, str]:
            row = db.execute("SELECT id, status FROM contents WHERE key = ?", (key,)).fetchone()
            if row is None:
                insert = "INSERT INTO contents (key, origin, status) VALUES (?, ?, 'queued') RETURNING id, status"
                row = db.execute(insert, (key, origin)).fetchone()
            content_id, status = int(row["id"]), str(row["status"])
            if status == "failed":
                _clear(db, content_id)
                status = "queued"
            _link(db, ref["id"], content_id, parent_id, language)
            return content_id, status

        return await self._catalog.write(change)

    async def claim(self, content_id: int) -> int | None:
        """Take the reading of a content; return how many of its pages are stored already.

        Returns:
            `None` when another process reads it now, or it is finished.
        """

        def change(db: sqlite3.Connection) -> int | None:
            now = time.time()
            row = db.execute(
                "UPDATE contents SET lease = ?, status = 'reading' WHERE id = ? AND lease < ?"
                " AND status IN ('queued', 'reading') RETURNING pages_done",
                (now + LEASE_SECONDS, content_id, now),
            ).fetchone()
            return None if row is None else int(row["pages_done"])

        return await self._catalog.write(change)

    async def renew(self, content_id: int) -> None:
        """Keep a content that was claimed."""
        values = (time.time() + LEASE_SECONDS, content_id)
        await self._catalog.write(lambda db: db.execute("UPDATE contents SET lease = ? WHERE id = ?", values))

    async def release(self, content_id: int) -> None:
        """Give an unfinished reading back, to be resumed by whoever asks next."""
        await self._catalog.write(lambda db: db.execute("UPDATE contents SET lease = 0 WHERE id = ?", (content_id,)))

    async def has(self, key: str) -> bool:
        """Tell whether there is a content of this key."""
        query = "SELECT 1 FROM contents WHERE key = ?"
        return await self._catalog.read(lambda db: db.execute(query, (key,)).fetchone()) is not None

    async def status(self, content_id: int) -> str:
        """Return `queued`, `reading`, `ready`, `failed` or, when it was deleted, `gone`."""
        query = "SELECT status FROM contents WHERE id = ?"
        row = await self._catalog.read(lambda db: db.execute(query, (content_id,)).fetchone())
        return "gone" if row is None else str(row["status"])

    async def outline(self, content_id: int, outline: Outline) -> None:
        """Store what is known before the pages come."""
        await self._set(
            content_id, unit=outline.unit, title=outline.title[:300], pages_total=outline.pages_total,
            notes=json.dumps(outline.warnings),
        )  # fmt: skip

    async def add_pages(
        self, content_id: int, pages: Sequence[PageText], chunks: Sequence[Chunk], gaps: Sequence[Gap]
    ) -> None:
        """Store pages and their chunks; they are found by keyword when this returns.

        Raises:
            ContentGone: It was deleted meanwhile.
        """
        texts = [with_heading(chunk.heading, chunk.text) for chunk in chunks]

        def change(db: sqlite3.Connection) -> None:
            row = db.execute("SELECT chunks, gaps FROM contents WHERE id = ?", (content_id,)).fetchone()
            if row is None:
                raise ContentGone
            first = int(row["chunks"])
            db.executemany("INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)", (_page_row(content_id, p) for p in pages))
            db.executemany(
                "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?)",
                ((content_id, n, c.page, c.start, c.end, c.tokens, c.heading) for n, c in enumerate(chunks, first)),
            )
            if chunks:
                keywords.index(db, content_id, first, texts)
            db.execute(
                "UPDATE contents SET chunks = chunks + ?, tokens = tokens + ?, pages_done = pages_done + ?,"
                " pages_total = max(pages_total, pages_done + ?), gaps = ?, lease = ? WHERE id = ?",
                (len(chunks), sum(c.tokens for c in chunks), len(pages), len(pages),
                 json.dumps([*json.loads(row["gaps"]), *gaps]), time.time() + LEASE_SECONDS, content_id),
            )  # fmt: skip

        await self._catalog.write(change)

    async def finish(self, content_id: int, *, language: str, notes: Sequence[str] = ()) -> None:
        """Mark all pages as read; `notes` are added to those of the outline.

        Raises:
            ContentGone: It was deleted meanwhile.
        """

        def change(db: sqlite3.Connection) -> None:
            row = db.execute("SELECT notes FROM contents WHERE id = ?", (content_id,)).fetchone()
            if row is None:
                raise ContentGone
            db.execute(
                "UPDATE contents SET status = 'ready', language = ?, notes = ?, lease = 0,"
                " pages_total = max(pages_total, pages_done) WHERE id = ?",
                (language, json.dumps([*json.loads(row["notes"]), *notes]), content_id),
            )

        await self._catalog.write(change)

    async def fail(self, content_id: int, bodies: dict[Language, ErrorBody]) -> None:
        """Mark a content as unusable, with the error in both languages."""
        await self._set(content_id, status="failed", error=json.dumps(bodies), lease=0)

    async def set_summary(self, content_id: int, summary: str) -> None:
        """Store the summary of the whole document."""
        await self._set(content_id, summary=summary)

    async def set_picture(self, content_id: int, picture: dict[str, object]) -> None:
        """Store what OCR and the vision model gave (the picture fields of an `Attachment`)."""
        await self._set(content_id, picture=json.dumps(picture, ensure_ascii=False))

    async def add_embedded_file(self, content_id: int, name: str, ref: AttachmentRef) -> None:
        """Note that the content carries the file `ref`, shown as `name`."""
        values = (content_id, name, ref["sha256"], ref["kind"], ref["media_type"], ref["size"])
        await self._catalog.write(lambda db: db.execute("INSERT INTO embedded_files VALUES (?, ?, ?, ?, ?, ?)", values))

    async def embedded_files(self, content_id: int) -> list[AttachmentRef]:
        """Return the files that a content carries; their ids are empty, for nobody owns them by that."""
        query = "SELECT '' AS id, * FROM embedded_files WHERE content_id = ? ORDER BY rowid"
        return await self._catalog.read(lambda db: [as_ref(row) for row in db.execute(query, (content_id,))])

    async def children(self, document_id: str) -> list[AttachmentRef]:
        """Return the documents that came out of a document."""
        query = "SELECT a.* FROM documents d JOIN attachments a ON a.id = d.id WHERE d.parent_id = ?"
        return await self._catalog.read(lambda db: [as_ref(row) for row in db.execute(query, (document_id,))])

    async def not_embedded(self, content_id: int, limit: int) -> list[Embeddable]:
        """Return the next chunks that have no vector, in order.

        Raises:
            ContentGone: It was deleted meanwhile.
        """

        def query(db: sqlite3.Connection) -> list[Embeddable]:
            row = db.execute("SELECT embedded FROM contents WHERE id = ?", (content_id,)).fetchone()
            if row is None:
                raise ContentGone
            rows = db.execute(
                'SELECT c.ordinal, c.heading, substr(p.text, c.start + 1, c."end" - c.start) AS text FROM chunks c'
                " JOIN pages p ON p.content_id = c.content_id AND p.number = c.page"
                " WHERE c.content_id = ? AND c.ordinal >= ? ORDER BY c.ordinal LIMIT ?",
                (content_id, row["embedded"], limit),
            )
            return [Embeddable(r["ordinal"], with_heading(r["heading"], r["text"])) for r in rows]

        return await self._catalog.read(query)

    async def embedded(self, content_id: int, count: int, embedder: str) -> None:
        """Note that the first `count` chunks have vectors of `embedder`.

        Raises:
            ContentGone: It was deleted meanwhile; the vectors just stored have to be removed.
        """
        change = (
            "UPDATE contents SET embedded = ?1, embedder = ?2, lease = CASE WHEN status = 'reading' THEN lease"
            " WHEN ?1 >= chunks THEN 0 ELSE ?3 END WHERE id = ?4"
        )
        values = (count, embedder, time.time() + LEASE_SECONDS, content_id)
        changed = await self._catalog.write(lambda db: db.execute(change, values).rowcount)
        if not changed:
            raise ContentGone

    async def texts(self, content_id: int) -> list[str]:
        """Return the text of every page, in order."""
        query = "SELECT text FROM pages WHERE content_id = ? ORDER BY number"
        return await self._catalog.read(lambda db: [row["text"] for row in db.execute(query, (content_id,))])

    async def size(self, content_id: int) -> tuple[int, str, str | None]:
        """Return (tokens, language, summary).

        Raises:
            ContentGone: It was deleted meanwhile.
        """
        query = "SELECT tokens, language, summary FROM contents WHERE id = ?"
        row = await self._catalog.read(lambda db: db.execute(query, (content_id,)).fetchone())
        if row is None:
            raise ContentGone
        return row["tokens"], row["language"], row["summary"]

    async def unfinished(self, summary_threshold: int) -> list[Unfinished]:
        """Return contents that have work left and that nobody works on."""
        query = """
            SELECT c.id AS content_id, c.status, d.language AS asked, a.* FROM contents c
            JOIN documents d ON d.id = (SELECT min(id) FROM documents WHERE content_id = c.id)
            JOIN attachments a ON a.id = d.id
            WHERE c.lease < ? AND (c.status IN ('queued', 'reading') OR (c.status = 'ready' AND
              (c.embedded < c.chunks OR (c.tokens > ? AND c.summary IS NULL))))"""
        values = (time.time(), summary_threshold)
        rows = await self._catalog.read(lambda db: db.execute(query, values).fetchall())
        return [
            Unfinished(
                row["content_id"], row["status"], as_ref(row), Owner(row["user_id"], row["thread_id"]), row["asked"]
            )
            for row in rows
        ]

    async def forget_other_embedders(self, embedder: str) -> None:
        """Have contents embedded anew whose vectors are of another model."""
        change = "UPDATE contents SET embedded = 0 WHERE embedder != ? AND embedded > 0"
        await self._catalog.write(lambda db: db.execute(change, (embedder,)))

    async def _set(self, content_id: int, **values: object) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        statement = f"UPDATE contents SET {columns} WHERE id = ?"
        await self._catalog.write(lambda db: db.execute(statement, (*values.values(), content_id)))


def with_heading(heading: str, text: str) -> str:
    """Return a chunk with its innermost heading above it, unless it starts with that."""
    last = heading.rpartition(" › ")[2]
    return f"{last}\n{text}" if last and last not in text[: len(last) + 8] else text


def _link(db: sqlite3.Connection, document_id: str, content_id: int, parent_id: str | None, language: Language) -> None:
    """Point a document to its content; drop the one it pointed to before if that is nobody's now."""
    former = db.execute("SELECT content_id FROM documents WHERE id = ?", (document_id,)).fetchone()
    db.execute(
        "INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET content_id = excluded.content_id,"
        " parent_id = coalesce(excluded.parent_id, parent_id), language = excluded.language",
        (document_id, content_id, parent_id, language),
    )
    if former is None or former[0] == content_id:
        return
    if db.execute("SELECT 1 FROM documents WHERE content_id = ?", (former[0],)).fetchone() is None:
        delete_content(db, former[0])


def delete_content(db: sqlite3.Connection, content_id: int) -> None:
    """Delete every row of a content."""
    _clear(db, content_id)
    db.execute("DELETE FROM contents WHERE id = ?", (content_id,))


def _clear(db: sqlite3.Connection, content_id: int) -> None:
    segments = "SELECT id FROM segments WHERE content_id = ?"
    db.execute(f"DELETE FROM postings WHERE segment_id IN ({segments})", (content_id,))
    for table in ("segments", "chunks", "pages", "embedded_files"):
        db.execute(f"DELETE FROM {table} WHERE content_id = ?", (content_id,))
    db.execute(
        "UPDATE contents SET status = 'queued', pages_total = 0, pages_done = 0, tokens = 0, chunks = 0, embedded = 0,"
        " summary = NULL, picture = NULL, notes = '[]', gaps = '[]', error = NULL, lease = 0 WHERE id = ?",
        (content_id,),
    )


def _page_row(content_id: int, page: PageText) -> tuple[object, ...]:
    lines = json.dumps(page.lines, ensure_ascii=False) if page.lines else None
    return content_id, page.number, page.label, page.text, page.ocr, page.confidence, lines
