"""Lines as MuPDF gives them, made fit for reading: vertical writing, raised figures, letter-spacing, labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from domain.layout import groups
from readers.pdf.layout import Block, is_wide
from readers.raised import lowered, raised

if TYPE_CHECKING:
    import pymupdf

_RISE = 0.15
"""Least distance from the line on which the others stand, in type sizes."""
_SMALL = 0.92
"""Raised and lowered characters are at most this large, in sizes of their neighbours."""
ONCE = 1 << 15
"""MuPDF's FZ_STEXT_COLLECT_STYLES: with it, ink that is drawn again a little aside counts once. It takes long."""
_DOUBLED = 0.1
"""Most distance of such lines, in line heights."""
_REACH = 150.0
"""Points between a label and what belongs to it."""
_MOST_COMPARED = 400
_BROKEN = re.compile("[\ufffd\ue000-\uf8ff]")
_LEAST_BROKEN = 3
_NONCHARACTERS = re.compile("[\ufdd0-\ufdef]")
_PLACES = "".join(map(chr, range(0xFDD2, 0xFDEE)))
"""Placeholders of broken lines: noncharacters, as `readers.figures.MARK`."""
_LEADER = re.compile(r"\s*(?:\.{3,}|_{3,}|…+|[. ]{6,})\s*\Z")
_LABEL = re.compile(r"[:：]\s*(?:[._…\s]*)\Z|(?:\.{4,}|_{3,}|…{2,})\s*\Z")


def is_doubled(blocks: list[Block]) -> bool:
    """Whether lines lie upon each other: ink is drawn again a little aside, for bold type or a shadow."""
    lines = sorted((line["bbox"] for block in blocks for line in block["lines"]), key=lambda box: (box[1], box[0]))
    for one, other in pairwise(lines):
        near = abs(one[1] - other[1]) <= _DOUBLED * (one[3] - one[1])
        across = min(one[2], other[2]) - max(one[0], other[0])
        if near and across > 0.5 * min(one[2] - one[0], other[2] - other[0]):
            return True
    return False


def mended(blocks: list[Block], page: pymupdf.Page) -> list[Block]:
    """Return text blocks of `page` with spans that say what is raised, columns of vertical writing as lines."""
    vertical = [block for block in blocks if _is_vertical(block)]
    level = [
        {**block, "lines": [_spelled(line) for line in block["lines"]]} for block in blocks if block not in vertical
    ]
    if any(_is_spaced(line) for block in level for line in block["lines"]):
        _close(level, page)
    level = _beside_labels(level)
    if not vertical:
        return level
    top = min(block["bbox"][1] for block in vertical)
    above = [block for block in level if block["bbox"][3] <= top + 2]
    return above + _columns(vertical) + [block for block in level if block not in above]


def torn_out(blocks: list[Block]) -> tuple[list[Block], dict[str, Sequence[float]]]:
    """Return the blocks with a placeholder for each run of broken lines, and the boxes of these, to be recognised."""
    kept: list[Block] = []
    places: dict[str, Sequence[float]] = {}
    for block in blocks:
        for broken, run in groupby(block["lines"], is_broken):
            lines = list(run)
            box = _around(line["bbox"] for line in lines) if len(lines) < len(block["lines"]) else block["bbox"]
            if broken and len(places) < len(_PLACES):
                mark = _PLACES[len(places)]
                places[mark] = box
                lines = [{**lines[0], "bbox": box, "spans": [{**lines[0]["spans"][0], "text": mark}]}]
            kept.append({**block, "bbox": box, "lines": lines})
    return kept, places


