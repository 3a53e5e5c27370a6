"""Rows of cells as Markdown tables, in blocks that repeat the header so that every part explains itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

BLOCK_CHARS = 3000
"""About this much of a table stands under one header."""

_BREAKS = re.compile(r"\s*[\r\n\v\f\u2028\u2029]+\s*")

LOOKED_AT = 200
"""Rows that are looked at for what comes again in a column."""
_YEAR = re.compile(r"(?:1[89]|20|21)\d\d(?:\s*[AE年]|[/–-]\d{2,4})?")
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
    """Whether the first row names the columns: filled with words, or years, that do not come again below."""
    if not rows or (len(rows) == 1 and len(rows[0]) < 2):
        return False
    first = [cell.strip() for cell in rows[0]]
    filled = [cell for cell in first if cell]
    below = [[row[at].strip() for row in rows[1:LOOKED_AT] if at < len(row)] for at in range(len(first))]
    if len(filled) * 2 <= len(first):
        return False
    names = [_may_name(cell, column) for cell, column in zip(first, below, strict=True)]
    years = [name for cell, name in zip(first, names, strict=True) if _YEAR.fullmatch(cell)]
    follow = _years_follow(first)
    others = [name for cell, name in zip(first, names, strict=True) if not _YEAR.fullmatch(cell)]
    together = follow and (any(years) or not any(map(_years_follow, rows[1:LOOKED_AT])))
    if not all(others) or not (together or all(years)):
        return False  # years that follow each other name their columns together: amounts below one may look like years
    if len(set(filled)) == len(filled):
        return any(not is_number(cell) for cell in first)
    return len(rows) > 1 and not any(cell and cell in column for cell, column in zip(first, below, strict=True))


def _years_follow(cells: Sequence[str]) -> bool:
    """Whether there are years among the cells, each one after or before the one on its left."""
    years = [int(cell[:4]) for cell in map(str.strip, cells) if _YEAR.fullmatch(cell)]
    return {after - before for before, after in pairwise(years)} in ({1}, {-1})


def _may_name(cell: str, column: Sequence[str]) -> bool:
    """Whether a cell may be the name of the column below it: words, or a year (or the like) above other numbers."""
    numbers = [value for value in column if is_number(value)]
    if not is_number(cell) or len(numbers) * 2 < len(column):
        return True
    return bool(_YEAR.fullmatch(cell)) and not all(_YEAR.fullmatch(value) for value in numbers)


def _completes(rows: Sequence[Sequence[str]], words: int) -> bool:
    """Whether the second row fills what the first leaves empty, or tells apart what it names twice, above numbers."""
    first, second = ([cell.strip() for cell in row] for row in rows[:2])
    if len(set(first)) == len(first) or len(second) < len(first) or not all(second):
        return False
    pairs = list(zip(first, second, strict=False))
    return len(set(pairs)) == len(pairs) and all(any(map(is_number, row)) for row in rows[words : words + 5])


def split_header(
    rows: Sequence[Sequence[str]], grouped: Sequence[bool] = ()
) -> tuple[list[str], Sequence[Sequence[str]]]:
    """Return the names of the columns and the rows below.

    Up to three rows are one header: under cells over several columns (`grouped` rows), or words above numbers.
    """
    if len(rows) <= 1:
        return (list(rows[0]), rows[1:]) if rows else ([], [])
    height = 0
    while height < min(3, len(rows) - 1, len(grouped)) and grouped[height]:
        height += 1
    words = next((at for at, row in enumerate(rows[:4]) if any(is_number(cell) for cell in row)), 0)
    if height:
        height += 1
    elif words > 1 and _completes(rows, words):
        height = words
    else:
        height = 1 if has_header(rows) else words
    if not 1 <= height <= 3:
        return [""] * len(rows[0]), rows
    width = max(map(len, rows[:height]))
    named = [[row[at] if at < len(row) else "" for row in rows[:height]] for at in range(width)]
    return [" ".join(dict.fromkeys(filter(None, column))) for column in named], rows[height:]
