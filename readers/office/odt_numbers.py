"""The numbers of lists and headings in OpenDocument texts (OpenDocument 1.3 part 3, 16.30 to 16.34 and 19.798)."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from readers.office.numerals import numeral

TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_ID = "{http://www.w3.org/XML/1998/namespace}id"
_FORMS = {
    "1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman",
    "一": "chineseCounting", "壹": "chineseLegalSimplified", "甲": "ideographTraditional", "子": "ideographZodiac",
    "①": "decimalEnclosedCircle", "１": "decimalFullWidth", "ア": "aiueo",
}  # fmt: skip
_MOST_LEVELS = 10


@dataclass(frozen=True, slots=True)
class _Level:
    form: str
    before: str
    after: str
    start: int
    shown: int


class OpenNumbers:
    """Counts the items of lists and the headings of one document, which are asked for in its order."""

    def __init__(self, *roots: etree._Element | None) -> None:
        """Take in the list styles of `roots`: content and styles of the document."""
        self._lists: dict[str, dict[int, _Level]] = {}
        self._outline: dict[int, _Level] = {}
        self._counts: dict[str, list[int]] = {}
        self._headings = [0] * _MOST_LEVELS
        self._ids: dict[str, list[int]] = {}
        for root in (root for root in roots if root is not None):
            for style in root.iter(f"{TEXT}list-style"):
                self._lists[str(style.get(f"{STYLE}name"))] = _levels(style, "list-level-style-number")
            for style in root.iter(f"{TEXT}outline-style"):
                self._outline = _levels(style, "outline-level-style")

    def begin(self, element: etree._Element, style: str) -> list[int]:
        """Return the counts of a list of the outermost level: those of an earlier one that it goes on with, or new."""
        before = self._ids.get(str(element.get(f"{TEXT}continue-list")))
        if before is None and element.get(f"{TEXT}continue-numbering") == "true":
            before = self._counts.get(style)
        counts = before if before is not None else [0] * _MOST_LEVELS
        self._counts[style] = counts
        if (name := element.get(_ID)) is not None:
            self._ids[str(name)] = counts
        return counts

    def item(self, item: etree._Element, style: str, counts: list[int], level: int) -> str:
        """Return the number of a list item on `level`, from 0; empty for a bullet or none."""
        levels = self._lists.get(style, {})
        return _next(levels, counts, level, item.get(f"{TEXT}start-value")) if level < _MOST_LEVELS else ""

    def heading(self, heading: etree._Element, level: int) -> str:
        """Return the number of a heading on `level`, from 0; empty where headings have none."""
        numbered = heading.get(f"{TEXT}is-list-header") != "true" and level < _MOST_LEVELS
        return _next(self._outline, self._headings, level, heading.get(f"{TEXT}start-value")) if numbered else ""


def _levels(style: etree._Element, name: str) -> dict[int, _Level]:
    return {
        _number(level.get(f"{TEXT}level"), 1) - 1: _Level(
            str(level.get(f"{STYLE}num-format") or ""),
            str(level.get(f"{STYLE}num-prefix") or ""),
            str(level.get(f"{STYLE}num-suffix") or ""),
            _number(level.get(f"{TEXT}start-value"), 1),
            _number(level.get(f"{TEXT}display-levels"), 1),
        )
        for level in style.iterchildren(f"{TEXT}{name}")
    }


def _next(levels: dict[int, _Level], counts: list[int], level: int, start: str | None) -> str:
    found = levels.get(level)
    first = found.start if found else 1
    counts[level] = _number(start, first) if start or not counts[level] else counts[level] + 1
    counts[level + 1 :] = [0] * (_MOST_LEVELS - level - 1)
    if found is None or not found.form:
        return ""
    numbers = [
        numeral(counts[at] or levels[at].start, _FORMS.get(levels[at].form[:1], "decimal"))
        for at in range(max(0, level - found.shown + 1), level + 1)
        if at in levels and levels[at].form
    ]
    return f"{found.before}{'.'.join(numbers)}{found.after}".strip()


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 6 else default
