"""Puts recognised lines into the order of reading: rows top to bottom, columns one after the other."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from statistics import median

from domain.layout import gaps, xy_cut
from domain.types import OcrLine

ROW_OVERLAP = 0.5
"""Lines are of one row when they share this much of the lower one's height."""
COLUMN_LINES = 3
"""A column has at least this many lines."""
TEXT_FILL = 0.6
"""Running text fills at least this much of its column's width, in the median ..."""
TEXT_CELLS = 14
"""... with at least this many character cells (a Chinese character is two): the prices of a receipt are not."""
ALIGNED = 0.6
"""Where only one side is running text, the other is a side bar, unless this share of its lines has a partner ..."""
ALIGNED_WITHIN = 0.25
"""... whose middle is at most this many line heights higher or lower: then both are rows of a form or table."""
GUTTER = 0.6
"""Least width of the gap between columns, in median line heights."""
TALL = 1.5
"""A line is vertical when it is this many times as high as wide."""
SPAN_TRIM = 0.2
"""Share of the height ignored above and below when looking for horizontal gaps: pictures are never quite level."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A line with its upright bounding box in pixels."""

    line: OcrLine
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """Height of the box in pixels."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Middle of the box, from the top, in pixels."""
        return (self.top + self.bottom) / 2

    @property
    def cells(self) -> int:
        """Width of the text in character cells: wide East Asian characters count 2."""
        return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in self.line["text"])


def reading_order(lines: list[OcrLine]) -> list[list[OcrLine]]:
    """Return rows of lines in reading order: rows top to bottom, lines of a row left to right.

    Side-by-side columns of running text are read one after the other (recursive X-Y cut); anything else that stands
    side by side (forms, receipts, tables) stays in rows.
    Where most of the text is written vertically, as Chinese may be, a row is a vertical line: right to left.
    """
    placed = [_place(line) for line in lines]
    tall = sum(line.cells for line in placed if line.height >= TALL * (line.right - line.left))
    if 2 * tall > sum(line.cells for line in placed):
        placed = [_lying(line) for line in placed]
    return [[each.line for each in row] for row in xy_cut(placed, _parts, _rows)]


def _place(line: OcrLine) -> Placed:
    xs, ys = [x for x, _ in line["box"]], [y for _, y in line["box"]]
    return Placed(line, min(xs), min(ys), max(xs), max(ys))


def _lying(line: Placed) -> Placed:
    """Return a line as it lies when the picture is turned to the left by 90 degrees."""
    return Placed(line.line, line.top, -line.right, line.bottom, -line.left)


def _parts(lines: list[Placed]) -> list[list[Placed]]:
    return _columns(lines) or _bands(lines)


def _columns(lines: list[Placed]) -> list[list[Placed]]:
    """Split at the widest vertical gap between two columns; empty when there is none."""
    if len(lines) < 2 * COLUMN_LINES:
        return []
    least = GUTTER * median(line.height for line in lines)
    for gap, at in sorted(gaps([(line.left, line.right) for line in lines]), reverse=True):
        left = [line for line in lines if line.right <= at]
        right = [line for line in lines if line.right > at]
        if gap >= least and _are_columns(left, right):
            return [left, right]
    return []


def _are_columns(left: list[Placed], right: list[Placed]) -> bool:
    if min(len(left), len(right)) < COLUMN_LINES:
        return False
    texts = _is_text(left), _is_text(right)
    if all(texts):
        return True
    bar, text = (right, left) if texts[0] else (left, right)
    return any(texts) and _aligned(bar, text) < ALIGNED


def _is_text(lines: list[Placed]) -> bool:
    width = max(line.right for line in lines) - min(line.left for line in lines)
    filled = median(line.right - line.left for line in lines) >= TEXT_FILL * width
    return filled and median(line.cells for line in lines) >= TEXT_CELLS


def _aligned(bar: list[Placed], text: list[Placed]) -> float:
    """Return the share of lines of `bar` that have a line of `text` right beside them."""
    paired = [
        any(abs(line.middle - other.middle) <= ALIGNED_WITHIN * min(line.height, other.height) for other in text)
        for line in bar
    ]
    return sum(paired) / len(paired)


def _bands(lines: list[Placed]) -> list[list[Placed]]:
    """Split below a heading or figure: at the horizontal gap that leaves columns on one of its sides."""
    trimmed = [(line.top + SPAN_TRIM * line.height, line.bottom - SPAN_TRIM * line.height) for line in lines]
    for _, at in sorted(gaps(trimmed), reverse=True):
        upper = [line for line in lines if line.middle < at]
        lower = [line for line in lines if line.middle >= at]
        if _columns(upper) or _columns(lower):
            return [upper, lower]
    return [lines]


def _rows(lines: list[Placed]) -> list[list[Placed]]:
    """Group lines that stand beside each other; a line joins the row whose last line it overlaps most."""
    rows: list[list[Placed]] = []
    for line in sorted(lines, key=lambda placed: (placed.middle, placed.left)):
        if rows and _beside(rows[-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda placed: placed.left) for row in rows]


def _beside(row: list[Placed], line: Placed) -> bool:
    nearest = min(row, key=lambda other: min(abs(other.right - line.left), abs(line.right - other.left)))
    shared = min(nearest.bottom, line.bottom) - max(nearest.top, line.top)
    apart = all(other.right <= line.left + other.height or line.right <= other.left + other.height for other in row)
    return apart and shared >= ROW_OVERLAP * min(nearest.height, line.height)
