"""Text of a DOC file that nobody sees: marked as hidden, in the colour of its paper, or tiny.

[MS-DOC]: the modifiers of characters, paragraphs and tables (2.6.1 to 2.6.3), Ico, Shd, Shd80 and ToggleOperand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache

from readers.hidden import LEAST_HALF_POINTS, WHITE, Colour, based_on, is_faint
from readers.office.doc_properties import Properties, Style, modifiers, style_of


class _Code(IntEnum):
    """The modifiers that are looked at; those with 80 know numbered colours only."""

    HIDDEN = 0x083C
    EMBOSSED = 0x0858
    ENGRAVED = 0x0854
    SIZE = 0x4A43
    INK = 0x6870
    INK_80 = 0x2A42
    HIGHLIGHT = 0x2A0C
    SHADE = 0xCA71
    SHADE_80 = 0x4866
    CHARACTER_STYLE = 0x4A30
    PARAGRAPH_SHADE = 0xC64D
    PARAGRAPH_SHADE_80 = 0x442D
    IN_TABLE = 0x2416
    ROW_END = 0x2417
    TABLE_STYLE = 0x563A
    TABLE_SHADE = 0xD660
    STYLE_CELL_SHADE = 0xD687


_ELSEWHERE = (0x6646, 0x646B)
"""Their operand is the place of the properties in the stream of data."""
_ROW_SHADES_80 = {0xD609: 0, 0x7627: 2}
_ROW_SHADES = {
    **dict.fromkeys((0xD612, 0xD616, 0xD60C, 0xD670, 0xD671, 0xD672, _Code.TABLE_SHADE), 0),
    **dict.fromkeys((0xD62D, 0xD62E), 2),
}
"""Modifiers that shade cells, and where in their operand the shades begin."""
_STYLE_SHADES = tuple(
    code.to_bytes(2, "little")
    for code in (_Code.STYLE_CELL_SHADE, _Code.TABLE_SHADE, _Code.PARAGRAPH_SHADE, _Code.SHADE)
)
_AS_STYLE, _NOT_AS_STYLE = 0x80, 0x81
_MOST_PARAGRAPHS = 10_000
"""Paragraphs of a row of a table, up to its end."""
_COLOURS: tuple[Colour | None, ...] = (
    None, (0, 0, 0), (0, 0, 255), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (255, 255, 0), WHITE,
    (0, 0, 128), (0, 128, 128), (0, 128, 0), (128, 0, 128), (128, 0, 0), (128, 128, 0), (128, 128, 128),
    (192, 192, 192),
)  # fmt: skip
"""Word's numbered colours; the first is automatic."""

_Papers = tuple[Colour | None, ...]
"""Colours that may be behind a text, None for any; empty where that of what is below shows."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How text looks: hidden by its mark, in relief (white with a shadow), in half points, its ink, what is behind."""

    hidden: bool = False
    relief: bool = False
    size: int = 0
    ink: Colour | None = None
    highlight: _Papers = ()
    shade: _Papers = ()


