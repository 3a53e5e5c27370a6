"""Catalog rows as the API shows them: attachments with progress, warnings and coverage, in the owner's language."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, NotRequired

from sqlalchemy import Select, bindparam, select
from typing_extensions import TypedDict

from domain import unread
from domain.types import Attachment, OcrLine
from domain.words import Language
from stores.library.attachments import as_ref
from stores.library.visibility import VISIBLE, Sight
from stores.sql.tables import attachments, contents, documents

ANY_NAME = "\ufffc"
"""Stands for the name of the file in what is stored once for all its owners: each of them reads their own name."""
_FIELDS = ("status", "pages_total", "pages_done", "language", "summary", "chunks", "embedded", "notes", "gaps", "error")


class PageRecord(TypedDict):
    """One page as it was read: `lines` and `confidence` (0..1, mean of the lines) only where OCR read it.

    `hidden` is there where the page holds text that a reader of the document does not see.
    """

    number: int
    label: str
    markdown: str
    ocr: bool
    confidence: NotRequired[float]
    lines: NotRequired[list[OcrLine]]
    hidden: NotRequired[str]


@cache
def select_documents(which: Sight | Literal["one"]) -> Select[Any]:
    """Return the query of the documents in sight, oldest first, or with `one` of a single one with all its details."""
    fields = [contents.c[name] for name in _FIELDS]
    query = (
        select(attachments, documents.c.language.label("asked"), *fields)
        .join(documents, documents.c.id == attachments.c.id)
        .join(contents, contents.c.id == documents.c.content_id)
    )
    if which == "one":
        mine = attachments.c.user_id == bindparam("user_id")
        return query.add_columns(contents.c.picture).where(attachments.c.id == bindparam("document_id"), mine)
    return query.where(VISIBLE[which]).order_by(attachments.c.created, attachments.c.id)


def attachment(row: Any) -> Attachment:
    """Return the attachment in a row of `select_documents`."""
    language: Language = row.asked
    shown = Attachment(
        **as_ref(row),  # type: ignore[typeddict-item]  # mypy wants the optional keys in it too
        status=row.status,
        created=row.created,
        pages_total=row.pages_total,
        pages_done=row.pages_done,
    )
    if row.language:
        shown["language"] = row.language
    if row.summary:
        shown["summary"] = row.summary
    if row.chunks:
        shown["indexed"] = round(row.embedded / row.chunks, 3)
    if picture := getattr(row, "picture", None):
        shown.update(picture)
    _note(shown, row)
    if row.gaps:
        shown["coverage"] = unread.coverage(row.gaps, row.pages_done, language)
    if row.error:
        shown["error"] = row.error[language]
    return named(shown)


def _note(shown: Attachment, row: Any) -> None:
    """Say in `shown` what is to be known of a file, and apart from that, that it holds hidden text."""
    if noted := unread.warnings(row.notes, row.gaps, row.asked):
        shown["warnings"] = [*shown.get("warnings", []), *noted]
    if hidden := unread.hidden_note(row.notes, row.asked):
        shown["hidden"] = hidden


def named(shown: Attachment) -> Attachment:
    """Return the attachment with its own name where the stored texts have `ANY_NAME`."""
    name = shown["name"]
    if "warnings" in shown:
        shown["warnings"] = [warning.replace(ANY_NAME, name) for warning in shown["warnings"]]
    if "error" in shown:
        shown["error"]["message"] = shown["error"]["message"].replace(ANY_NAME, name)
    return shown


def page_record(row: Any) -> PageRecord:
    """Return a row of `pages` as the API shows it."""
    record = PageRecord(number=row.number, label=row.label, markdown=row.text, ocr=row.ocr)
    if row.confidence is not None:
        record["confidence"] = row.confidence
    if row.lines:
        record["lines"] = row.lines
    if row.hidden:
        record["hidden"] = row.hidden
    return record
