"""What calamine does not tell of an ODS sheet: shown numbers, comments, merged cells, hidden rows and columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zipfile import ZipFile

from lxml import etree

from domain.errors import FileCorrupt
from readers.archive import read_member
from readers.office.sheet_xml import SheetNotes

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_MOST_REPEATED = 1000
"""Equal cells side by side or below each other that are noted one by one; more are empty or a filled column."""
_PADDED = re.compile(r"0\d[\d -]*")
_HIDDEN = ("collapse", "filter")
_LAST_COLUMN = 16_384


def ods_notes(archive: ZipFile, name: str) -> dict[str, SheetNotes]:
    """Return the notes of each sheet by its name; none of content that is no sound XML, which calamine refuses."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(read_member(archive, "content.xml", name), parser)
    except (etree.XMLSyntaxError, FileCorrupt):
        return {}
    return {str(table.get(f"{_TABLE}name")): _sheet(table) for table in root.iter(f"{_TABLE}table")}


def _sheet(table: etree._Element) -> SheetNotes:
    notes = SheetNotes(columns=_hidden_columns(table))
    at = 0
    for row in table.iter(f"{_TABLE}table-row"):
        down = _number(row, "number-rows-repeated")
        if row.get(f"{_TABLE}visibility") in _HIDDEN:
            notes.rows.update(range(at, at + _few(down)))
        column = 0
        for cell in row.iterchildren(*_CELLS):
            across = _number(cell, "number-columns-repeated")
            if len(cell):
                _note(cell, [(at + y, column + x) for y in range(_few(down)) for x in range(_few(across))], notes)
            column += across
        at += down
    return notes


def _hidden_columns(table: etree._Element) -> set[int]:
    hidden: set[int] = set()
    at = 0
    for column in table.iter(f"{_TABLE}table-column"):
        end = min(at + _number(column, "number-columns-repeated"), _LAST_COLUMN)
        if column.get(f"{_TABLE}visibility") in _HIDDEN:
            hidden.update(range(at, end))
        at = end
    return hidden


def _note(cell: etree._Element, places: list[tuple[int, int]], notes: SheetNotes) -> None:
    kind, text = cell.get(f"{_OFFICE}value-type"), " ".join(_paragraphs(cell))
    if kind == "percentage" or kind == "float" and _PADDED.fullmatch(text):
        notes.texts |= dict.fromkeys(places, text)
    for comment in cell.iterchildren(f"{_OFFICE}annotation"):
        notes.comments |= dict.fromkeys(places, " ".join(_paragraphs(comment)))
    down, across = _number(cell, "number-rows-spanned"), _number(cell, "number-columns-spanned")
    if down > 1 or across > 1:
        row, column = places[0]
        notes.merged.append(((row, column), (row + down - 1, column + across - 1)))


def _paragraphs(element: etree._Element) -> Iterator[str]:
    for paragraph in element.iterchildren(f"{_TEXT}p"):
        yield " ".join("".join(map(str, paragraph.itertext())).split())


def _number(element: etree._Element, name: str) -> int:
    value = str(element.get(f"{_TABLE}{name}") or "1")
    return max(int(value), 1) if value.isdecimal() and len(value) < 8 else 1


def _few(count: int) -> int:
    return count if count <= _MOST_REPEATED else 1