class Unseen:
    """Tells the runs of one document that nobody sees."""

    def __init__(
        self, characters: Properties, paragraphs: Properties, styles: dict[int, Style], data: bytes = b""
    ) -> None:
        """Look at the properties of a document; `data` is its stream of that name."""
        self._characters = characters
        self._paragraphs = paragraphs
        self._styles = styles
        self._data = data
        self._row: tuple[int, int, _Papers] = (0, 0, ())
        self._look = lru_cache(4096)(self._looked)
        self._behind = lru_cache(4096)(self._behind_paragraph)

    def runs(self, begin: int, end: int, width: int, piece: bytes, *, boxed: bool) -> Iterator[tuple[int, int, bool]]:
        """Yield the runs between two file offsets, and whether nobody sees them; runs that are alike are one.

        Args:
            begin: of the first character.
            end: behind the last one.
            width: bytes of a character.
            piece: the modifiers of the piece.
            boxed: whether the text stands in a box, whose colour is not told.
        """
        at, unseen = begin, False
        while at < end:
            of_characters, characters = self._characters.at(at)
            of_paragraph, paragraph = self._paragraphs.at(at)
            hides = self._hides(at, characters, paragraph, piece, boxed)
            if hides != unseen and at > begin:
                yield begin, at, unseen
                begin = at
            unseen = hides
            step = min(of_characters, of_paragraph, end) - at
            at += step + step % width
        yield begin, end, unseen

    def _hides(self, at: int, characters: bytes, paragraph: bytes, piece: bytes, boxed: bool) -> bool:
        look = self._look(style_of(paragraph), characters, piece)
        if look.hidden or 0 < look.size < LEAST_HALF_POINTS:
            return True
        if look.ink is None or look.relief:
            return False
        papers = look.highlight or look.shade or self._behind(paragraph) or self._behind_row(at)
        papers = papers or ((None,) if boxed else (WHITE,))
        return all(paper is not None and is_faint(look.ink, paper) for paper in papers)

    def _looked(self, style: int, characters: bytes, piece: bytes) -> _Look:
        look = _Look()
        own = [*modifiers(characters), *modifiers(piece)]
        named = [int.from_bytes(operand, "little") for code, operand in own if code == _Code.CHARACTER_STYLE]
        for number in (style, *named[-1:]):
            for part in reversed(list(self._based(number))):
                look = _changed(look, modifiers(part.properties[-1]), look.hidden) if part.properties else look
        return _changed(look, own, look.hidden)

    def _based(self, number: int) -> Iterator[Style]:
        return based_on(self._styles, number, lambda style: style.base)

    def _behind_paragraph(self, paragraph: bytes) -> _Papers:
        """Return the shade of a paragraph: its own, or that of its style."""
        styles = [style.properties[0][2:] for style in self._based(style_of(paragraph)) if len(style.properties) > 1]
        for properties in (paragraph[2:], *styles):
            for code, operand in [*self._modifiers(properties)][::-1]:
                if code in (_Code.PARAGRAPH_SHADE, _Code.PARAGRAPH_SHADE_80):
                    return _shade(operand)
        return ()

    def _behind_row(self, at: int) -> _Papers:
        """Return the shades of the cells of the row around `at`; none outside of tables."""
        begin, end, papers = self._row
        if begin <= at < end:
            return papers
        begin, found = at, list[Colour | None]()
        for _ in range(_MOST_PARAGRAPHS):
            at, paragraph = self._paragraphs.at(at)
            row = dict(self._modifiers(paragraph[2:]))
            if not any(row.get(_Code.IN_TABLE, b"")):
                break
            found += self._shades(row)
            if any(row.get(_Code.ROW_END, b"")):
                break
        self._row = (begin, at, tuple(found))
        return self._row[2]

    def _shades(self, row: dict[int, bytes]) -> Iterator[Colour | None]:
        for codes, size in ((_ROW_SHADES, 10), (_ROW_SHADES_80, 2)):
            for code in codes.keys() & row.keys():
                for at in range(codes[code], len(row[code]) - size + 1, size):
                    yield from _shade(row[code][at : at + size])
        styles = self._based(int.from_bytes(row.get(_Code.TABLE_STYLE, b"\xff\xff"), "little"))
        if any(code in part for style in styles for part in style.properties for code in _STYLE_SHADES):
            yield None  # parts of the table have colours of their own

    def _modifiers(self, properties: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield modifiers, those that lie in the stream of data too."""
        for code, operand in modifiers(properties):
            if code in _ELSEWHERE:
                at = int.from_bytes(operand, "little")
                size = int.from_bytes(self._data[at : at + 2], "little")
                yield from modifiers(self._data[at + 2 : at + 2 + size])
            else:
                yield code, operand


def _changed(look: _Look, found: Iterable[tuple[int, bytes]], styled: bool) -> _Look:
    """Return a look with modifiers; `styled` is whether the style hides."""
    for code, operand in found:
        match code:
            case _Code.HIDDEN:
                of_style = {_AS_STYLE: styled, _NOT_AS_STYLE: not styled}
                look = replace(look, hidden=of_style.get(operand[0], operand[0] == 1))
            case _Code.EMBOSSED | _Code.ENGRAVED:
                look = replace(look, relief=operand[0] != 0)
            case _Code.SIZE:
                look = replace(look, size=int.from_bytes(operand, "little"))
            case _Code.INK | _Code.INK_80:
                look = replace(look, ink=_colour(operand))
            case _Code.HIGHLIGHT:
                look = replace(look, highlight=(_colour(operand),) if operand[0] else ())
            case _Code.SHADE | _Code.SHADE_80:
                look = replace(look, shade=_shade(operand))
    return look


def _colour(operand: bytes) -> Colour | None:
    """Return a numbered colour, or one of red, green, blue and a mark; None for an automatic one."""
    if len(operand) < 4:
        return _COLOURS[operand[0]] if operand[0] < len(_COLOURS) else None
    return None if operand[3] else (operand[0], operand[1], operand[2])


def _shade(operand: bytes) -> _Papers:
    """Return what a shade of two or ten bytes puts behind a text."""
    if len(operand) >= 10:
        ink, paper, pattern = _colour(operand[:4]), _colour(operand[4:8]), int.from_bytes(operand[8:10], "little")
    else:
        number = int.from_bytes(operand, "little")
        ink, paper = (_colour(bytes([number >> shift & 0x1F])) for shift in (0, 5))
        pattern = number >> 10
    if pattern in (0, 0x3F, 0xFFFF):
        return () if paper is None else (paper,)
    return (ink,) if pattern == 1 else (None,)
