"""Catalog rows as the API shows them: attachments with progress, warnings and coverage, in the owner's language."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, NotRequired

from sqlalchemy import Select, bindparam, select
from typing_extensions import TypedDict

from domain.types import Attachment, Coverage, OcrLine
from domain.words import Language
from readers.texts import notice
from stores.library.attachments import as_ref
from stores.library.pages import Gap
from stores.library.visibility import VISIBLE, Sight
from stores.sql.tables import attachments, contents, documents

_FIELDS = ("status", "pages_total", "pages_done", "language", "summary", "chunks", "embedded", "notes", "gaps", "error")


class PageRecord(TypedDict):
    """One page as it was read: `lines` and `confidence` (0..1, mean of the lines) only where OCR read it."""

    number: int
    label: str
    markdown: str
    ocr: bool
    confidence: NotRequired[float]
    lines: NotRequired[list[OcrLine]]


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


_REASONS: dict[str, tuple[str, str]] = {
    "blank": ("no text on it", "没有文字"),
    "ocr_failed": ("its picture could not be recognised", "图片文字识别失败"),
    "ocr_unavailable": ("text recognition is not available here", "此处无法进行文字识别"),
    "reading_stopped": ("reading stopped before it", "读取在此之前中断"),
}
_PAGES: dict[Language, dict[str, str]] = {
    "en": {
        "skipped": "Not read ({reason}): page(s) {pages}.",
        "failed": "Could not be read ({reason}): page(s) {pages}.",
    },
    "zh": {"skipped": "未读取（{reason}）：第 {pages} 页。", "failed": "无法读取（{reason}）：第 {pages} 页。"},
}
QUIET = "blank"
"""A reason that is in the coverage ledger but is no warning: empty pages are normal."""


def attachment(row: Any) -> Attachment:
    """Return the attachment in a row of `select_documents`."""
    language: Language = row.asked
    shown = Attachment(
        **as_ref(row),  # type: ignore[typeddict-item]  # mypy wants the optional keys in it too
        status=row.status,
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
    gaps: list[Gap] = row.gaps
    warnings = [notice(note, language) for note in row.notes] + _gap_warnings(gaps, language)
    if warnings:
        shown["warnings"] = [*shown.get("warnings", []), *warnings]
    if gaps:
        shown["coverage"] = _coverage(gaps, row.pages_done, language)
    if row.error:
        shown["error"] = row.error[language]
    return shown


def page_record(row: Any) -> PageRecord:
    """Return a row of `pages` as the API shows it."""
    record = PageRecord(number=row.number, label=row.label, markdown=row.text, ocr=row.ocr)
    if row.confidence is not None:
        record["confidence"] = row.confidence
    if row.lines:
        record["lines"] = row.lines
    return record


def _coverage(gaps: list[Gap], done: int, language: Language) -> Coverage:
    pages = {state: [gap for gap in gaps if gap["state"] == state] for state in ("skipped", "failed")}
    return Coverage(
        read=max(0, done - len({gap["page"] for gap in gaps if gap["reason"] != "reading_stopped"})),
        skipped=[{"page": gap["page"], "reason": _reason(gap["reason"], language)} for gap in pages["skipped"]],
        failed=[{"page": gap["page"], "reason": _reason(gap["reason"], language)} for gap in pages["failed"]],
    )


def _gap_warnings(gaps: list[Gap], language: Language) -> list[str]:
    grouped: dict[tuple[str, str], list[int]] = {}
    for gap in gaps:
        if gap["reason"] != QUIET:
            grouped.setdefault((gap["state"], gap["reason"]), []).append(gap["page"])
    return [
        _PAGES[language][state].format(reason=_reason(reason, language), pages=_ranges(pages))
        for (state, reason), pages in grouped.items()
    ]


def _reason(code: str, language: Language) -> str:
    if code in _REASONS:
        return _REASONS[code][language == "zh"]
    sentence = notice(code, language).rstrip(".。")
    return sentence[:1].lower() + sentence[1:]


def _ranges(pages: list[int]) -> str:
    """Return page numbers with runs drawn together.

    >>> _ranges([1, 2, 3, 7])
    '1-3, 7'
    """
    runs: list[list[int]] = []
    for page in sorted(set(pages)):
        if runs and page == runs[-1][1] + 1:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
