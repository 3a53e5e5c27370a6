"""Whether a PDF page's text layer can be used, and the picture of the page where it cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from readers.pdf.layout import Block, plain_text

if TYPE_CHECKING:
    import pymupdf

LONGEST_SIDE = 2000
"""Pixels of the longer side of a page picture; about 170 dpi on A4, what OCR engines are trained near."""
MOST_DPI = 300
_FEW_CHARS = 16
_COVERED = 0.2
_FULLY_COVERED = 0.6
_CID = re.compile(r"\(cid:\d+\)")
_VOWELS = frozenset("aeiouyAEIOUYäöüáéíóúàèìòùâêîôûåæøœãõěůąęı")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a page. `text` is what there is; `uses_hidden` that it is a scan's own invisible layer."""

    needs_ocr: bool
    uses_hidden: bool
    text: str


def judge(page: pymupdf.Page, blocks: list[Block], hidden: list[Block]) -> Verdict:
    """Decide whether the visible text of `page` is usable."""
    text = plain_text(blocks)
    size = len("".join(text.split()))
    if size >= _FEW_CHARS:
        return Verdict(looks_garbled(text), False, "" if looks_garbled(text) else text)
    covered = _image_share(page)
    under = plain_text(hidden)
    if covered > _FULLY_COVERED and len(under) >= _FEW_CHARS:
        readable = not looks_garbled(under)
        return Verdict(True, readable, under if readable else text)
    drawn = covered > _COVERED or (size == 0 and _is_drawn(page))
    return Verdict(drawn, False, text)


def looks_garbled(text: str) -> bool:
    """Whether a text layer is junk: glyphs without meaning, a wrong code page, or letters no language puts together."""
    solid = "".join(_CID.sub("\ufffd" * 4, text).split())
    if not solid:
        return False
    broken = sum(
        1 for char in solid if char == "\ufffd" or "\ue000" <= char <= "\uf8ff" or char < " " or "\x7f" <= char < "\xa0"
    )
    if broken * 5 > len(solid):
        return True
    letters = [char for char in solid if char.isalpha()]
    high = sum(1 for char in letters if "\xc0" <= char <= "\xff")
    if len(letters) >= 20 and high * 2 > len(letters):
        return True
    return _unpronounceable(solid)


def _unpronounceable(solid: str) -> bool:
    """Latin text without vowels is a shifted encoding (fonts without a Unicode table write `7KLV` for `This`)."""
    latin = [char for char in solid if "A" <= char <= "Z" or "a" <= char <= "z"]
    if len(latin) < 60 or len(latin) * 2 < len(solid):
        return False
    vowels = sum(1 for char in latin if char in _VOWELS)
    return vowels * 100 < 17 * len(latin)


def _image_share(page: pymupdf.Page) -> float:
    """Return the share of the page that its largest pictures cover, 0 to 1."""
    area = abs(page.rect.width * page.rect.height) or 1.0
    covered = 0.0
    whole = page.rect * page.derotation_matrix
    for image in page.get_image_info():
        left, top, right, bottom = image["bbox"]
        width = max(0.0, min(right, whole.x1) - max(left, whole.x0))
        height = max(0.0, min(bottom, whole.y1) - max(top, whole.y0))
        covered += width * height
    return min(covered / area, 1.0)


def _is_drawn(page: pymupdf.Page) -> bool:
    """Whether a page without text has enough strokes for them to be letters."""
    return len(page.get_cdrawings()) >= 10


def picture_scale(page: pymupdf.Page) -> float:
    """Return how many pixels of the picture that OCR sees are a point of the page."""
    longest = max(page.rect.width, page.rect.height, 1.0)
    return float(min(LONGEST_SIDE / longest, MOST_DPI / 72))


def render(page: pymupdf.Page, max_pixels: int) -> tuple[bytes | None, tuple[str, ...]]:
    """Return a PNG of the page, at most `LONGEST_SIDE` pixels long, and warnings; None for a blank page."""
    from readers.pdf.mupdf import pymupdf

    if any(image[2] * image[3] > max_pixels for image in page.get_images()):
        return None, ("page_image_too_large",)
    zoom = picture_scale(page)
    grey = all(image[5] in ("DeviceGray", "CalGray") or image[4] == 1 for image in page.get_images())
    colours = pymupdf.csGRAY if grey and page.get_images() else pymupdf.csRGB
    picture = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=colours, alpha=False)
    samples = picture.samples
    if samples == samples[: picture.n] * (len(samples) // picture.n):
        return None, ()
    return picture.tobytes("png"), ()
