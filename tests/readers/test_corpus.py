"""Every file of the shared corpus: each expected fact on its page, each bad file with its failure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from domain import errors
from domain.errors import AppError
from tests.conftest import CORPUS
from tests.readers.conftest import Read

pytestmark = pytest.mark.corpus

FAILURES = {
    "empty": errors.FileEmpty,
    "corrupt": errors.FileCorrupt,
    "password_required": errors.FileEncrypted,
    "too_large": errors.FileTooLarge,
    "unsupported": errors.UnsupportedType,
}
MANIFEST = CORPUS / "manifest.json"
ROWS = json.loads(MANIFEST.read_text("utf-8"))["files"] if MANIFEST.is_file() else []


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def rows(wanted: Callable[[dict[str, Any], str], bool]) -> list[ParameterSet]:
    chosen = [pytest.param(row, id=row["file"]) for row in ROWS if wanted(row["expect"], row["kind"])]
    return chosen or [pytest.param(None, marks=pytest.mark.skip("the shared corpus is not on this machine"))]


def is_text(expect: dict[str, Any], kind: str) -> bool:
    return expect["ok"] is True and not expect.get("needs_ocr")


@pytest.mark.parametrize("row", rows(is_text))
async def test_every_fact_is_on_its_page(row: dict[str, Any], corpus: Path, read: Read) -> None:
    outline, pages, embedded = await read(corpus / row["file"])
    expect = row["expect"]
    whole = squeezed("".join(page.markdown for page in pages))
    if expect.get("pages"):
        assert len(pages) == expect["pages"]
    for fact in expect.get("facts", []):
        place = squeezed(pages[fact["page"] - 1].markdown) if fact.get("page") else whole
        assert squeezed(fact["text"]) in place, fact
    for question in expect.get("qa", []):
        place = squeezed("".join(page.markdown for page in pages[question["page"] - 1 : question["page"] + 1]))
        assert any(squeezed(answer) in place for answer in question["answers"]), question
    assert not [text for text in expect.get("must_not", []) if squeezed(text) in whole]
    assert [file.name for file in embedded] == expect.get("attachments", [])
    for heading in expect.get("headings", []):
        assert re.search(rf"^#+ {re.escape(heading)}$", "\n".join(page.markdown for page in pages), re.M)
    if expect.get("encoding"):
        assert outline.encoding == expect["encoding"]


@pytest.mark.parametrize("row", rows(lambda expect, kind: expect["ok"] is False))
async def test_every_bad_file_fails_as_it_should(row: dict[str, Any], corpus: Path, read: Read) -> None:
    with pytest.raises(FAILURES[row["expect"]["failure"]]):
        await read(corpus / row["file"])


@pytest.mark.parametrize("row", rows(lambda expect, kind: expect["ok"] == "either"))
async def test_half_a_file_fails_or_says_that_it_is_half(row: dict[str, Any], corpus: Path, read: Read) -> None:
    try:
        outline, pages, _ = await read(corpus / row["file"])
    except AppError as error:
        assert isinstance(error, FAILURES[row["expect"]["failure"]])
    else:
        assert pages
        assert "repaired" in outline.warnings


@pytest.mark.parametrize("row", rows(lambda expect, kind: kind == "pdf-encrypted"))
async def test_the_password_opens_it(row: dict[str, Any], corpus: Path, read: Read) -> None:
    _, pages, _ = await read(corpus / row["file"], password=row["expect"]["password"])
    assert squeezed(row["expect"]["facts"][0]["text"]) in squeezed(pages[0].markdown)
    with pytest.raises(errors.FileEncrypted):
        await read(corpus / row["file"], password="wrong")


@pytest.mark.parametrize("row", rows(lambda expect, kind: kind == "pdf-scanned"))
async def test_every_scanned_page_comes_as_a_picture(row: dict[str, Any], corpus: Path, read: Read) -> None:
    _, pages, _ = await read(corpus / row["file"])
    assert len(pages) == row["expect"]["pages"]
    assert all(page.image is not None and page.image.startswith(b"\x89PNG") for page in pages)
