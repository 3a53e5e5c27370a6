"""Properties of the characters and paragraphs of a DOC file, and its styles.

[MS-DOC]: PlcBteChpx, ChpxFkp, Chpx, PlcBtePapx, PapxFkp, PapxInFkp, Prl and Sprm, STSH and STD.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

END = 1 << 32
"""Behind every file offset."""
_PAGE = 512
_MOST_STYLES = 0x0FFE
_SIZES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}
"""Bytes of an operand by its kind; that of kind 6 has its length before it."""
_TABLE, _TABS = 0xD608, 0xC615


class Properties:
    """What stands beside the text of a document, by file offset."""

    def __init__(self, word: bytes, plc: bytes, *, of_paragraphs: bool) -> None:
        """Look at the pages of the stream `word` that `plc` lists."""
        count = (len(plc) - 4) // 8
        self._word = word
        self._step = 13 if of_paragraphs else 1
        self._starts = struct.unpack_from(f"<{count + 1}I", plc) if count > 0 else ()
        self._pages = struct.unpack_from(f"<{count}I", plc, 4 * (count + 1)) if count > 0 else ()
        self._page = lru_cache(64)(self._read)

    def at(self, offset: int) -> tuple[int, bytes]:
        """Return where the properties at `offset` end, and those properties; none where nothing is told.

        Those of a paragraph begin with the number of its style.
        """
        place = bisect_right(self._starts, offset)
        end = self._starts[place] if place < len(self._starts) else END
        if not 0 < place <= len(self._pages):
            return end, b""
        starts, found = self._page(self._pages[place - 1])
        number = bisect_right(starts, offset)
        if not 0 < number <= len(found):
            return (starts[0] if starts and offset < starts[0] else end), b""
        return starts[number], found[number - 1]

    def _read(self, number: int) -> tuple[tuple[int, ...], list[bytes]]:
        """Return where the properties of a page begin, and those properties."""
        page = self._word[number * _PAGE : (number + 1) * _PAGE]
        count = page[-1] if len(page) == _PAGE else 0
        first = 4 * (count + 1)
        if not count or first + self._step * count >= _PAGE:
            return (), []
        starts = struct.unpack_from(f"<{count + 1}I", page)
        return starts, [self._properties(page, 2 * page[first + self._step * at]) for at in range(count)]

    def _properties(self, page: bytes, at: int) -> bytes:
        if not at:
            return b""
        if self._step == 1:
            return page[at + 1 : at + 1 + page[at]]
        return page[at + 1 : at + 2 * page[at]] if page[at] else page[at + 2 : at + 2 + 2 * page[at + 1]]


def style_of(paragraph: bytes) -> int:
    """Return the number of a paragraph's style; 1 to 9 are Word's own headings, 0 is its normal one."""
    return int.from_bytes(paragraph[:2], "little")


def modifiers(properties: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the codes and operands of properties, up to where they are broken."""
    at = 0
    while at + 3 <= len(properties):
        (code,) = struct.unpack_from("<H", properties, at)
        at += 2
        size = _SIZES.get(code >> 13)
        if size is None and code == _TABLE:
            size, at = max(int.from_bytes(properties[at : at + 2], "little") - 1, 0), at + 2
        elif size is None and code == _TABS and properties[at] == 0xFF:
            deleted = 1 + 4 * properties[at + 1] if at + 1 < len(properties) else 0
            added = properties[at + 1 + deleted] if at + 1 + deleted < len(properties) else 0
            size, at = deleted + 1 + 3 * added, at + 1
        elif size is None:
            size, at = properties[at], at + 1
        operand = properties[at : at + size]
        if len(operand) < size:
            return
        yield code, operand
        at += size


@dataclass(frozen=True, slots=True)
class Style:
    """A style: the number of the one that it is based on, and its properties, those of its text last."""

    base: int
    properties: tuple[bytes, ...]


def style_sheet(stsh: bytes) -> dict[int, Style]:
    """Return the styles of a document by their numbers, as far as they are sound."""
    styles: dict[int, Style] = {}
    with suppress(struct.error):
        head, count, size_of_base = struct.unpack_from("<3H", stsh)
        at = 2 + head
        for number in range(min(count, _MOST_STYLES)):
            (size,) = struct.unpack_from("<H", stsh, at)
            with suppress(struct.error):
                styles[number] = _style(stsh[at + 2 : at + 2 + size], size_of_base)
            at += 2 + size
    return styles


def _style(data: bytes, size_of_base: int) -> Style:
    base, parts = struct.unpack_from("<HH", data, 2)
    (length,) = struct.unpack_from("<H", data, size_of_base)
    at = size_of_base + 2 * (length + 2)
    properties = []
    for _ in range(parts & 0xF):
        (size,) = struct.unpack_from("<H", data, at)
        properties.append(data[at + 2 : at + 2 + size])
        at += 2 + size + size % 2
    return Style(base >> 4, tuple(properties))
