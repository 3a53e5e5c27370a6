"""Raised and lowered characters in plain text: an exponent gets a `^`, the mark of a note brackets, neither glues."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*")
_POWER = re.compile(r"[-−–+]\s*\d+(?:[.,/]\d+)?|\d+[./]\d+|[-−–+]?\d*[nxykijmst]|[-−–+]")
_SUM = re.compile(r"[-−–]?[\da-z]+(?:\s*[-+−–]\s*[\da-z]+)+")
_ORDINAL = re.compile(r"st|nd|rd|th|er|ère|re|e|ème|o|a|os|as|[º°ª]", re.I)
_BASE = re.compile(
    r"(?:(?<![\d.,])10|(?:^|[^A-Za-zµμΩ])(?:[kcdmµμn]?m|ft|in|yd|mi|kg|hm|ms|[A-Za-zα-ωΑ-Ω])"
    r"|[=+−×·*/(^]\s*\d{1,2}|[厘毫千分平]?米|公里|\([^()]*[-−+×·*/=][^()]*\))\Z"
)
"""What is raised to a power: ten, units, single letters, a number after a sign of arithmetic, a sum in parentheses."""


def raised(before: str, mark: str) -> str:
    """Return what raised characters add to the text `before` them.

    >>> [raised(before, mark) for before, mark in (("4.2 x 10", "6"), ("45 m", "2"), ("1,240", "3"), ("May 1", "st"))]
    ['^6', '^2', ' [3]', 'st']
    """
    before, mark = before.rstrip(), mark.strip()
    bare = mark.strip("()[] ")
    gap = " " if before else ""
    if _NUMBERS.fullmatch(bare):
        power = bare == mark and bare.isdecimal() and _BASE.search(before)
        return f"^{mark}" if power else f"{gap}[{bare}]"
    if before[-1:].isdecimal() and len(bare) == 1 and bare.isalpha() and bare not in "nxykijme":
        return mark if bare in "oºª" else f"{gap}[{bare}]"
    if before and _POWER.fullmatch(mark) and not (before[-1:].isdecimal() and _ORDINAL.fullmatch(mark)):
        return f"^{mark}"
    return f"^({mark})" if before and _SUM.fullmatch(mark) else mark


def lowered(before: str, mark: str) -> str:
    """Return what lowered characters add to the text `before` them.

    >>> lowered("H", "2"), lowered("101", "2")
    ('2', '_2')
    """
    mark = mark.strip()
    return f"_{mark}" if before[-1:].isdecimal() and mark[:1].isdecimal() else mark
