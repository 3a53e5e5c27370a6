"""What of an XLS sheet nobody sees, by the records of its workbook.

[MS-XLS]: BoundSheet8, Font, Format, XF, Palette, ColInfo, Row and the records of cells.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import olefile

from readers.hidden import WHITE, Colour
from readers.office.sheet_unseen import PALETTE, Look, numbered_colour, unseen_looks
from readers.office.sheet_xml import SheetNotes

_BIFF_8 = b"\0\6"
_BOF, _EOF, _ENCRYPTED, _SHEET = 0x0809, 0x000A, 0x002F, 0x0085
_FONT, _FORMAT, _STYLE, _PALETTE = 0x0031, 0x041E, 0x00E0, 0x0092
_COLUMNS, _ROW, _NUMBERS = 0x007D, 0x0208, 0x00BD
_CELLS = {0x0006, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E}
"""A formula, a text with fonts, a text, a number, an older text, a truth or error, a short number."""
_WORKSHEET = 0
_ROW_HIDDEN = 0x20
_LAST_COLUMN = 256
_OWN_COLOURS = 8
_NO_FONT = 4
"""Fonts are numbered without it."""


class XlsBook:
    """The sheets of an XLS workbook, as far as they are sound; an encrypted or older one has none."""

    def __init__(self, path: Path) -> None:
        """Look at the globals of the workbook at `path`."""
        self._book = b""
        self._places: dict[str, int] = {}
        self._codes: dict[int, str] = {}
        self._fonts: list[tuple[float, int]] = []
        self._styles: list[tuple[int, int, int, int]] = []
        self._palette: list[Colour | None] = list(PALETTE)
        with suppress(OSError, ValueError), olefile.OleFileIO(path) as ole:
            self._book = ole.openstream("Workbook").read()
            self._read_globals()
        blank, faint = unseen_looks(map(self._look, self._styles))
        self._unseen = blank | faint

    def notes(self, name: str) -> SheetNotes:
        """Return what nobody sees of a sheet; broken records are passed over."""
        notes, depth = SheetNotes(), 0
        for kind, data in _records(self._book, self._places[name]) if name in self._places else ():
            depth += (kind == _BOF) - (kind == _EOF)
            if depth <= 0:
                break
            if depth == 1:  # inside are charts
                with suppress(struct.error, IndexError):
                    self._note(kind, data, notes)
        return notes

    def _note(self, kind: int, data: bytes, notes: SheetNotes) -> None:
        if kind == _ROW and data[12] & _ROW_HIDDEN:
            notes.rows.add(struct.unpack_from("<H", data)[0])
        elif kind == _COLUMNS and data[8] & 1:
            first, last = struct.unpack_from("<HH", data)
            notes.columns.update(range(first, min(last + 1, _LAST_COLUMN)))
        elif kind in _CELLS:
            row, column, style = struct.unpack_from("<3H", data)
            if style in self._unseen:
                notes.unseen.add((row, column))
        elif kind == _NUMBERS:
            row, column = struct.unpack_from("<HH", data)
            styles = (struct.unpack_from("<H", data, place)[0] for place in range(4, len(data) - 5, 6))
            notes.unseen.update((row, column + at) for at, style in enumerate(styles) if style in self._unseen)

    def _read_globals(self) -> None:
        for kind, data in _records(self._book, 0):
            if kind == _EOF:
                return
            if kind == _ENCRYPTED or kind == _BOF and data[:2] != _BIFF_8:
                raise ValueError("encrypted, or older than Excel 97")
            with suppress(struct.error, IndexError):
                self._read_global(kind, data)

    def _read_global(self, kind: int, data: bytes) -> None:
        if kind == _SHEET and data[5] == _WORKSHEET:
            name = _text(data[7:], data[6]).replace("\0", "")
            (self._places[name],) = struct.unpack_from("<I", data)
        elif kind == _FONT:
            twips, _, colour = struct.unpack_from("<3H", data.ljust(6, b"\0"))
            self._fonts.append((twips / 20, colour))
        elif kind == _FORMAT:
            number, length = struct.unpack_from("<HH", data)
            self._codes[number] = _text(data[4:], length)
        elif kind == _STYLE:
            font, code, borders, colours = struct.unpack_from("<HH10xIH", data.ljust(20, b"\0"))
            self._styles.append((font, code, borders >> 26, colours & 0x7F))
        elif kind == _PALETTE:
            own = [(data[at], data[at + 1], data[at + 2]) for at in range(2, len(data) - 3, 4)]
            self._palette[_OWN_COLOURS : _OWN_COLOURS + len(own)] = own

    def _look(self, style: tuple[int, int, int, int]) -> Look:
        font, code, pattern, colour = style
        font -= font > _NO_FONT
        points, ink = self._fonts[font] if font < len(self._fonts) else (0, -1)
        paper = WHITE if pattern == 0 else numbered_colour(colour, self._palette) if pattern == 1 else None
        return Look(self._codes.get(code, ""), points, numbered_colour(ink, self._palette), paper)


def _records(book: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and content of each record."""
    while at + 4 <= len(book):
        kind, size = struct.unpack_from("<HH", book, at)
        yield kind, book[at + 4 : at + 4 + size]
        at += 4 + size


def _text(data: bytes, length: int) -> str:
    """Return the text behind its flags, of bytes or of UTF-16."""
    wide = data[0] & 1
    return data[1 : 1 + length * (1 + wide)].decode("utf-16-le" if wide else "latin-1", "replace")
