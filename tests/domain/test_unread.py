"""What was not read of a file is said in one place, in both languages."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from domain.types import Attachment
from domain.unread import NOTES, REASONS, Gap, coverage, coverage_text, frames_left_out, warnings

ROOT = Path(__file__).resolve().parents[2]
GAPS = [
    Gap(page=2, state="skipped", reason="blank"),
    Gap(page=3, state="failed", reason="ocr_failed"),
    Gap(page=4, state="failed", reason="ocr_failed"),
    Gap(page=5, state="failed", reason="reading_stopped"),
]


@pytest.mark.parametrize("code", [*NOTES, *REASONS])
def test_every_code_has_both_languages(code: str) -> None:
    words = (NOTES | REASONS)[code]
    assert words.en != words.zh and words.en.isascii() and not words.zh.isascii()
    places = [[field for _, field, _, _ in string.Formatter().parse(text) if field] for text in words]
    assert places[0] == places[1]


def test_every_code_that_a_reader_gives_is_known() -> None:
    """Codes stand in the readers as `warnings=(...)` of pages and outlines, or in constants of capitals."""
    given = set[str]()
    for path in ROOT.glob("readers/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "warnings":
                given |= {
                    part.value
                    for part in ast.walk(node.value)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                }
    codes = {text.partition(":")[0] for text in given} - {""}
    assert {"page_failed", "scan_text_layer"} <= codes
    assert codes <= NOTES.keys() | REASONS.keys()


def test_warnings_are_notes_then_gaps_with_their_pages_drawn_together() -> None:
    assert warnings(["pages_cut:2000", "left alone"], GAPS, "en") == [
        "Only the first 2000 pages were read.",
        "left alone",
        "Could not be read (its picture could not be recognised): page(s) 3-4.",
        "Could not be read (reading stopped before it): page(s) 5.",
    ]
    assert warnings(["repaired"], GAPS[:2], "zh") == [
        "文件有损坏，已修复后读取，内容可能不完整。",
        "无法读取（图片文字识别失败）：第 3 页。",
    ]


def test_the_ledger_counts_pages_that_were_gone_through_and_have_text() -> None:
    ledger = coverage(GAPS, 4, "en")
    assert ledger["read"] == 1
    assert ledger["skipped"] == [{"page": 2, "reason": "no text on it"}]
    assert [gap["page"] for gap in ledger["failed"]] == [3, 4, 5]


def test_a_document_tells_what_is_missing_of_it_and_one_that_is_whole_tells_nothing() -> None:
    whole = Attachment(
        id="a", name="a.pdf", kind="document", media_type="application/pdf", size=1, sha256="", status="ready",
        pages_total=5,
    )  # fmt: skip
    assert coverage_text(whole, "en") == ""
    partly = Attachment(**{**whole, "coverage": coverage(GAPS, 4, "zh"), "warnings": ["仅此而已。"]})
    assert coverage_text(partly, "zh") == "共 5 页，已读取 1 页。没有文字：第 2 页。仅此而已。"


def test_a_picture_of_several_pages_says_how_many_were_read() -> None:
    assert frames_left_out("scan.tiff", 30, 20, "en") == ["scan.tiff has 30 pages; the text of 20 of them was read."]
    assert frames_left_out("photo.png", 1, 0, "en") == frames_left_out("scan.tiff", 3, 3, "en") == []
