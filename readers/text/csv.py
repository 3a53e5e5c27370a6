"""CSV and TSV: the delimiter found, the rows as Markdown tables under their header."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from readers.interface import Item, Options, Outline, Page
from readers.media_types import TSV
from readers.sections import split_long
from readers.tables import split_header, table_blocks
from readers.text.plain import read_text

_DELIMITERS = (",", "\t", ";", "|", "，")
_LOOKED_AT = 60
_MAX_COLUMNS = 500
_HEAD_CHARS = 100_000
_MOST_LINES = 50
"""Lines over which a cell in quotes may go where the quotes of the file do not match."""
_STATED = re.compile(r'"?sep=([^\n"])"?[ \t]*\n', re.I)
"""The first line by which Excel states the delimiter."""
_REMARKS = re.compile(r"(?:#[^\n]*\n)+(?=[^#])")


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and blocks of rows; a block's label tells its rows as a spreadsheet numbers them."""
    text, encoding, warnings = read_text(path, options)
    text = text.strip("\ufeff\0").replace("\0", "")
    stated = _STATED.match(text)
    text = text[stated.end() :] if stated else text
    remarks = _REMARKS.match(text)
    body = text[remarks.end() :] if remarks else text
    delimiter = "\t" if options.media_type == TSV else stated[1] if stated else sniff_delimiter(body)
    rows = [row for row in _rows(body, delimiter) if any(cell.strip() for cell in row)]
    pages = list(_pages(rows)) if max(map(len, rows), default=0) <= _MAX_COLUMNS else _as_text(text)
    if remarks and pages:
        pages[0] = replace(pages[0], markdown=f"{remarks[0].strip()}\n\n{pages[0].markdown}")
    yield Outline(options.media_type, "section", len(pages), "", encoding, warnings)
    yield from pages


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(sys.maxsize)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False))
    widths = Counter(len(row) for row in rows if len(row) > 1).most_common(1)
    width = widths[0][0] if widths else 1
    if all(len(row) == width or not any("\n" in cell for cell in row) for row in rows):
        return iter(rows)
    return _line_by_line(text.split("\n"), delimiter, width)


def _line_by_line(lines: list[str], delimiter: str, width: int) -> Iterator[list[str]]:
    """Yield rows of a file in which a quote is never closed.

    A line that no near one completes to a row of `width` cells is taken as it stands.
    """
    at = 0
    while at < len(lines):
        end, row = at + 1, lines[at].replace('"', "").split(delimiter)
        for until in range(at + 1, min(at + _MOST_LINES, len(lines)) + 1):
            parsed = list(csv.reader([*(line + "\n" for line in lines[at:until]), "\0"], delimiter=delimiter))
            if len(parsed) == 2 and parsed[1] == ["\0"]:
                if until == at + 1 or len(parsed[0]) == width:
                    end, row = until, parsed[0]
                break
        yield row
        at = end


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
    """Yield tables; lines of one cell above them are titles."""
    lead = next((at for at, row in enumerate(rows) if sum(bool(cell.strip()) for cell in row) > 1), 0)
    titles = ["\n".join(" ".join(row).strip() for row in rows[:lead])] if lead else []
    header, body = split_header(rows[lead:])
    if not any(header):
        header = [f"{number}" for number in range(1, max(map(len, rows), default=0) + 1)]
    offset = len(rows) - len(body) + 1
    for number, (first, last, markdown) in enumerate(table_blocks(header, body), 1):
        yield Page(number, f"{first + offset}–{last + offset}", "\n\n".join([*titles, markdown]))
        titles = []


def _as_text(text: str) -> list[Page]:
    return [Page(number, str(number), part) for number, part in enumerate(split_long(text), 1)]
