"""The lines of a PDF page: what is visible, in reading order, and what its body type is."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from domain.layout import Span, groups, xy_cut
from readers.raised import raised

Box = tuple[float, float, float, float]
Block = dict[str, Any]
"""A text block of MuPDF's "dict" output: `bbox`, and `lines` of `spans`."""

_BOLD = re.compile(r"bold|black|heavy|semibold|[-,]bd|simhei|hei\b", re.I)
_MIN_GAP = 8.0
_SMALL = 0.85
"""Size of a raised line of its own, in sizes of the line before it."""
_CELL_GAP = 1.6
"""White space between two cells of a row, in type sizes."""
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f]")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Typography:
    """The size in points of running text: the largest that a fifth of the characters have (tables are set smaller)."""

    body: float


@dataclass(slots=True)
class Line:
    """One line of a block. `size` in points."""

    box: Box
    text: str
    size: float
    bold: bool
    mono: bool


Row = list[Line]
"""Lines that stand side by side, from left to right: the cells of a row."""


def visible_blocks(blocks: list[Block]) -> tuple[list[Block], list[Block]]:
    """Split text blocks into what a reader sees and what is written invisibly (render mode 3, fully transparent)."""
    seen: list[Block] = []
    hidden: list[Block] = []
    for block in blocks:
        if block["type"] != 0:
            continue
        if all(span["alpha"] for line in block["lines"] for span in line["spans"]):
            seen.append(block)
            continue
        for target, wanted in ((seen, True), (hidden, False)):
            lines = [
                {**line, "spans": spans}
                for line in block["lines"]
                if (spans := [span for span in line["spans"] if bool(span["alpha"]) is wanted])
            ]
            if lines:
                target.append({**block, "lines": lines})
    return seen, hidden


def plain_text(blocks: Iterable[Block]) -> str:
    """Return the text of blocks as it comes, a line a line."""
    return "\n".join(
        "".join(span["text"] for span in line["spans"]) for block in blocks for line in block["lines"]
    ).strip()


def typography(pages: list[list[Block]]) -> Typography:
    """Learn the body size from the blocks of some pages."""
    sizes: Counter[float] = Counter()
    for blocks in pages:
        for block in blocks:
            for line in block["lines"]:
                for span in line["spans"]:
                    sizes[round(span["size"] * 2) / 2] += len(span["text"].strip())
    total = sum(sizes.values())
    return Typography(max((size for size, count in sizes.items() if count * 5 >= total), default=10.0))


def block_lines(block: Block) -> list[Line]:
    """Return the lines of a block that hold text."""
    lines = (_line(line) for line in block["lines"])
    return [line for line in lines if line.text.strip()]


def _line(line: dict[str, Any]) -> Line:
    spans = line["spans"]
    inked = [span for span in spans if span["text"].strip()] or spans
    longest = max(inked, key=lambda span: len(span["text"]))
    bold = all(span["flags"] & 16 or _BOLD.search(span["font"]) for span in inked)
    mono = all(span["flags"] & 8 for span in inked)
    return Line(line["bbox"], "".join(span["text"] for span in spans), longest["size"], bool(bold), mono)


def reading_order(blocks: list[Block]) -> list[Block]:
    """Return the blocks as one reads them.

    The order in the file is right for nearly all documents, two columns included; where it keeps jumping back up within
    a column, the page is cut at its white gaps instead (recursive X-Y cut).
    """
    jumps = sum(_jumps_up(before["bbox"], after["bbox"]) for before, after in zip(blocks, blocks[1:], strict=False))
    if jumps < 3 or jumps * 6 < len(blocks) or len(blocks) > 2000:
        return blocks
    return xy_cut(blocks, _parts, _top_down, depth=20)


def _jumps_up(before: Box, after: Box) -> bool:
    """Whether the text goes on above in the same column, or to the left without going down."""
    above = after[3] <= before[1] + 1 and after[0] < before[2] - 1
    leftwards = after[2] <= before[0] and after[1] < before[3] - 1
    return above or leftwards


def _parts(blocks: list[Block]) -> list[list[Block]]:
    columns, rows = groups(blocks, _across, _MIN_GAP), groups(blocks, _down, 0.0)
    if len(columns) > 1 and (len(rows) <= 1 or len(blocks) >= 3 * len(columns)):
        return columns
    return _join_rows(rows)


def _top_down(blocks: list[Block]) -> list[Block]:
    return sorted(blocks, key=lambda block: (round(block["bbox"][1]), block["bbox"][0]))


def _across(block: Block) -> Span:
    return block["bbox"][0], block["bbox"][2]


def _down(block: Block) -> Span:
    return block["bbox"][1], block["bbox"][3]


def _join_rows(rows: list[list[Block]]) -> list[list[Block]]:
    """Join neighbouring rows that split into the same columns, so that columns are read downwards."""
    joined = [rows[0]]
    for row in rows[1:]:
        both = joined[-1] + row
        if len(row) > 1 and len(groups(row, _across, _MIN_GAP)) > 1 and len(groups(both, _across, _MIN_GAP)) > 1:
            joined[-1] = both
        else:
            joined.append(row)
    return joined if len(joined) > 1 else rows


def rows_of(lines: list[Line]) -> list[Row]:
    """Group the lines of a block that stand side by side, from left to right; near neighbours become one line."""
    rows: list[Row] = []
    for line in lines:
        if rows and all(_beside(other, line) for other in rows[-1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_cells(sorted(row, key=lambda line: line.box[0])) if len(row) > 1 else row for row in rows]


def _beside(one: Line, other: Line) -> bool:
    overlap = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    height = min(one.box[3] - one.box[1], other.box[3] - other.box[1])
    return overlap > 0.6 * height and (other.box[0] >= one.box[2] - 1 or one.box[0] >= other.box[2] - 1)


def _cells(row: Row) -> Row:
    cells = row[:1]
    for line in row[1:]:
        last = cells[-1]
        if line.box[0] - last.box[2] >= _CELL_GAP * line.size:
            cells.append(line)
            continue
        box = (last.box[0], min(last.box[1], line.box[1]), line.box[2], max(last.box[3], line.box[3]))
        high = line.size < _SMALL * last.size and line.box[3] < last.box[3]
        added = raised(last.text, line.text) if high else f" {line.text.lstrip()}"
        text = last.text.rstrip() + added
        cells[-1] = Line(box, text, last.size, last.bold and line.bold, last.mono and line.mono)
    return cells


def squeeze(text: str) -> str:
    """Return `text` without white space, compatibility forms unified, for comparisons."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text))


def is_wide(char: str) -> bool:
    """Whether `char` is Chinese or Japanese, which is written without spaces."""
    return bool(_WIDE.match(char))
