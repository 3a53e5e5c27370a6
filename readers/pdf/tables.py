"""Ruled tables of a PDF page, put in the place of the text they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

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
from readers.pdf.lines import ONCE
from readers.pdf.mupdf import pymupdf
from readers.raised import raised
from readers.tables import table

Word = tuple[float, float, float, float, str, int, int, int]
"""Box, text, and numbers of block, line and word, as PyMuPDF gives them."""
_MOST_DRAWINGS = 3000
_LEAST_RULES = 4
_MARGIN = 0.09
"""Share of the page's height in which running titles and page numbers stand."""
_SAME_EDGE = 4.0
_SMALL = 0.85
"""Height of a raised word, in heights of the one before it."""
_NEXT = 2.0
Cell = tuple[float, float, str]
"""Left and right edge, and text."""


@dataclass(frozen=True, slots=True)
class OpenTable:
    """A table at the end of a page, which the next page may go on with: its names, and the edges of its columns."""

    header: list[str]
    edges: list[float]
    ruled: bool = True

    def goes_on_with(self, edges: list[float]) -> bool:
        """Whether columns with these edges are the same: at the same places, or, where no rules are, overlapping."""
        if len(edges) != len(self.edges):
            return False
        if self.ruled:
            return all(abs(a - b) < _SAME_EDGE for a, b in zip(edges, self.edges, strict=True))
        mine, other = (list(zip(one[::2], one[1::2], strict=True)) for one in (self.edges, edges))
        return all(min(a[1], b[1]) > max(a[0], b[0]) for a, b in zip(mine, other, strict=True))


@dataclass(frozen=True, slots=True)
class _Table:
    box: Box
    titles: list[str]
    header: list[str]
    rows: list[list[str]]
    edges: list[float]

    def markdown(self) -> str:
        return "\n\n".join([*self.titles, table(self.header, self.rows)])


def in_columns(rows: list[list[Cell]]) -> tuple[list[list[str]], list[float]] | None:
    """Return the texts of rows by column, empty where a row has no cell, and the edges of the columns.

    The fullest rows, at least two of three, say where the columns are; `None` where they cannot be told.
    """
    width = max(map(len, rows))
    full = [row for row in rows if len(row) == width]
    if len(rows) < 3 or len(full) < 2 or width < 2:
        return None
    bands = [(min(cell[0] for cell in column), max(cell[1] for cell in column)) for column in zip(*full, strict=True)]
    edges = [edge for band in bands for edge in band]
    if any(left[1] > right[0] for left, right in pairwise(bands)):
        return ([[cell[2] for cell in row] for row in rows], edges) if len(full) == len(rows) else None
    placed = []
    for row in rows:
        places = [max(range(width), key=lambda at: _shared(cell, bands[at])) for cell in row]
        apart = any(_shared(cell, bands[at]) < 0 for cell, at in zip(row, places, strict=True))
        if apart or len(set(places)) < len(row):
            return None
        texts = dict(zip(places, (cell[2] for cell in row), strict=True))
        placed.append([texts.get(at, "") for at in range(width)])
    return placed, edges


def _shared(cell: Cell, band: tuple[float, float]) -> float:
    """Return how much of a cell lies over a column; negative for their distance."""
    return min(cell[1], band[1]) - max(cell[0], band[0])


def with_ruled_tables(
    page: pymupdf.Page, blocks: list[Block], before: OpenTable | None, unseen: Sequence[Block] = ()
) -> tuple[list[list[Row] | str], OpenTable | None] | None:
    """Return the page's blocks with each ruled table as one Markdown string; None where there is no table.

    A table is taken only if it keeps every character of the text under it, else the text stays as it is. One that goes
    on from the page `before` gets its header; with it comes the one that may go on on the next page.
    """
    if not _is_ruled(page):
        return None
    pymupdf.no_recommend_layout()
    hidden = [(line["bbox"], squeeze(plain_text([{"lines": [line]}]))) for block in unseen for line in block["lines"]]
    words = [word for word in _words(page, blocks) if not _stands_in(word, hidden)]
    tables = []
    for item in page.find_tables(strategy="lines", use_layout=False).tables:
        cells = [row.cells for row in item.rows]
        if cells and len(cells[0]) >= 2:
            found = _faithful(tuple(item.bbox), cells, words, blocks)
            tables += [found] if found else []
    tables.sort(key=lambda found: found.box[1])
    if tables and before is not None and _is_clear(page, blocks, tables[0].box[1], above=True):
        tables[0] = _continued(tables[0], before)
    tables = [found for found in tables if found.rows]
    if not tables:
        return None
    last = tables[-1]
    goes_on = _is_clear(page, blocks, last.box[3], above=False)
    merged = _merge(blocks, [(found.box, found.markdown()) for found in tables])
    return merged, OpenTable(last.header, last.edges) if goes_on else None


def _stands_in(word: Word, lines: Sequence[tuple[Box, str]]) -> bool:
    return any(_within(word, box) and squeeze(word[4]) in text for box, text in lines)


def _is_clear(page: pymupdf.Page, blocks: list[Block], edge: float, *, above: bool) -> bool:
    """Whether nothing but a running title or page number stands above (or below) `edge`."""
    height = page.rect.height
    middles = [(block["bbox"][1] + block["bbox"][3]) / 2 for block in blocks]
    if above:
        return not any(_MARGIN * height < middle < edge for middle in middles)
    return not any(edge < middle < (1 - _MARGIN) * height for middle in middles)


