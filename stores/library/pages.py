"""Pages and chunks of a content: what they are, and the rows that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, ScalarSelect, delete, func, select

from domain.types import OcrLine
from stores.sql.database import insert_rows
from stores.sql.tables import chunks, contents, embedded_files, pages, postings, segments


@dataclass(frozen=True, slots=True)
class PageText:
    """The final text of one page; chunk offsets count its characters. `lines` and `confidence` only after OCR.

    `hidden` is text that a reader of the document does not see.
    """

    number: int
    label: str
    text: str
    ocr: bool = False
    confidence: float | None = None
    lines: list[OcrLine] = field(default_factory=list)
    hidden: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that is matched: `text` is characters `start` to `end` of its page's text."""

    page: int
    start: int
    end: int
    text: str
    tokens: int
    heading: str


CHUNK_TEXT: ScalarSelect[str] = (
    select(func.substr(pages.c.text, chunks.c.start + 1, chunks.c.end - chunks.c.start))
    .where(pages.c.content_id == chunks.c.content_id, pages.c.number == chunks.c.page)
    .correlate(chunks)
    .scalar_subquery()
)
"""The text of a chunk, as a column of a query on `chunks`."""


def with_heading(heading: str, text: str) -> str:
    """Return a chunk with its innermost heading above it, unless it starts with that."""
    last = heading.rpartition(" › ")[2]
    return f"{last}\n{text}" if last and last not in text[: len(last) + 8] else text


def insert_pages(db: Connection, content_id: int, first: int, read: Sequence[PageText], found: Sequence[Chunk]) -> None:
    """Write pages, and their chunks from ordinal `first` on."""
    insert_rows(
        db,
        pages,
        (
            (content_id, page.number, page.label, page.text, page.ocr, page.confidence, page.lines or None, page.hidden)
            for page in read
        ),
    )
    insert_rows(
        db,
        chunks,
        (
            (content_id, ordinal, chunk.page, chunk.start, chunk.end, chunk.tokens, chunk.heading)
            for ordinal, chunk in enumerate(found, first)
        ),
    )


def clear_content(db: Connection, content_id: int) -> None:
    """Delete everything that was read of a content, and make it `queued` again."""
    of_content = select(segments.c.id).where(segments.c.content_id == content_id)
    db.execute(delete(postings).where(postings.c.segment_id.in_(of_content)))
    for table in (segments, chunks, pages, embedded_files):
        db.execute(delete(table).where(table.c.content_id == content_id))
    db.execute(
        contents.update()
        .where(contents.c.id == content_id)
        .values(
            status="queued", pages_total=0, pages_done=0, tokens=0, chunks=0, embedded=0, summary=None, picture=None,
            notes=[], gaps=[], error=None, lease=0,
        )
    )  # fmt: skip


def delete_content(db: Connection, content_id: int) -> None:
    """Delete every row of a content."""
    clear_content(db, content_id)
    db.execute(delete(contents).where(contents.c.id == content_id))
