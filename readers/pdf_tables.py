"""Ruled tables of a PDF page, put in the place of the text they hold."""

from __future__ import annotations

from collections import Counter

import pymupdf

from readers.pdf_layout import Block, Box, block_lines, plain_text, reading_order
from readers.pdf_markdown import Row, _rows, squeeze
from readers.tables import table

_MOST_DRAWINGS = 3000
_LEAST_RULES = 4


def with_ruled_tables(page: pymupdf.Page, blocks: list[Block]) -> list[list[Row] | str] | None:
    """Return the page's blocks with each ruled table as one Markdown string; None where there is no table.

    A table is taken only if it keeps every character of the text under it, else the text stays as it is.
    """
    if not _is_ruled(page):
        return None
    pymupdf.no_recommend_layout()
    found = [(tuple(item.bbox), item.extract()) for item in page.find_tables(strategy="lines", use_layout=False).tables]
    tables = [(box, cells) for box, cells in found if len(cells) >= 2 and len(cells[0]) >= 2]
    kept = [(box, text) for box, cells in tables if (text := _faithful(box, cells, blocks))]
    return _merge(blocks, kept) if kept else None


def _is_ruled(page: pymupdf.Page) -> bool:
    drawings = page.get_cdrawings()
    if not _LEAST_RULES <= len(drawings) <= _MOST_DRAWINGS:
        return False
    boxes = [drawing["rect"] for drawing in drawings]
    long_ones = [box for box in boxes if max(box[2] - box[0], box[3] - box[1]) > 30]
    return len(long_ones) >= _LEAST_RULES


def _faithful(box: Box, cells: list[list[str | None]], blocks: list[Block]) -> str:
    rows = [[" ".join((cell or "").split()) for cell in row] for row in cells]
    rows = [row for row in rows if any(row)]
    if len(rows) < 2:
        return ""
    under = plain_text([part for block in blocks if (part := _inside(block, box, True))])
    lost = Counter(squeeze(under)) - Counter(squeeze("".join(cell for row in rows for cell in row)))
    return "" if lost else table(rows[0], rows[1:])


def _inside(block: Block, box: Box, wanted: bool) -> Block | None:
    """Return the part of a block whose lines are (or, not `wanted`, are not) inside `box`."""
    lines = [line for line in block["lines"] if _within(line["bbox"], box) is wanted]
    if not lines:
        return None
    x0, y0, x1, y1 = zip(*(line["bbox"] for line in lines), strict=True)
    return {**block, "lines": lines, "bbox": (min(x0), min(y0), max(x1), max(y1))}


def _within(line: Box, box: Box) -> bool:
    x, y = (line[0] + line[2]) / 2, (line[1] + line[3]) / 2
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
            merged.append(_rows(lines))
    return merged
