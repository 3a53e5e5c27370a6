"""What every reader gives: an outline first, then pages in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Unit = Literal["page", "section", "sheet", "slide"]


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known of a document before its pages are read."""

    media_type: str
    unit: Unit
    pages_total: int
    title: str = ""
    encoding: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page, section, sheet or slide as a person numbers them.

    `image` is set where the page has no usable text layer: an upright-or-rotated PNG for the OCR engine; `markdown` then
    holds what little text there was.
    """

    number: int
    label: str
    markdown: str
    image: bytes | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Embedded:
    """A file inside a file (an e-mail's attachment), to be read as a document of its own."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made safe: upright by EXIF, RGB, at most 4000 pixels a side, as PNG or JPEG.

    `facts` is one plain sentence a person could check (size, format, dominant colours), in the language asked for.
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