def _continued(found: _Table, before: OpenTable) -> _Table:
    if not before.ruled or not before.goes_on_with(found.edges) or found.header == before.header:
        return found
    return replace(found, header=before.header, rows=[found.header, *found.rows])


def _is_ruled(page: pymupdf.Page) -> bool:
    drawings = page.get_cdrawings()
    if not _LEAST_RULES <= len(drawings) <= _MOST_DRAWINGS:
        return False
    boxes = [drawing["rect"] for drawing in drawings]
    long_ones = [box for box in boxes if max(box[2] - box[0], box[3] - box[1]) > 30]
    return len(long_ones) >= _LEAST_RULES


def _words(page: pymupdf.Page, blocks: list[Block]) -> list[Word]:
    """Return the words of the page, with what `readers.pdf.lines` wrote for raised characters."""
    flags = pymupdf.TEXTFLAGS_WORDS & ~pymupdf.TEXT_PRESERVE_LIGATURES
    words: list[Word] = page.get_text("words", flags=flags | ONCE)
    for box, text, mark in (mark for block in blocks for line in block["lines"] for mark in line.get("marks", ())):
        for at, word in enumerate(words):
            start = word[4].rfind(text)
            if start >= 0 and _within(box, (word[0] - 1, word[1] - 9, word[2] + 1, word[3] + 9)):
                words[at] = (*word[:4], word[4][:start] + mark + word[4][start + len(text) :], *word[5:])
                break
    return words


def _faithful(box: Box, grid: list[list[Box | None]], words: list[Word], blocks: list[Block]) -> _Table | None:
    inside = [word for word in words if _within(word, box)]
    filled = _filled(grid)
    lines = {cell: _lines_of(cell, inside) for row in filled for cell in row if cell}
    if any(map(_is_grid, lines.values())):
        return None
    texts = {cell: _cell_text(found) for cell, found in lines.items()}
    under = plain_text([part for block in blocks if (part := _inside(block, box, True))])
    lost = Counter(squeeze(under)) - Counter(squeeze("".join(texts.values())))
    if any(char not in "[]^_" for char in lost):
        return None
    titles = []
    while len(filled) > 2 and len(set(filled[0])) == 1:
        titles += [texts[cell] for cell in filled.pop(0)[:1] if cell]
    height = 1
    while height < 3 and len(filled) > height + 1 and len(set(filled[height - 1])) < len(filled[height - 1]):
        height += 1
    rows = [[texts.get(cell, "") if cell else "" for cell in row] for row in filled]
    names = [" ".join(dict.fromkeys(filter(None, column))) for column in zip(*rows[:height], strict=True)]
    body = [
        row if len(set(cells)) > 1 else [row[0], *[""] * (len(row) - 1)]
        for row, cells in zip(rows, filled, strict=True)
    ]
    body = [row for row in body[height:] if any(row)]
    if not body or not any(names):
        return None
    edges = sorted({round(cell[0]) for row in grid for cell in row if cell})
    return _Table(box, titles, names, body, [float(edge) for edge in edges])


def _filled(grid: list[list[Box | None]]) -> list[list[Box | None]]:
    """Return the grid with a merged cell in each place that it covers."""
    cells = [cell for row in grid for cell in row if cell]
    columns = [min((row[at] for row in grid if row[at]), key=_width, default=None) for at in range(len(grid[0]))]
    lines = [min((cell for cell in row if cell), key=_height, default=None) for row in grid]
    filled: list[list[Box | None]] = []
    for row, line in zip(grid, lines, strict=True):
        filled.append(
            [
                cell or (_covering(cells, column, line) if column and line else None)
                for cell, column in zip(row, columns, strict=True)
            ]
        )
    return filled


def _covering(cells: list[Box], column: Box, line: Box) -> Box | None:
    x, y = (column[0] + column[2]) / 2, (line[1] + line[3]) / 2
    return next((cell for cell in cells if cell[0] <= x <= cell[2] and cell[1] <= y <= cell[3]), None)


def _width(cell: Box | None) -> float:
    return cell[2] - cell[0] if cell else 0.0


def _height(cell: Box | None) -> float:
    return cell[3] - cell[1] if cell else 0.0


def _lines_of(cell: Box, words: list[Word]) -> list[list[Word]]:
    """Return the words whose middle is in `cell` by line, from left to right."""
    lines: list[list[Word]] = []
    for word in sorted((word for word in words if _within(word, cell)), key=lambda word: (word[1] + word[3], word[0])):
        last = lines[-1][0] if lines else None
        if last is not None and (word[1] + word[3]) / 2 < last[3] - 0.2 * (last[3] - last[1]):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line) for line in lines]


def _is_grid(lines: list[list[Word]]) -> bool:
    """Whether a ruled box holds rows of cells of its own, as a frame around a table does."""
    return sum(any(b[0] - a[2] > b[3] - b[1] for a, b in pairwise(line)) for line in lines) >= 3


def _cell_text(lines: list[list[Word]]) -> str:
    """Join the words of a cell, without a space where Chinese text only wraps."""
    text = ""
    for line in lines:
        part = line[0][4]
        for before, word in pairwise(line):
            high = word[3] - word[1] < _SMALL * (before[3] - before[1]) and word[3] < before[3]
            part += raised(part, word[4]) if high and word[0] - before[2] < _NEXT else f" {word[4]}"
        text += part if not text or (is_wide(text[-1:]) and is_wide(part[:1])) else " " + part
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
