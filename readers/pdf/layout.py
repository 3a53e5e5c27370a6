"""The lines of a PDF page: what is visible, in reading order, and what its body type is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Box = tuple[float, float, float, float]
Block = dict[str, Any]
"""A text block of MuPDF's "dict" output: `bbox`, and `lines` of `spans`."""

_BOLD = re.compile(r"bold|black|heavy|semibold|[-,]bd|simhei|hei\b", re.I)
_MIN_GAP = 8.0


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
    a column, the page is cut at its white gaps instead (recursive X-Y cut; Nagy and Seth, 1984).
    """
    jumps = sum(_jumps_up(before["bbox"], after["bbox"]) for before, after in zip(blocks, blocks[1:], strict=False))
    if jumps < 3 or jumps * 6 < len(blocks) or len(blocks) > 2000:
        return blocks
    return _cut(blocks)


def _jumps_up(before: Box, after: Box) -> bool:
    """Whether the text goes on above in the same column, or to the left without going down."""
    above = after[3] <= before[1] + 1 and after[0] < before[2] - 1
    leftwards = after[2] <= before[0] and after[1] < before[3] - 1
    return above or leftwards


def _cut(blocks: list[Block], depth: int = 0) -> list[Block]:
    if len(blocks) < 2 or depth > 20:
        return blocks
    columns = _groups(blocks, 0, _MIN_GAP)
    rows = _groups(blocks, 1, 0.0)
    if len(columns) > 1 and (len(rows) <= 1 or len(blocks) >= 3 * len(columns)):
        parts = columns
    elif len(rows) > 1:
        parts = _join_rows(rows)
    else:
        return sorted(blocks, key=lambda block: (round(block["bbox"][1]), block["bbox"][0]))
    if len(parts) < 2:
        return sorted(blocks, key=lambda block: (round(block["bbox"][1]), block["bbox"][0]))
    return [block for part in parts for block in _cut(part, depth + 1)]


def _join_rows(rows: list[list[Block]]) -> list[list[Block]]:
    """Join neighbouring rows that split into the same columns, so that columns are read downwards."""
    joined = [rows[0]]
    for row in rows[1:]:
        both = joined[-1] + row
        if len(row) > 1 and len(_groups(row, 0, _MIN_GAP)) > 1 and len(_groups(both, 0, _MIN_GAP)) > 1:
            joined[-1] = both
        else:
            joined.append(row)
    return joined if len(joined) > 1 else rows


def _groups(blocks: list[Block], axis: int, gap: float) -> list[list[Block]]:
    """Split blocks where their shadows on one axis (0: x, 1: y) leave a gap."""
    groups: list[list[Block]] = []
    end = float("-inf")
    for block in sorted(blocks, key=lambda block: block["bbox"][axis]):
        if block["bbox"][axis] > end + gap or not groups:
            groups.append([])
        groups[-1].append(block)
        end = max(end, block["bbox"][axis + 2])
    return groups
