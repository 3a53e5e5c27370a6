"""The numbers that Word gives to paragraphs by itself: 3.1, 第三条, (iv) (numbering, ECMA-376 part 1, chapter 17.9)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lxml import etree
from mammoth.docx.dingbats import dingbats

from readers.office.numerals import numeral

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MOST_LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
_TICKS = "☐☑☒✓✔✗✘🗹🗷"
_MOST_LINKS = 20
"""Styles and lists that refer to each other further than this refer in a circle."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a list: how it counts, and how its number looks (`%1.%2` has those of the levels above)."""

    start: int = 1
    form: str = "decimal"
    text: str = ""
    restart: int | None = None
    legal: bool = False
    suffix: str = "tab"
    font: str = ""
    style: str = ""


class Numbering:
    """Counts the numbered paragraphs of a document, which are asked for in its order."""

    def __init__(self, numbering: etree._Element | None, styles: etree._Element | None) -> None:
        """Take in the lists of `numbering.xml` and the paragraph styles of `styles.xml`, where there are such."""
        self._lists: dict[str, dict[int, Level]] = {}
        self._links: dict[str, str] = {}
        self._used: dict[str, tuple[str, dict[int, Level], dict[int, int]]] = {}
        self._styles: dict[str, tuple[str, str, int | None]] = {}
        self._counts: dict[str, list[int | None]] = {}
        self._begun: set[str] = set()
        if styles is not None:
            self._styles = {str(style.get(f"{WORD}styleId")): _style(style) for style in styles.iter(f"{WORD}style")}
        if numbering is not None:
            self._take_in(numbering)

    def label(self, paragraph: etree._Element) -> tuple[str, bool]:
        """Return the number of a `w:p` with what parts it from the text, and whether it is a bullet.

        Each call counts, so every paragraph is to be asked for once. A bullet has a label where it is a tick box.
        """
        found = self._place(paragraph)
        if found is None:
            return "", False
        number, at = found
        name, levels = self._levels(number)
        level = levels.get(at)
        if level is None:
            return "", False
        if level.form == "bullet":
            sign = _sign(level)
            return (f"{sign} " if sign in _TICKS else ""), True
        self._count(number, name, levels, at)
        text = _PLACE.sub(lambda place: self._numeral(name, levels, int(place[1]) - 1, level), level.text)
        return (text + (" " if level.suffix != "nothing" else "") if text.strip() else ""), False

    def _take_in(self, numbering: etree._Element) -> None:
        for one in numbering.iter(f"{WORD}abstractNum"):
            name = str(one.get(f"{WORD}abstractNumId"))
            self._lists[name] = dict(_levels(one))
            if link := _value(one, "numStyleLink"):
                self._links[name] = link
        for one in numbering.iter(f"{WORD}num"):
            changed: dict[int, Level] = {}
            starts: dict[int, int] = {}
            for override in one.iter(f"{WORD}lvlOverride"):
                changed |= dict(_levels(override))
                if (start := _value(override, "startOverride")).isdecimal():
                    starts[_number(override.get(f"{WORD}ilvl"))] = int(start)
            self._used[str(one.get(f"{WORD}numId"))] = (_value(one, "abstractNumId"), changed, starts)

    def _resolved(self, name: str) -> dict[int, Level]:
        """Return the levels of a list, which may be defined by a style of another."""
        for _ in range(_MOST_LINKS):
            if name not in self._links:
                break
            used = self._used.get(self._styles.get(self._links[name], ("", "", None))[1])
            if used is None:
                break
            name = used[0]
        return self._lists.get(name, {})

    def _levels(self, number: str) -> tuple[str, dict[int, Level]]:
        """Return the list that a use of it counts in, and its levels as that use changes them."""
        name, changed, starts = self._used[number]
        levels = self._resolved(name) | changed
        return name, {at: replace(level, start=starts.get(at, level.start)) for at, level in levels.items()}

    def _place(self, paragraph: etree._Element) -> tuple[str, int] | None:
        """Return list and level of a paragraph: its own, else those of its style."""
        own = paragraph.find(f"{WORD}pPr/{WORD}numPr")
        number = "" if own is None else _value(own, "numId")
        at = None if own is None or not _value(own, "ilvl") else _number(_value(own, "ilvl"))
        style = paragraph.find(f"{WORD}pPr/{WORD}pStyle")
        chain = list(self._bases("" if style is None else str(style.get(f"{WORD}val"))))
        if not number:
            number = next((self._styles[name][1] for name in chain if self._styles[name][1]), "")
        if number not in self._used:
            return None
        if at is None:
            linked = {level.style: found for found, level in self._levels(number)[1].items() if level.style}
            stated = [self._styles[name][2] for name in chain]
            at = next((linked[name] for name in chain if name in linked), None)
            at = next((level for level in stated if level is not None), 0) if at is None else at
        return number, at

    def _bases(self, name: str) -> Iterator[str]:
        """Yield a style, and those that it is based on."""
        for _ in range(_MOST_LINKS):
            if name not in self._styles:
                return
            yield name
            name = self._styles[name][0]

    def _count(self, number: str, name: str, levels: dict[int, Level], at: int) -> None:
        counts = self._counts.setdefault(name, [None] * MOST_LEVELS)
        if number not in self._begun:
            self._begun.add(number)
            for level in self._used[number][2]:
                counts[level] = None
        before = counts[at]
        counts[at] = levels[at].start if before is None else before + 1
        for deeper in range(at + 1, MOST_LEVELS):
            restart = levels[deeper].restart if deeper in levels else None
            if at < (deeper if restart is None else restart):
                counts[deeper] = None

    def _numeral(self, name: str, levels: dict[int, Level], at: int, shown: Level) -> str:
        level = levels.get(at, Level())
        value = self._counts[name][at]
        return numeral(level.start if value is None else value, "decimal" if shown.legal else level.form)


