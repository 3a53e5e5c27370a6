"""What of an XLSB sheet nobody sees, by the records of its binary parts.

[MS-XLSB]: BrtBundleSh, BrtFmt, BrtFont, BrtFill, BrtXF, BrtIndexedColor, BrtColInfo, BrtRowHdr and the cells.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from zipfile import ZipFile

from domain.errors import FileCorrupt
from readers.hidden import WHITE, Colour
from readers.office.package import Package
from readers.office.sheet_unseen import LAST_COLUMN, PALETTE, Look, numbered_colour, unseen_looks
from readers.office.sheet_xml import Place, SheetNotes

_SHEET, _ROW, _COLUMNS, _TABLES = 156, 0, 60, 660
_FORMAT, _FONT, _FILL, _STYLE, _OWN_COLOUR = 44, 43, 45, 47, 475
_CELL_STYLES, _CELL_STYLES_END = 617, 618
_CELLS = {*range(2, 12), 62}
"""Cells with a value or a formula."""
_ROW_HIDDEN = 0x10
_NUMBERED, _MIXED, _OF_THEME = 1, 2, 3
_LEAST = 20
"""Bytes of the longest record of a style, as far as it is looked at."""
_FAULTS = (FileCorrupt, struct.error, IndexError)


class XlsbBook:
    """The sheets of an XLSB workbook, as far as they are sound."""

    def __init__(self, archive: ZipFile, name: str) -> None:
        """Look at `archive`, which its owner closes; `name` is the file's."""
        self._package = Package(archive, name)
        self._members: dict[str, str] = {}
        with suppress(*_FAULTS):
            links = {link: member for link, (_, member) in self._package.links("xl/workbook.bin").items()}
            for kind, data in self._records("xl/workbook.bin"):
                if kind == _SHEET:
                    link, end = _text(data, 8)
                    self._members[_text(data, end)[0]] = links.get(link, "")
        self._blank, self._faint = unseen_looks(_looks(self._records("xl/styles.bin")))

    def notes(self, name: str) -> SheetNotes:
        """Return what nobody sees of a sheet; broken records are passed over."""
        notes, faint = SheetNotes(), set[Place]()
        row, has_tables = 0, False
        for kind, data in self._records(self._members.get(name, "")):
            with suppress(*_FAULTS):
                row = self._note(kind, data, row, notes, faint)
            has_tables = has_tables or kind == _TABLES
        notes.unseen.update(() if has_tables else faint)
        return notes

    def _note(self, kind: int, data: bytes, row: int, notes: SheetNotes, faint: set[Place]) -> int:
        """Take notes of a record inside `row`, and return the row of what comes behind it."""
        if kind == _ROW:
            (row,) = struct.unpack_from("<I", data)
            if data[11] & _ROW_HIDDEN:
                notes.rows.add(row)
        elif kind == _COLUMNS and data[16] & 1:
            first, last = struct.unpack_from("<II", data)
            notes.columns.update(range(first, min(last + 1, LAST_COLUMN)))
        elif kind in _CELLS:
            column, style = struct.unpack_from("<II", data)
            if style & 0xFFFFFF in self._blank:
                notes.unseen.add((row, column))
            elif style & 0xFFFFFF in self._faint:
                faint.add((row, column))
        return row

    def _records(self, member: str) -> Iterator[tuple[int, bytes]]:
        """Yield the kind and content of each record of a part, up to where it is broken."""
        with suppress(*_FAULTS):
            part, at = self._package.data(member) or b"", 0
            while at < len(part):
                kind, at = _number(part, at, 2)
                size, at = _number(part, at, 4)
                yield kind, part[at : at + size]
                at += size


def _looks(records: Iterable[tuple[int, bytes]]) -> list[Look]:
    """Return the looks of the cell styles."""
    parts: dict[int, list[bytes]] = {kind: [] for kind in (_FORMAT, _FONT, _FILL, _STYLE, _OWN_COLOUR)}
    of_cells = False
    for kind, data in records:
        of_cells = kind == _CELL_STYLES or of_cells and kind != _CELL_STYLES_END
        if kind in parts and (of_cells or kind != _STYLE):
            parts[kind].append(data.ljust(_LEAST, b"\0"))
    codes = {data[:2]: _text(data, 2)[0] for data in parts[_FORMAT]}
    palette = [(data[0], data[1], data[2]) for data in parts[_OWN_COLOUR]]
    points = [int.from_bytes(data[:2], "little") / 20 for data in parts[_FONT]]
    inks = [_colour(data[12:], palette) for data in parts[_FONT]]
    papers = [_paper(data, palette) for data in parts[_FILL]]
    looks = []
    for data in parts[_STYLE]:
        font, fill = struct.unpack_from("<HH", data, 4)
        size, ink = (points[font], inks[font]) if font < len(inks) else (0, None)
        looks.append(Look(codes.get(data[2:4], ""), size, ink, papers[fill] if fill < len(papers) else WHITE))
    return looks


def _paper(fill: bytes, palette: Sequence[Colour]) -> Colour | None:
    (pattern,) = struct.unpack_from("<I", fill)
    return WHITE if pattern == 0 else _colour(fill[4:12], palette) if pattern == 1 else None


def _colour(data: bytes, palette: Sequence[Colour]) -> Colour | None:
    """Return a colour; None for an automatic one, and for those of a theme but its paper."""
    kind, number, tint, red, green, blue = struct.unpack_from("<BBhBBB", data)
    if tint:
        return None
    if kind >> 1 == _NUMBERED:
        return numbered_colour(number, palette or PALETTE)
    if kind >> 1 == _OF_THEME:
        return WHITE if number == 0 else None
    return (red, green, blue) if kind >> 1 == _MIXED else None


def _number(part: bytes, at: int, most: int) -> tuple[int, int]:
    """Return a number of at most `most` bytes of seven bits, and where it ends."""
    number = 0
    for place in range(most):
        number |= (part[at + place] & 0x7F) << 7 * place
        if not part[at + place] & 0x80:
            break
    return number, at + place + 1


def _text(data: bytes, at: int) -> tuple[str, int]:
    """Return a text with its length before it, and where it ends; no text where the length says so."""
    (length,) = struct.unpack_from("<I", data, at)
    end = at + 4 + 2 * (0 if length == 0xFFFFFFFF else length)
    return data[at + 4 : end].decode("utf-16-le", "replace"), end
