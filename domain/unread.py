"""What was not read of a file: from the codes that readers and stores keep to the sentences that people and models get.

What was read is stored once and shown to people of either language. So a reader notes a code with an optional argument
(`"pages_cut:2000"`), and the catalog keeps such notes, and for each page that is missing a `Gap`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from typing_extensions import TypedDict

from domain.types import Attachment, Coverage, PageGap
from domain.words import Language, Words


class Gap(TypedDict):
    """A page that is not indexed as it should be, and why: a code of `REASONS`."""

    page: int
    state: Literal["skipped", "failed"]
    reason: str


HIDDEN: Final = "hidden_apart"
"""The note on text that readers of a file do not see: how many characters, and on which pages."""
INVISIBLE: Final = "invisible_characters"
"""The note on characters that change how a text reads, with their number."""
NOTES: Final = {
    "repaired": Words(
        "The file was damaged and has been repaired; parts may be missing.",
        "文件有损坏，已修复后读取，内容可能不完整。",
    ),
    "pages_cut": Words("Only the first {0} pages were read.", "只读取了前 {0} 页。"),
    "rows_cut": Words("Only the first {0} rows were read.", "只读取了前 {0} 行。"),
    "formulas_without_value": Words(
        "{0} formulas have no stored value and stand as formulas.", "有 {0} 个公式没有保存计算结果，只显示公式本身。"
    ),
    "hidden_text": Words(
        "This page holds text that a reader cannot see; it was left out.", "此页含有读者看不到的文字，已略去。"
    ),
    HIDDEN: Words(
        "This file holds text that its readers cannot see: {0} characters (page(s) {1}). It is kept apart and is no "
        "part of what the file says; it may be meant to mislead.",
        "此文件含有读者看不到的文字：共 {0} 个字符（第 {1} 页）。这些文字已单独保存，不作为文件内容，可能意在误导。",
    ),
    INVISIBLE: Words(
        "{0} invisible characters that change how the text reads were taken out.",
        "已去除 {0} 个影响文字读法的不可见字符。",
    ),
    "recognised_in_part": Words(
        "Of a long picture only the first part was recognised in the time allowed.",
        "长图只在限定时间内识别了前一部分。",
    ),
    "scan_text_layer": Words(
        "The text comes from the scan's own text layer and was not checked.", "文字来自扫描件自带的文本层，未经核对。"
    ),
    "encoding_guessed": Words("The text encoding was guessed: {0}.", "文本编码为推测所得：{0}。"),
    "characters_lost": Words(
        "{0} characters of this file are damaged and cannot be read.", "此文件中有 {0} 个字符已损坏，无法读取。"
    ),
    "files_skipped": Words("{0} files inside this file were left out.", "此文件内有 {0} 个文件未读取。"),
    "pictures_not_read": Words("{0} pictures inside this file were not read.", "此文件内有 {0} 张图片未识别文字。"),
    "chapters_missing": Words(
        "{0} chapters that the book lists could not be read.", "目录所列的章节中有 {0} 个无法读取。"
    ),
    "parts_not_read": Words(
        "{0} embedded objects, recordings or drawings inside this file were not read.",
        "此文件内有 {0} 个嵌入对象、音视频或图形未读取。",
    ),
}
"""On a file as a whole."""
REASONS: Final = {
    "blank": Words("no text on it", "没有文字"),
    "ocr_failed": Words("its picture could not be recognised", "图片文字识别失败"),
    "ocr_unavailable": Words("text recognition is not available here", "此处无法进行文字识别"),
    "page_failed": Words("this page is damaged and could not be read", "此页已损坏，无法读取"),
    "page_image_too_large": Words(
        "the picture on this page is too large for text recognition", "此页图片过大，未进行文字识别"
    ),
    "reading_stopped": Words("reading stopped before it", "读取在此之前中断"),
}
"""Why a page is missing."""
QUIET: Final = "blank"
"""A reason that is in the coverage ledger but is no warning: empty pages are normal."""
MOST_NAMED: Final = 20
"""Most pages without text that are named."""

_STATES: Final = {
    "skipped": Words("Not read ({reason}): page(s) {pages}.", "未读取（{reason}）：第 {pages} 页。"),
    "failed": Words("Could not be read ({reason}): page(s) {pages}.", "无法读取（{reason}）：第 {pages} 页。"),
}
_FRAMES = Words(
    "{name} has {total} pages; the text of {done} of them was read.",
    "{name} 共 {total} 页，只识别了其中 {done} 页的文字。",
)
_PAGES_READ = Words("{read} of {total} pages were read.", "共 {total} 页，已读取 {read} 页。")
_PAGES_EMPTY = Words("Without text: page(s) {pages}.", "没有文字：第 {pages} 页。")
_BETWEEN = Words(" ", "")


def warnings(notes: Sequence[str], gaps: Sequence[Gap], language: Language) -> list[str]:
    """Return the sentences of notes, then those of gaps, pages that share state and reason together.

    An unknown code stands as it is.
    """
    said: list[str] = []
    for note in notes:
        code, _, argument = note.partition(":")
        said.append(NOTES[code].text(language).format(*argument.split(":")) if code in NOTES else note)
    grouped: dict[tuple[str, str], list[int]] = {}
    for gap in gaps:
        if gap["reason"] != QUIET:
            grouped.setdefault((gap["state"], gap["reason"]), []).append(gap["page"])
    for (state, reason), pages in grouped.items():
        text = _STATES[state].text(language)
        said.append(text.format(reason=_reason(reason, language), pages=ranges(pages)))
    return said


def coverage(gaps: Sequence[Gap], done: int, language: Language) -> Coverage:
    """Return the coverage ledger of a document of which `done` pages were gone through."""
    missing = {
        state: [
            PageGap(page=gap["page"], reason=_reason(gap["reason"], language)) for gap in gaps if gap["state"] == state
        ]
        for state in _STATES
    }
    read = max(0, done - len({gap["page"] for gap in gaps if gap["reason"] != "reading_stopped"}))
    return Coverage(read=read, skipped=missing["skipped"], failed=missing["failed"])


def coverage_text(document: Attachment, language: Language) -> str:
    """Return what was not read of a document; empty when all of it was, or when it is still being read.

    Pages that failed stand in its warnings with their reasons.
    """
    ledger, noted = document.get("coverage"), document.get("warnings", [])
    if document["kind"] == "image" or document["status"] != "ready" or not (ledger or noted):
        return ""
    said: list[str] = []
    if ledger:
        said.append(_PAGES_READ.text(language).format(read=ledger["read"], total=document.get("pages_total", 1)))
        failed = {gap["page"] for gap in ledger["failed"]}
        empty = [str(gap["page"]) for gap in ledger["skipped"] if gap["page"] not in failed]
        if empty:
            named = ", ".join(empty[:MOST_NAMED]) + (", …" if len(empty) > MOST_NAMED else "")
            said.append(_PAGES_EMPTY.text(language).format(pages=named))
    return _BETWEEN.text(language).join([*said, *noted])


def frames_left_out(name: str, total: int, done: int, language: Language) -> list[str]:
    """Return the warning of a picture of `total` pages of which `done` were recognised; none when all were."""
    return [_FRAMES.text(language).format(name=name, total=total, done=done)] if 1 < total != done else []


def _reason(code: str, language: Language) -> str:
    return REASONS[code].text(language) if code in REASONS else code


def hidden_note(notes: Sequence[str], language: Language) -> str:
    """Return the sentence on text that readers of a file do not see; empty where there is none."""
    return " ".join(warnings([note for note in notes if note.startswith(f"{HIDDEN}:")], [], language))


def ranges(pages: Sequence[int]) -> str:
    """Return page numbers with runs written as ranges.

    >>> ranges([1, 2, 3, 7])
    '1-3, 7'
    """
    runs: list[list[int]] = []
    for page in sorted(set(pages)):
        if runs and page == runs[-1][1] + 1:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
