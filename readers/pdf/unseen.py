"""Text of a PDF page that nobody sees: in the colour of the paper, tiny, covered, off the page, in a layer that is off.

What only may be unseen, by its colours or by what is drawn over it, is looked at in a picture of its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from readers.hidden import FAINT, TINY, is_faint, joined
from readers.pdf.layout import Block, Box, plain_text, visible_blocks
from readers.pdf.mupdf import pymupdf

_PAINT = ("fill-path", "fill-image", "fill-shade", "fill-imgmask")
_WORDS = ("fill-text", "ignore-text")
_MOST_PAINT = 3000
"""Most areas of a page that are compared with its text; of more, the largest."""
_LEAST_HEIGHT = 2.0
_ZOOM = 1.5
"""Pixels a point of the picture in which places are looked at."""
_SLACK = 1.0

Span = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parted:
    """The text of a page: what a reader sees, an invisible layer over pictures, and what nobody sees."""

    seen: list[Block]
    layer: list[Block]
    hidden: list[Block]

    @property
    def text(self) -> str:
        """What nobody sees."""
        return joined(plain_text(self.hidden).split("\n"))


def parted(page: pymupdf.Page, flags: int) -> Parted:
    """Return the text of `page`, read with `flags`; an invisible layer over a picture is the text of the picture."""
    seen, invisible = visible_blocks(page.get_text("dict", flags=flags)["blocks"])
    paint = _Paint(page)
    shown, unseen = _split(seen, paint.hides)
    layer, under = _split(invisible, lambda span: not paint.on_picture(span["bbox"]))
    return Parted(shown, layer, [*unseen, *under, *paint.off_page(flags)])


class Layers:
    """The layers of a document that are off."""

    def __init__(self, document: pymupdf.Document, reopen: Callable[[], pymupdf.Document]) -> None:
        """Open the document once more, with all layers on, if it has any that are off."""
        off = [config for config in document.layer_ui_configs() if not config["on"]]
        self._all: pymupdf.Document | None = reopen() if off else None
        if self._all is not None:
            for config in off:
                self._all.set_layer_ui_config(config["number"], 0)

    def text(self, index: int, seen: Iterable[Block], flags: int) -> str:
        """Return what stands on a page in layers that are off; `seen` is the text of the others."""
        if self._all is None:
            return ""
        known = {line.strip() for line in plain_text(seen).split("\n")}
        blocks = visible_blocks(self._all[index].get_text("dict", flags=flags)["blocks"])[0]
        return joined(line for line in plain_text(blocks).split("\n") if line.strip() not in known)

    def close(self) -> None:
        """Close what was opened."""
        if self._all is not None:
            self._all.close()


def _split(blocks: Sequence[Block], hides: Callable[[Span], bool]) -> tuple[list[Block], list[Block]]:
    """Return the parts of blocks that are seen, and those that are hidden."""
    kept: list[Block] = []
    hidden: list[Block] = []
    for block in blocks:
        marks = [[hides(span) if span["text"].strip() else None for span in line["spans"]] for line in block["lines"]]
        if not any(any(line) for line in marks):
            kept.append(block)
            continue
        for target, wanted in ((kept, False), (hidden, True)):
            lines = []
            for line, of_line in zip(block["lines"], marks, strict=True):
                spans = [span for span, mark in zip(line["spans"], of_line, strict=True) if mark in (wanted, None)]
                if any(span["text"].strip() for span in spans):
                    lines.append({**line, "spans": spans, "bbox": _around([span["bbox"] for span in spans])})
            if lines:
                target.append({**block, "lines": lines, "bbox": _around([line["bbox"] for line in lines])})
    return kept, hidden


def _around(boxes: Sequence[Box]) -> Box:
    return (
        min(box[0] for box in boxes), min(box[1] for box in boxes),
        max(box[2] for box in boxes), max(box[3] for box in boxes),
    )  # fmt: skip


class _Paint:
    """What is drawn on a page beside its text, in the order of drawing."""

    def __init__(self, page: pymupdf.Page) -> None:
        self._page = page
        self._whole = page.rect * page.derotation_matrix
        log = [(place, kind, box) for place, (kind, box) in enumerate(page.get_bboxlog())]
        self._texts = [(place, box) for place, kind, box in log if kind in _WORDS]
        paint = [(place, kind, box) for place, kind, box in log if kind in _PAINT and box[3] - box[1] >= _LEAST_HEIGHT]
        paint.sort(key=lambda one: (one[2][0] - one[2][2]) * (one[2][3] - one[2][1]))
        self._paint = paint[:_MOST_PAINT]
        self._fills: list[tuple[Box, tuple[int, int, int]]] | None = None

    def hides(self, span: Span) -> bool:
        """Tell whether nobody sees a span."""
        box = span["bbox"]
        if span["size"] < TINY and min(box[3] - box[1], box[2] - box[0]) < 2 * TINY:
            return True
        colour = _rgb(span["color"])
        near = [one for one in self._paint if _meets(one[2], box)]
        drawn = self._drawn(box) if near else 0
        under = [kind for place, kind, _ in near if place < drawn]
        if is_faint(colour) and not under:
            return True
        over = any(place > drawn and _holds(area, box) for place, _, area in near)
        alike = bool(under) and (is_faint(colour) or "fill-path" not in under or self._on_own_colour(box, colour))
        return (over or alike) and self._is_blank(box)

    def on_picture(self, box: Box) -> bool:
        """Tell whether a box stands on a picture."""
        return any(kind != "fill-path" and _middle_in(area, box) for _, kind, area in self._paint)

    def off_page(self, flags: int) -> list[Block]:
        """Return the text that stands outside the page."""
        if all(_meets(self._whole, box) for _, box in self._texts):
            return []
        text = self._page.get_textpage(clip=pymupdf.INFINITE_RECT(), flags=flags & ~pymupdf.TEXT_MEDIABOX_CLIP)
        blocks = [block for block in text.extractDICT()["blocks"] if block["type"] == 0]
        return _split(blocks, lambda span: not _meets(self._whole, span["bbox"]))[1]

    def _drawn(self, box: Box) -> int:
        """Return when the text at a box was drawn: the last of those there."""
        return max((place for place, area in self._texts if _meets(area, box)), default=0)

    def _on_own_colour(self, box: Box, colour: tuple[int, int, int]) -> bool:
        if self._fills is None:
            self._fills = [
                (drawing["rect"], tuple(round(255 * part) for part in drawing["fill"]))
                for drawing in self._page.get_cdrawings()
                if drawing.get("fill")
            ][-_MOST_PAINT:]
        return any(_middle_in(area, box) and is_faint(colour, fill) for area, fill in self._fills)

    def _is_blank(self, box: Box) -> bool:
        """Tell whether the page shows one colour in a box."""
        left, top, right, bottom = pymupdf.Rect(box) * self._page.rotation_matrix * _ZOOM
        part = self._picture[max(0, int(top)) : int(bottom) + 1, max(0, int(left)) : int(right) + 1]
        if not part.size:
            return True
        darkest, lightest = part.min((0, 1)), part.max((0, 1))
        return int((lightest - darkest).max()) <= FAINT

    @cached_property
    def _picture(self) -> NDArray[np.uint8]:
        """The page in red, green and blue, of shape [height, width, 3]."""
        picture = self._page.get_pixmap(matrix=pymupdf.Matrix(_ZOOM, _ZOOM), colorspace=pymupdf.csRGB, alpha=False)
        return np.frombuffer(picture.samples, np.uint8).reshape(picture.height, picture.width, 3)


def _rgb(colour: int) -> tuple[int, int, int]:
    return colour >> 16 & 255, colour >> 8 & 255, colour & 255


def _meets(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _holds(outer: Box, inner: Box) -> bool:
    """Tell whether the middle half of `inner`, where its letters are, lies in `outer`."""
    margin = (inner[3] - inner[1]) / 4
    return (
        outer[0] - _SLACK <= inner[0]
        and inner[2] <= outer[2] + _SLACK
        and outer[1] <= inner[1] + margin
        and inner[3] - margin <= outer[3]
    )


def _middle_in(outer: Box, inner: Box) -> bool:
    across, down = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= across <= outer[2] and outer[1] <= down <= outer[3]
