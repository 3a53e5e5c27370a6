"""What every reader yields: an outline first, then pages in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Unit = Literal["page", "section", "sheet", "slide"]
PARTS = "parts_not_read"
"""The warning that things beside text and pictures were left out, with their number."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a reader: the name for error texts, the password, and the limits."""

    name: str
    media_type: str
    password: str | None = None
    max_pages: int = 2000
    max_pixels: int = 50_000_000
    max_text_chars: int = 10_000_000


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known of a document before its pages are read.

    `pages_total` is how many pages follow. `warnings` (here and on `Page`) are notes or reasons, as codes of
    `domain/unread.py`.
    """

    media_type: str
    unit: Unit
    pages_total: int
    title: str = ""
    encoding: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page, section, sheet or slide as a person numbers them.

    `number` counts from 1; `label` is what a person sees (the printed page number, the section's heading, the sheet's
    name). `image` is set where the page has no usable text layer: an upright-or-rotated PNG for the OCR engine;
    `markdown` then holds what text there was, for use when OCR gives nothing. `figures` are the pictures on a page that
    has text, for the OCR engine; each stands where `markdown` has a `readers.figures.MARK`. `hidden` is text that a
    reader of the document does not see (see `readers.hidden`); `removed` how many invisible characters were taken out.
    """

    number: int
    label: str
    markdown: str
    image: bytes | None = None
    warnings: tuple[str, ...] = ()
    figures: tuple[bytes, ...] = ()
    hidden: str = ""
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Embedded:
    """A file inside a file (an e-mail's attachment), to be read as a separate document. Comes after all pages."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture (or one page of a TIFF) made safe: upright by EXIF, RGB, without metadata, as PNG or JPEG.

    `width` and `height` are at most 4000 pixels (long, narrow pictures: at most 6.4 megapixels); the original ones are
    those of the upright picture. `frame` counts from 0. `colours` are names of `colours.py`. `reduced` is
    the copy for vision models, at most 2048 pixels a side (long ones: 1.7 megapixels); `data` itself where
    that is so small.
    """

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    frame: int
    frames: int
    original_width: int
    original_height: int
    original_format: str
    colours: tuple[str, ...] = ()
    reduced: bytes = field(default=b"", repr=False)
    reduced_media_type: str = ""


Item = Outline | Page | Embedded
"""What a reader yields: one `Outline`, then the pages in order, then embedded files."""