def is_broken(line: dict[str, Any]) -> bool:
    """Whether most characters of a line, or of a font in it, stand for nothing: the font does not tell its letters."""
    texts = ["".join(span["text"].split()) for span in line["spans"]]
    whole = "".join(texts)
    broken = len(_BROKEN.findall(whole))
    if broken >= _LEAST_BROKEN and broken * 2 > len(whole):
        return True
    return any(_LEAST_BROKEN <= text.count("\ufffd") > len(text) // 2 for text in texts)


def _spelled(line: dict[str, Any]) -> dict[str, Any]:
    """Return the line with `^6`, `[3]` and the like for raised spans, and letter-spaced words joined."""
    spans = [{**span, "text": _NONCHARACTERS.sub("", span["text"])} for span in line["spans"]]
    inked = [span for span in spans if span["text"].strip()]
    if not inked:
        return {**line, "spans": spans}
    base = max(inked, key=lambda span: (round(span["size"]), len(span["text"])))
    before, marks, last = "", [], None
    for span in spans:
        text, rise = span["text"], _rise(span, base, line["dir"])
        small = span["size"] <= _SMALL * base["size"]
        if text.strip() and small and abs(rise) > _RISE * base["size"]:
            mark = raised(before, text) if rise > 0 else lowered(before, text)
            marks.append((span["bbox"], text.strip(), mark))
            if mark[:1] in ("^", "_") and last is not None:
                last["text"] = last["text"].rstrip()
            text = mark + (" " if text[-1:].isspace() or mark.endswith("]") else "")
        elif marks and before[-1:].isdecimal() and text[:1].isdecimal():
            text = " " + text
        span["text"] = text
        before, last = before + text, span
    return {**line, "spans": spans, "marks": marks}


def _rise(span: dict[str, Any], base: dict[str, Any], direction: Sequence[float]) -> float:
    """Return how far a span stands above the baseline of another, in points."""
    across = (span["origin"][0] - base["origin"][0], span["origin"][1] - base["origin"][1])
    return float(across[0] * direction[1] - across[1] * direction[0])


def _is_spaced(line: dict[str, Any]) -> bool:
    """Whether a line is set with space between all letters, which MuPDF takes for spaces between words."""
    tokens = "".join(span["text"] for span in line["spans"]).split()
    return len(tokens) >= 4 and sum(len(token) == 1 and token.isalnum() for token in tokens) * 10 >= 8 * len(tokens)


def _close(blocks: list[Block], page: pymupdf.Page) -> None:
    """Join the letters of spaced lines: wider gaps part their words."""
    places = {
        tuple(map(round, line["bbox"])): [char for span in line["spans"] for char in span["chars"]]
        for block in page.get_text("rawdict")["blocks"]
        for line in block.get("lines", ())
    }
    for line in (line for block in blocks for line in block["lines"] if _is_spaced(line)):
        chars = [char for char in places.get(tuple(map(round, line["bbox"])), ()) if not char["c"].isspace()]
        gaps = [after["bbox"][0] - before["bbox"][2] for before, after in pairwise(chars)]
        if len(gaps) < 3 or sum(char["c"].isalpha() for char in chars) * 2 < len(chars):
            continue
        wide = max(1.6 * median(gaps), median(gaps) + 0.12 * line["spans"][0]["size"])
        text = chars[0]["c"] + "".join(
            " " * (gap > wide) + char["c"] for gap, char in zip(gaps, chars[1:], strict=True)
        )
        line["spans"] = [{**line["spans"][0], "text": text}]


def _is_vertical(block: Block) -> bool:
    """Whether a block is a column of vertical writing, set as such or one character below the other."""
    lines = block["lines"]
    if any(line["wmode"] == 1 for line in lines):
        return True
    texts = ["".join(span["text"] for span in line["spans"]).strip() for line in lines]
    alone = len(lines) >= 4 and all(len(text) == 1 and is_wide(text) for text in texts)
    return alone and max(line["bbox"][0] for line in lines) - min(line["bbox"][0] for line in lines) < 4


def _columns(blocks: list[Block]) -> list[Block]:
    """Return vertical columns as lines from right to left, turned so that they run like other lines.

    What follows them in the text follows them here: neighbouring columns of one size are one block.
    """
    turned: list[Block] = []
    for register in groups(blocks, lambda block: (block["bbox"][1], block["bbox"][3]), 12.0) if blocks else []:
        last: float | None = None
        for block in sorted(register, key=lambda block: -block["bbox"][0]):
            x0, y0, x1, y1 = block["bbox"]
            spans = [span for line in block["lines"] for span in line["spans"]]
            box = (y0, -x1, y1, -x0)
            text = "".join(span["text"].strip() for span in spans)
            line = {"bbox": box, "wmode": 1, "dir": (1.0, 0.0), "spans": [{**spans[0], "text": text, "bbox": box}]}
            if last is not None and last - x1 < 1.5 * (x1 - x0):
                whole = turned[-1]
                a0, b0, a1, b1 = whole["bbox"]
                whole["lines"].append(line)
                whole["bbox"] = (min(a0, box[0]), min(b0, box[1]), max(a1, box[2]), max(b1, box[3]))
            else:
                turned.append({"type": 0, "bbox": box, "lines": [line], "number": block.get("number", 0)})
            last = x0
    return turned


def _beside_labels(blocks: list[Block]) -> list[Block]:
    """Put what was filled in later, and so stands at the end of the file, behind the label that it stands beside."""
    if len(blocks) > _MOST_COMPARED:
        return blocks
    labels = [
        (block, line)
        for block in blocks
        for line in block["lines"]
        if _LABEL.search("".join(span["text"] for span in line["spans"]))
    ]
    kept: list[Block] = []
    for block in blocks:
        found = [_label_of(block, line["bbox"], labels) for line in block["lines"]]
        if not all(found):
            kept.append(block)
            continue
        for line, label in zip(block["lines"], found, strict=True):
            assert label is not None
            spans = label["spans"]
            spans[-1]["text"] = _LEADER.sub("", spans[-1]["text"].rstrip()) + " "
            spans += line["spans"]
            label["bbox"] = _around((label["bbox"], line["bbox"]))
    return kept


def _label_of(block: Block, box: Sequence[float], labels: list[tuple[Block, dict[str, Any]]]) -> dict[str, Any] | None:
    """Return the label on whose right, or on whose dots, a line of `block` stands; none of its own block."""
    x0, y0, _, y1 = box
    found = [
        line
        for home, line in labels
        if home is not block
        and line["bbox"][0] < x0 < line["bbox"][2] + _REACH
        and min(y1, line["bbox"][3]) - max(y0, line["bbox"][1]) > 0.5 * min(y1 - y0, line["bbox"][3] - line["bbox"][1])
    ]
    return max(found, key=lambda line: line["bbox"][0], default=None)


def _around(boxes: Iterable[Sequence[float]]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
