"""Scans and screenshots that stand on a PDF page beside real text: found, and drawn for OCR without that text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from readers.pdf.layout import Block, plain_text
from readers.pdf.scan import LONGEST_SIDE, MOST_DPI

if TYPE_CHECKING:
    import pymupdf

MOST = 40
"""Most pictures of one document that are recognised beside text."""
MOST_A_PAGE = 4
MOST_CHARS = 600
"""A page with more real text shows figures rather than scans; recognising those would delay long documents."""
LEAST_SHARE = 0.25
"""Share of the page that a picture covers, strips of a scan joined, before it may hold readable text."""
LEAST_DETAIL = 200
"""Pixels of the picture's shorter side."""
MOST_TEXT = 0.1
"""With more of a picture under real text it is a background."""
PAPER = 0.6
"""Share of pixels of about one brightness; paper has more, photographs have less."""
_MOST_STRIPS = 400
_JOIN = 3.0
_MARGIN = 6.0


def regions(page: pymupdf.Page, blocks: Sequence[Block]) -> list[pymupdf.Rect]:
    """Return where pictures stand on `page` that may hold text, top to bottom; `blocks` is its visible text.

    As all that MuPDF tells of a page, the boxes are those of the page before it is rotated.
    """
    if len(plain_text(blocks)) > MOST_CHARS or not page.get_images():
        return []
    from readers.pdf.mupdf import pymupdf

    whole = page.rect * page.derotation_matrix
    strips = [
        pymupdf.Rect(image["bbox"]) & whole
        for image in page.get_image_info()[:_MOST_STRIPS]
        if image["width"] >= LEAST_DETAIL
    ]
    lines = [pymupdf.Rect(line["bbox"]) for block in blocks for line in block["lines"]]
    least = LEAST_SHARE * abs(whole)
    found = [
        region
        for region in _joined([strip for strip in strips if not strip.is_empty])
        if abs(region) >= least and sum(abs(line & region) for line in lines) < MOST_TEXT * abs(region)
    ]
    return sorted(found, key=lambda region: region.y0)[:MOST_A_PAGE]


def draw(page: pymupdf.Page, region: pymupdf.Rect, blocks: Sequence[Block]) -> bytes | None:
    """Return a PNG of `region` with the real text on it painted over; None for a photograph."""
    from readers.pdf.mupdf import pymupdf

    zoom = min(LONGEST_SIDE / max(region.width, region.height), MOST_DPI / 72)
    scale = pymupdf.Matrix(zoom, zoom)
    picture = page.get_pixmap(matrix=scale, clip=region * page.rotation_matrix, colorspace=pymupdf.csRGB, alpha=False)
    paper = _paper(picture)
    if paper is None or min(picture.width, picture.height) < LEAST_DETAIL:
        return None
    for block in blocks:
        for line in block["lines"]:
            box = (pymupdf.Rect(line["bbox"]) & region) * page.rotation_matrix * scale
            if not box.is_empty:
                picture.set_rect(box.irect, paper)
    return bytes(picture.tobytes("png"))


def clipped(page: pymupdf.Page, box: Sequence[float]) -> bytes:
    """Return a PNG of a stretch of text, with some paper around it."""
    from readers.pdf.mupdf import pymupdf

    region = (pymupdf.Rect(box) + (-_MARGIN, -_MARGIN, _MARGIN, _MARGIN)) & (page.rect * page.derotation_matrix)
    zoom = min(LONGEST_SIDE / max(region.width, region.height, 1.0), MOST_DPI / 72)
    picture = page.get_pixmap(
        matrix=pymupdf.Matrix(zoom, zoom), clip=region * page.rotation_matrix, colorspace=pymupdf.csRGB, alpha=False
    )
    return bytes(picture.tobytes("png"))


def above(blocks: Sequence[Block], places: Sequence[pymupdf.Rect]) -> int:
    """Return how many of the pictures stand above the text."""
    top = min((block["bbox"][1] for block in blocks), default=0.0)
    return sum(place.y1 <= top for place in places)


def _joined(boxes: list[pymupdf.Rect]) -> list[pymupdf.Rect]:
    """Join boxes that touch: scanners store a page as strips."""
    joined: list[pymupdf.Rect] = []
    for box in sorted(boxes, key=lambda box: (box.y0, box.x0)):
        near = box + (-_JOIN, -_JOIN, _JOIN, _JOIN)
        for other in [other for other in joined if other.intersects(near)]:
            joined.remove(other)
            box = box | other
        joined.append(box)
    return joined


def _paper(picture: pymupdf.Pixmap) -> tuple[int, int, int] | None:
    """Return the colour of most of a picture's pixels, if most are about the same."""
    samples = np.frombuffer(picture.samples, np.uint8).reshape(-1, picture.n)[::7, :3]
    counts = np.bincount(samples.mean(1).astype(np.uint8) >> 5, minlength=8)
    lower = int(np.argmax(counts[:-1] + counts[1:]))
    if counts[lower : lower + 2].sum() < PAPER * len(samples):
        return None
    level = 32 * (lower + int(counts[lower + 1] > counts[lower])) + 16
    return (level, level, level)
