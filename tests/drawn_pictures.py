"""Pictures for tests, drawn with fonts that come with Pillow and PyMuPDF."""

from __future__ import annotations

import io
from functools import cache

import pymupdf
from PIL import Image, ImageDraw, ImageFont


@cache
def _cjk() -> bytes:
    return bytes(pymupdf.Font("cjk").buffer)


def font(size: int, text: str) -> ImageFont.FreeTypeFont:
    """A Chinese font where the text needs one."""
    if text.isascii():
        loaded = ImageFont.load_default(size)
        assert isinstance(loaded, ImageFont.FreeTypeFont)
        return loaded
    return ImageFont.truetype(io.BytesIO(_cjk()), size)


def drawn(
    *texts: tuple[int, int, str],
    size: tuple[int, int] = (420, 90),
    ink: object = "black",
    paper: object = "white",
    pixels: int = 36,
    mode: str = "RGB",
) -> Image.Image:
    """A picture with each text at its (left, top)."""
    image = Image.new(mode, size, paper)  # type: ignore[arg-type]
    brush = ImageDraw.Draw(image)
    for left, top, text in texts:
        brush.text((left, top), text, font=font(pixels, text), fill=ink)  # type: ignore[arg-type]
    return image


def encoded(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()
