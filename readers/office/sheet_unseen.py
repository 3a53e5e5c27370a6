"""What of an XLSX sheet nobody sees: hidden rows and columns, and cells whose style shows nothing."""

from __future__ import annotations

import re

from lxml import etree

from readers.hidden import TINY, WHITE, Colour, is_faint, rgb

_ROW = re.compile(rb"<(?:\w+:)?row\s([^<>]*)>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\s([^<>]*)>")
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_NUMBER = re.compile(rb'\br="(\d+)"')
_FIRST, _LAST = re.compile(rb'\bmin="(\d+)"'), re.compile(rb'\bmax="(\d+)"')
_LAST_COLUMN = 16_384
_NO_SIGNS = re.compile(r'(?:""|\s)*(?:;(?:""|\s)*){3}')
"""A format of four parts that shows nothing in any of them."""


def hidden_lines(data: bytes) -> tuple[set[int], set[int]]:
    """Return the hidden rows and columns of a sheet, from 0."""
    rows = {
        int(number[1]) - 1
        for row in _ROW.finditer(data)
        if _HIDDEN.search(row[1]) and (number := _NUMBER.search(row[1]))
    }
    columns: set[int] = set()
    for column in _COLUMN.finditer(data):
        first, last = _FIRST.search(column[1]), _LAST.search(column[1])
        if first and last and _HIDDEN.search(column[1]):
            columns.update(range(int(first[1]) - 1, min(int(last[1]), _LAST_COLUMN)))
    return rows, columns


def number_codes(styles: etree._Element) -> dict[int, str]:
    """Return the number formats of a workbook by their ids."""
    return {int(form.get("numFmtId", "0")): str(form.get("formatCode")) for form in styles.iter("{*}numFmt")}


def unseen_styles(styles: etree._Element) -> tuple[set[int], set[int]]:
    """Return the cell styles that show nothing, and those in the colour of their own paper."""
    blank, faint = set[int](), set[int]()
    codes = number_codes(styles)
    fonts, fills = list(styles.iterfind("{*}fonts/{*}font")), list(styles.iterfind("{*}fills/{*}fill"))
    for number, style in enumerate(styles.iterfind("{*}cellXfs/{*}xf")):
        font, fill = _numbered(fonts, style.get("fontId")), _numbered(fills, style.get("fillId"))
        size = None if font is None else font.find("{*}sz")
        if _NO_SIGNS.fullmatch(codes.get(int(style.get("numFmtId", "0")), "")) or (
            size is not None and 0 < float(size.get("val", "11")) < TINY
        ):
            blank.add(number)
        ink = None if font is None else _colour(font.find("{*}color"))
        paper = _paper(fill)
        if ink is not None and paper is not None and is_faint(ink, paper):
            faint.add(number)
    return blank, faint


def _numbered(found: list[etree._Element], number: str | None) -> etree._Element | None:
    return found[int(number)] if number is not None and number.isdecimal() and int(number) < len(found) else None


def _paper(fill: etree._Element | None) -> Colour | None:
    pattern = None if fill is None else fill.find("{*}patternFill")
    if fill is not None and pattern is None:
        return None
    if pattern is None or pattern.get("patternType") in (None, "none"):
        return WHITE
    return _colour(pattern.find("{*}fgColor")) if pattern.get("patternType") == "solid" else None


def _colour(element: etree._Element | None) -> Colour | None:
    """Return a colour; None for an automatic one, and for those of a theme but its paper."""
    if element is None or element.get("tint") not in (None, "0"):
        return None
    if element.get("theme") == "0" or element.get("indexed") in ("1", "9"):
        return WHITE
    return rgb(str(element.get("rgb") or "")[-6:])
