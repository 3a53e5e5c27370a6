"""Numbered clauses of contracts, laws and manuals: which one a question names, and which lines belong to it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_DIGITS = "零〇一二三四五六七八九十百千两"
_ASKED = re.compile(
    rf"第(?P<zh>[{_DIGITS}]+|\d+)(?P<unit>[条款章节])"
    r"|(?:\b(?:sections?|clauses?|articles?|paragraphs?|chapters?|items?) ?|§ ?)(?P<en>\d+(?:\.\d+)*)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(
    rf"\W*(?:第(?P<zh>[{_DIGITS}]+|\d+)(?P<unit>[条款章节])"
    r"|(?:(?:section|clause|article|paragraph|chapter|item)\s+|§\s*)?(?P<en>\d+(?:\.\d+)*)(?=[\s.):：、]))",
    re.IGNORECASE,
)


def clause_asked(question: str) -> str:
    """Return the clause that a question names, fit for `in_clause`; empty where it names none.

    Example:
        >>> clause_asked("第三条规定了什么？"), clause_asked("What does section 2.2 say?"), clause_asked("Who signed?")
        ('3条', '2.2', '')
    """
    found = _ASKED.search(question)
    return _named(found) if found else ""


def in_clause(clause: str, lines: Sequence[tuple[str, str, object]]) -> list[bool]:
    """Tell for each line whether it belongs to `clause`: it, or the heading above it, begins with its number.

    What follows such a line belongs to the clause too, up to the next number.

    Args:
        clause: As `clause_asked` gave it.
        lines: Text, heading, and the passage that it is in; those of one passage follow each other.

    Example:
        >>> in_clause("3条", [("第二条 甲。", "", 1), ("第三条 乙。", "", 1), ("丙。", "", 1), ("第四条 丁。", "", 1)])
        [False, True, True, False]
    """
    held: list[bool] = []
    before: object = None
    inside = False
    for text, heading, passage in lines:
        inside = inside and passage == before
        before = passage
        label = _LABEL.match(text)
        if label:
            inside = _begins(clause, _named(label))
        above = _LABEL.match(heading)
        held.append(inside or (not label and above is not None and _begins(clause, _named(above))))
    return held


def _begins(clause: str, label: str) -> bool:
    return label == clause or label.startswith(f"{clause}.")


def _named(found: re.Match[str]) -> str:
    if found["en"]:
        return found["en"]
    number = found["zh"]
    return f"{number if number.isdecimal() else _value(number)}{found['unit']}"


def _value(numeral: str) -> int:
    """Return the number that Chinese numerals up to 9999 write, spoken (二十三) or digit by digit (二三)."""
    digits = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
    units = {"十": 10, "百": 100, "千": 1000}
    if not set(numeral) & units.keys():
        return int("".join(str(digits[sign]) for sign in numeral))
    total, last = 0, 1
    for at, sign in enumerate(numeral):
        if sign in units:
            total += (last if at and numeral[at - 1] in digits else 1) * units[sign]
            last = 0
        else:
            last = digits[sign]
    return total + last
