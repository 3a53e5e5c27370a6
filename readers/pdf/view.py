"""A page of a PDF as a picture, and where on it words stand. Both run in a sandbox child."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from domain.errors import BadInput, FileCorrupt, FileEncrypted, FileTooLarge
from readers.pdf.layout import visible_blocks
from readers.pdf.mupdf import pymupdf
from readers.pdf.scan import judge, picture_scale
from readers.texts import NO_PAGE, PIXELS, filled

QUALITY = 82
_ERRORS = (RuntimeError, ValueError, pymupdf.FileDataError, pymupdf.mupdf.FzErrorBase)

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the page's width and height, 0..1."""
Line: TypeAlias = tuple[str, Sequence[Sequence[float]]]
"""Text of a recognised line and its corners [x, y] in pixels of the picture that OCR saw."""


def page_picture(path: Path, number: int, name: str, max_pixels: int, side: int) -> bytes:
    """Return page `number`, from 1, as WebP, at most `side` pixels long.

    Raises:
        BadInput: There is no such page.
        FileEncrypted: It needs a password.
        FileTooLarge: A picture on it has more than `max_pixels`.
        FileCorrupt: It cannot be drawn.
    """
    try:
        page = _page(path, number, name)
        if any(image[2] * image[3] > max_pixels for image in page.get_images()):
            raise FileTooLarge(name=name, limit=filled(PIXELS, max_pixels))
        zoom = side / max(page.rect.width, page.rect.height, 1.0)
        picture = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
        return bytes(picture.pil_tobytes(format="WEBP", quality=QUALITY, method=3))
    except _ERRORS as error:
        raise FileCorrupt(name=name) from error


def quote_boxes(path: Path, number: int, name: str, quote: str, near: float, lines: Sequence[Line]) -> list[Box]:
    """Return where `quote` stands on page `number`, a box for each line of it; none where it is not found.

    Args:
        path: The PDF.
        number: Of the page, from 1.
        name: Of the file, for error texts.
        quote: The words; blanks, punctuation, letter case and forms of letters do not count.
        near: Which occurrence of several: the one nearest to this share of the page's text, 0..1.
        lines: What OCR read, for a page that is a picture.

    Raises:
        BadInput, FileEncrypted, FileCorrupt: As for `page_picture`.
    """
    try:
        page = _page(path, number, name)
        blocks = page.get_text("rawdict", flags=pymupdf.TEXTFLAGS_TEXT)["blocks"]
        hits = _found(list(_letters(blocks, page)), quote, near)
        if not hits and lines:
            zoom = picture_scale(page)
            visible, hidden = visible_blocks(page.get_text("dict")["blocks"])
            if judge(page, visible, hidden).needs_ocr:  # else the lines are of pictures on the page
                hits = _found(list(_recognised(lines, zoom)), quote, near)
        width, height = page.rect.width or 1.0, page.rect.height or 1.0
        return [_share(group, width, height) for group in hits]
    except _ERRORS as error:
        raise FileCorrupt(name=name) from error


def _page(path: Path, number: int, name: str) -> pymupdf.Page:
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    document = pymupdf.open(path, filetype="pdf")
    if document.needs_pass:
        raise FileEncrypted(name=name)
    if not 1 <= number <= document.page_count:
        raise BadInput(reason=filled(NO_PAGE, number))
    return document[number - 1]


_Letter: TypeAlias = tuple[str, int, "pymupdf.Rect"]
"""A letter that counts, the line that it stands on, and its box."""


def _letters(blocks: Iterable[dict], page: pymupdf.Page) -> Iterator[_Letter]:  # type: ignore[type-arg]
    index = 0
    for block in blocks:
        for line in block.get("lines", ()):
            index += 1
            for span in line["spans"]:
                for char in span["chars"]:
                    box = pymupdf.Rect(char["bbox"]) * page.rotation_matrix
                    yield from ((letter, index, box) for letter in _folded(char["c"]))


def _recognised(lines: Sequence[Line], zoom: float) -> Iterator[_Letter]:
    for index, (text, corners) in enumerate(lines):
        across, down = [x / zoom for x, _ in corners], [y / zoom for _, y in corners]
        box = pymupdf.Rect(min(across), min(down), max(across), max(down))
        yield from ((letter, index, box) for letter in _folded(text))


def _folded(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def _found(letters: Sequence[_Letter], quote: str, near: float) -> list[list[pymupdf.Rect]]:
    """Return the boxes of the letters of `quote`, by line."""
    text, needle = "".join(letter for letter, _, _ in letters), _folded(quote)
    starts = []
    at = text.find(needle) if needle else -1
    while at >= 0:
        starts.append(at)
        at = text.find(needle, at + 1)
    if not starts:
        return []
    start = min(starts, key=lambda at: abs(at - near * len(text)))
    hits = letters[start : start + len(needle)]
    return [[box for _, _, box in group] for _, group in groupby(hits, key=lambda hit: hit[1])]


def _share(boxes: Sequence[pymupdf.Rect], width: float, height: float) -> Box:
    left, top = min(box.x0 for box in boxes) / width, min(box.y0 for box in boxes) / height
    right, bottom = max(box.x1 for box in boxes) / width, max(box.y1 for box in boxes) / height
    return tuple(round(min(max(share, 0.0), 1.0), 5) for share in (left, top, right, bottom))  # type: ignore[return-value]
