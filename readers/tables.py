"""Rows of cells as Markdown tables, in blocks that repeat the header so that every part explains itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

BLOCK_CHARS = 3000
"""About this much of a table stands under one header."""

_BREAKS = re.compile(r"\s*[\r\n\v\f\u2028\u2029]+\s*")

_NUMBER = re.compile(r"[-+(]?[\d.,\s%$€¥£]*\d[\d.,\s%$€¥£]*\)?")


def cell_text(value: str) -> str:
    """Return `value` fit for a cell: on one line, with pipes escaped."""
    return _BREAKS.sub(" ", value.strip()).replace("|", "\\|")


def row_line(cells: Sequence[str], width: int) -> str:
    """Return one line of a table `width` columns wide."""
    padded = [*cells, *[""] * (width - len(cells))]
    return "| " + " | ".join(cell_text(cell) for cell in padded) + " |"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return one Markdown table."""
    width = max([len(header), *map(len, rows)])
    return "\n".join([row_line(header, width), "|" + " --- |" * width, *(row_line(row, width) for row in rows)])


def table_blocks(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[tuple[int, int, str]]:
    """Yield (index of the first row, of the last row, table) for blocks of about `BLOCK_CHARS` characters."""
    start, size = 0, 0
    for index, row in enumerate(rows):
        size += sum(map(len, row)) + 3 * len(row)
        if size >= BLOCK_CHARS:
            yield start, index, table(header, rows[start : index + 1])
            start, size = index + 1, 0
    if start < len(rows) or not rows:
        yield start, max(start, len(rows) - 1), table(header, rows[start:])


def is_number(cell: str) -> bool:
    """Whether a cell holds a number, an amount or a percentage."""
    return bool(_NUMBER.fullmatch(cell.strip()))


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: filled, without numbers, no word twice."""
    if not rows or (len(rows) == 1 and len(rows[0]) < 2):
        return False
    first = [cell.strip() for cell in rows[0]]
    filled = [cell for cell in first if cell]
    numbers = sum(1 for cell in filled if is_number(cell))
    return len(filled) * 2 > len(first) and numbers * 3 <= len(filled) and len(set(filled)) == len(filled)
