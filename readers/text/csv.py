"""CSV and TSV: the delimiter found, the rows as Markdown tables under their header."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from readers.interface import Item, Options, Outline, Page
from readers.media_types import TSV
from readers.sections import split_long
from readers.tables import has_header, table_blocks
from readers.text.plain import read_text

_DELIMITERS = (",", "\t", ";", "|", "，")
_LOOKED_AT = 60
_MAX_COLUMNS = 500
_HEAD_CHARS = 100_000


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and blocks of rows; a block's label tells its rows as a spreadsheet numbers them."""
    text, encoding, warnings = read_text(path, options)
    rows = _rows(text.strip("\ufeff\0"), "\t" if options.media_type == TSV else "")
    pages = list(_pages(rows)) if max(map(len, rows), default=0) <= _MAX_COLUMNS else _as_text(text)
    yield Outline(options.media_type, "section", len(pages), "", encoding, warnings)
    yield from pages


def _rows(text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(sys.maxsize)
    delimiter = delimiter or sniff_delimiter(text)
    parsed = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter, strict=False)
    return [row for row in parsed if any(cell.strip() for cell in row)]


def sniff_delimiter(text: str) -> str:
    """Return the delimiter that cuts the first rows into the most, and the most even, columns."""
    head = text[:_HEAD_CHARS]
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        score = _evenness(head, delimiter)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _evenness(head: str, delimiter: str) -> float:
    """Return how well `delimiter` explains the first rows: columns, in the same number, with sound quoting."""
    widths, sound = [], 1.0
    try:
        for row in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, strict=True):
            widths.append(len(row))
            if len(widths) == _LOOKED_AT:
                break
    except csv.Error:
        sound = 0.3 if len(head) < _HEAD_CHARS else 0.9
    width, same = Counter(widths).most_common(1)[0] if widths else (1, 0)
    return sound * same / len(widths) * min(width - 1, 20) ** 0.5 if width > 1 else 0.0


def _pages(rows: list[list[str]]) -> Iterator[Page]:
    named = has_header(rows)
    width = max(map(len, rows), default=0)
    header = rows[0] if named else [f"{number}" for number in range(1, width + 1)]
    body = rows[1:] if named else rows
    offset = 2 if named else 1
    for number, (first, last, markdown) in enumerate(table_blocks(header, body), 1):
        yield Page(number, f"{first + offset}–{last + offset}", markdown)


def _as_text(text: str) -> list[Page]:
    return [Page(number, str(number), part) for number, part in enumerate(split_long(text), 1)]
