"""Ruled tables of a PDF page, put in the place of the text they hold."""

from __future__ import annotations

from collections import Counter

import pymupdf

from readers.pdf.layout import (
    Block,
    Box,
    Row,
    block_lines,
    is_wide,
    plain_text,
    reading_order,
    rows_of,
    squeeze,
)  # fmt: skip
from readers.tables import table

Word = tuple[float, float, float, float, str, int, int, int]
"""Box, text, and numbers of block, line and word, as PyMuPDF gives them."""
_MOST_DRAWINGS = 3000
_LEAST_RULES = 4


def with_ruled_tables(page: pymupdf.Page, blocks: list[Block]) -> list[list[Row] | str] | None:
    """Return the page's blocks with each ruled table as one Markdown string; None where there is no table.

    A table is taken only if it keeps every character of the text under it, else the text stays as it is.
    """
    if not _is_ruled(page):
        return None
    pymupdf.no_recommend_layout()
    grids = [
        (tuple(item.bbox), [row.cells for row in item.rows])
        for item in page.find_tables(strategy="lines", use_layout=False).tables
    ]
    grids = [(box, cells) for box, cells in grids if len(cells) >= 2 and len(cells[0]) >= 2]
    if not grids:
        return None
    words = page.get_text("words", flags=pymupdf.TEXTFLAGS_WORDS & ~pymupdf.TEXT_PRESERVE_LIGATURES)
    kept = [(box, text) for box, cells in grids if (text := _faithful(box, cells, words, blocks))]
    return _merge(blocks, kept) if kept else None


def _is_ruled(page: pymupdf.Page) -> bool:
    drawings = page.get_cdrawings()
    if not _LEAST_RULES <= len(drawings) <= _MOST_DRAWINGS:
        return False
    boxes = [drawing["rect"] for drawing in drawings]
    long_ones = [box for box in boxes if max(box[2] - box[0], box[3] - box[1]) > 30]
    return len(long_ones) >= _LEAST_RULES


def _faithful(box: Box, grid: list[list[Box | None]], words: list[Word], blocks: list[Block]) -> str:
    inside = [word for word in words if _within(word, box)]
    rows = [[_cell_text(cell, inside) for cell in row] for row in grid]
    rows = [row for row in rows if any(row)]
    if len(rows) < 2:
        return ""
    under = plain_text([part for block in blocks if (part := _inside(block, box, True))])
    lost = Counter(squeeze(under)) - Counter(squeeze("".join(cell for row in rows for cell in row)))
    return "" if lost else table(rows[0], rows[1:])


def _cell_text(cell: Box | None, words: list[Word]) -> str:
    """Join the words whose middle is in `cell`, without a space where Chinese text only wraps."""
    text, last = "", (-1, -1)
    for word in words:
        if cell is None or not _within(word, cell):
            continue
        part, line = word[4], (word[5], word[6])
        wraps = line != last and is_wide(text[-1:]) and is_wide(part[:1])
        text += part if wraps or not text else " " + part
        last = line
    return text


def _inside(block: Block, box: Box, wanted: bool) -> Block | None:
    """Return the part of a block whose lines are (or, not `wanted`, are not) inside `box`."""
    lines = [line for line in block["lines"] if _within(line["bbox"], box) is wanted]
    if not lines:
        return None
    x0, y0, x1, y1 = zip(*(line["bbox"] for line in lines), strict=True)
    return {**block, "lines": lines, "bbox": (min(x0), min(y0), max(x1), max(y1))}


def _within(part: Box | Word, box: Box) -> bool:
    x, y = (part[0] + part[2]) / 2, (part[1] + part[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _merge(blocks: list[Block], tables: list[tuple[Box, str]]) -> list[list[Row] | str]:
    """Put each table where its first line stood."""
    left = list(tables)
    merged: list[list[Row] | str] = []
    for block in reading_order(blocks):
        rest: Block | None = block
        for box, text in tables:
            if rest is not None and _inside(rest, box, True):
                if (box, text) in left:
                    merged.append(text)
                    left.remove((box, text))
                rest = _inside(rest, box, False)
        if rest is not None and (lines := block_lines(rest)):
            merged.append(rows_of(lines))
    return merged
