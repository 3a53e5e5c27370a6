"""What of a sheet nobody sees: hidden rows and columns, and cells whose style shows nothing.

The rules are those of every kind of workbook, which gives its cell styles as `Look`; XLSX is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxml import etree

from readers.hidden import TINY, WHITE, Colour, is_faint, rgb

LAST_COLUMN = 16_384
PALETTE = tuple(
    (number >> 16, number >> 8 & 255, number & 255)
    for number in (
        0x000000, 0xFFFFFF, 0xFF0000, 0x00FF00, 0x0000FF, 0xFFFF00, 0xFF00FF, 0x00FFFF,
        0x000000, 0xFFFFFF, 0xFF0000, 0x00FF00, 0x0000FF, 0xFFFF00, 0xFF00FF, 0x00FFFF,
        0x800000, 0x008000, 0x000080, 0x808000, 0x800080, 0x008080, 0xC0C0C0, 0x808080,
        0x9999FF, 0x993366, 0xFFFFCC, 0xCCFFFF, 0x660066, 0xFF8080, 0x0066CC, 0xCCCCFF,
        0x000080, 0xFF00FF, 0xFFFF00, 0x00FFFF, 0x800080, 0x800000, 0x008080, 0x0000FF,
        0x00CCFF, 0xCCFFFF, 0xCCFFCC, 0xFFFF99, 0x99CCFF, 0xFF99CC, 0xCC99FF, 0xFFCC99,
        0x3366FF, 0x33CCCC, 0x99CC00, 0xFFCC00, 0xFF9900, 0xFF6600, 0x666699, 0x969696,
        0x003366, 0x339966, 0x003300, 0x333300, 0x993300, 0x993366, 0x333399, 0x333333,
    )
)  # fmt: skip
"""The colours that Excel numbers from 0; a workbook may have its own."""
_PAPER = 65
"""The number of the colour of windows."""
_ROW = re.compile(rb"<(?:\w+:)?row\s([^<>]*)>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\s([^<>]*)>")
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_NUMBER = re.compile(rb'\br="(\d+)"')
_FIRST, _LAST = re.compile(rb'\bmin="(\d+)"'), re.compile(rb'\bmax="(\d+)"')
_NO_SIGNS = re.compile(r'(?:""|\s)*(?:;(?:""|\s)*){3}')
"""A format of four parts that shows nothing in any of them."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a cell style shows a text.

    Attributes:
        code: The number format; empty where it is a general one.
        points: The size of the type; 0 where it is not told.
        ink: The colour of the text; None where it is automatic or not told.
        paper: The colour behind it; None where it is not told.
    """

    code: str = ""
    points: float = 0
    ink: Colour | None = None
    paper: Colour | None = WHITE


def unseen_looks(looks: Iterable[Look]) -> tuple[set[int], set[int]]:
    """Return the numbers of the looks that show nothing, and of those in the colour of their own paper."""
    blank, faint = set[int](), set[int]()
    for number, look in enumerate(looks):
        if _NO_SIGNS.fullmatch(look.code) or 0 < look.points < TINY:
            blank.add(number)
        if look.ink is not None and look.paper is not None and is_faint(look.ink, look.paper):
            faint.add(number)
    return blank, faint


def numbered_colour(number: int, palette: Sequence[Colour | None] = PALETTE) -> Colour | None:
    """Return the colour with a number in Excel's palette; None for an automatic one.

    >>> numbered_colour(9), numbered_colour(64), numbered_colour(65)
    ((255, 255, 255), None, (255, 255, 255))
    """
    return palette[number] if 0 <= number < len(palette) else WHITE if number == _PAPER else None


def hidden_lines(data: bytes) -> tuple[set[int], set[int]]:
    """Return the hidden rows and columns of a sheet in XML, from 0."""
    rows = {
        int(number[1]) - 1
        for row in _ROW.finditer(data)
        if _HIDDEN.search(row[1]) and (number := _NUMBER.search(row[1]))
    }
    columns: set[int] = set()
    for column in _COLUMN.finditer(data):
        first, last = _FIRST.search(column[1]), _LAST.search(column[1])
        if first and last and _HIDDEN.search(column[1]):
            columns.update(range(int(first[1]) - 1, min(int(last[1]), LAST_COLUMN)))
    return rows, columns


def number_codes(styles: etree._Element) -> dict[int, str]:
    """Return the number formats of a workbook in XML by their ids."""
    return {int(form.get("numFmtId", "0")): str(form.get("formatCode")) for form in styles.iter("{*}numFmt")}


def looks_of(styles: etree._Element) -> list[Look]:
    """Return the looks of the cell styles of a workbook in XML."""
    codes = number_codes(styles)
    palette = [rgb(str(one.get("rgb"))[-6:]) for one in styles.iterfind("{*}colors/{*}indexedColors/{*}rgbColor")]
    fonts, fills = list(styles.iterfind("{*}fonts/{*}font")), list(styles.iterfind("{*}fills/{*}fill"))
    looks = []
    for style in styles.iterfind("{*}cellXfs/{*}xf"):
        font = _numbered(fonts, style.get("fontId"))
        size = None if font is None else font.find("{*}sz")
        looks.append(
            Look(
                code=codes.get(int(style.get("numFmtId", "0")), ""),
                points=0 if size is None else float(size.get("val", "0")),
                ink=None if font is None else _colour(font.find("{*}color"), palette or PALETTE),
                paper=_paper(_numbered(fills, style.get("fillId")), palette or PALETTE),
            )
        )
    return looks


def _numbered(found: list[etree._Element], number: str | None) -> etree._Element | None:
    return found[int(number)] if number is not None and number.isdecimal() and int(number) < len(found) else None


def _paper(fill: etree._Element | None, palette: Sequence[Colour | None]) -> Colour | None:
    pattern = None if fill is None else fill.find("{*}patternFill")
    if fill is not None and pattern is None:
        return None
    if pattern is None or pattern.get("patternType") in (None, "none"):
        return WHITE
    return _colour(pattern.find("{*}fgColor"), palette) if pattern.get("patternType") == "solid" else None


def _colour(element: etree._Element | None, palette: Sequence[Colour | None]) -> Colour | None:
    """Return a colour; None for an automatic one, and for those of a theme but its paper."""
    if element is None or element.get("tint") not in (None, "0"):
        return None
    if element.get("theme") == "0":
        return WHITE
    number = str(element.get("indexed") or "")
    return numbered_colour(int(number), palette) if number.isdecimal() else rgb(str(element.get("rgb") or "")[-6:])