def _style(style: etree._Element) -> tuple[str, str, int | None]:
    """Return the style that a style is based on, its list and its level."""
    numbered = style.find(f"{WORD}pPr/{WORD}numPr")
    based = _value(style, "basedOn")
    if numbered is None:
        return based, "", None
    at = _value(numbered, "ilvl")
    return based, _value(numbered, "numId"), _number(at) if at else None


def _levels(element: etree._Element) -> Iterator[tuple[int, Level]]:
    for level in element.iterchildren(f"{WORD}lvl"):
        fonts = level.find(f"{WORD}rPr/{WORD}rFonts")
        restart = _value(level, "lvlRestart")
        legal = level.find(f"{WORD}isLgl")
        made = Level(
            form=_form(level),
            text=_value(level, "lvlText"),
            restart=int(restart) if restart.isdecimal() else None,
            legal=legal is not None and legal.get(f"{WORD}val") not in ("0", "false"),
            suffix=_value(level, "suff") or "tab",
            font="" if fonts is None else str(fonts.get(f"{WORD}ascii") or ""),
            style=_value(level, "pStyle"),
        )
        start = _value(level, "start")
        yield _number(level.get(f"{WORD}ilvl")), replace(made, start=int(start)) if start.isdecimal() else made


def _form(level: etree._Element) -> str:
    """Return the number format, which newer ones state beside an older one (`mc:AlternateContent`)."""
    found = next(level.iter(f"{WORD}numFmt"), None)
    form = "decimal" if found is None else str(found.get(f"{WORD}val") or "decimal")
    pattern = "" if found is None else str(found.get(f"{WORD}format") or "")
    return "decimalZero" if form == "custom" and pattern.startswith("01") else form


def _sign(level: Level) -> str:
    """Return the sign of a bullet; those of symbol fonts as Unicode has them."""
    code = dingbats.get((level.font, ord(level.text) & 0xFF)) if len(level.text) == 1 else None
    return chr(code) if code else level.text or "•"


def _value(element: etree._Element, name: str) -> str:
    found = element.find(WORD + name)
    return "" if found is None else str(found.get(f"{WORD}val") or "")


def _number(text: str | None) -> int:
    return min(int(text), MOST_LEVELS - 1) if text and text.isdecimal() else 0
