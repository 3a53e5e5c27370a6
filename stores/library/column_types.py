"""The type of a column of text, and its cells as a database reads them: whole or not at all, so that nothing is lost.

A column is of a type when each of its cells is, but those that stand for nothing. A sign that all its numbers have,
such as % or ¥, is its unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

NOTHING: Final = frozenset({"", "-", "–", "—", "--", "/", "n/a", "na", "null", "none", "#n/a", "nan", "无", "暂无"})
"""What cells between numbers or dates hold for nothing, in small letters; between words it is a word."""
MOST_DIGITS, MOST_DECIMALS = 18, 6
"""Of a number that is kept exactly."""

_NUMBER = re.compile(
    r"(?P<open>\()?(?P<sign>[-+−])?(?P<prefix>[$€£¥￥]|RMB|US\$)?\s?"
    r"(?P<digits>0|[1-9]\d*|[1-9]\d{0,2}(?:[,，]\d{3})+)?(?P<decimals>\.\d+)?(?P<exponent>[eE][-+]?\d+)?"
    r"\s?(?P<suffix>[%‰€元円])?(?(open)\))"
)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|年(\d{1,2})月(\d{1,2})日)")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?")


@dataclass(frozen=True, slots=True)
class Column:
    """A column in the terms of DuckDB.

    Attributes:
        kind: BIGINT, DECIMAL(18,s), DOUBLE, DATE, TIMESTAMP, BOOLEAN or VARCHAR.
        unit: The sign that stood at all its numbers, else empty.
        cells: What DuckDB casts to `kind`; None is NULL.
    """

    kind: str
    unit: str
    cells: list[str | None]


def typed(cells: Sequence[str]) -> Column:
    """Return the column of these cells."""
    values = {cell for cell in set(cells) if cell.casefold() not in NOTHING}
    for read in (_numbers, _dates, _times, _booleans) if values else ():
        if (found := read(values)) is not None:
            kind, unit, written = found
            return Column(kind, unit, [written.get(cell) for cell in cells])
    return Column("VARCHAR", "", [cell or None for cell in cells])


Read = tuple[str, str, dict[str, str]]


def _numbers(values: set[str]) -> Read | None:
    written: dict[str, str] = {}
    units, digits, decimals, exact = set(), 0, 0, True
    for value in values:
        match = _NUMBER.fullmatch(value)
        if match is None or not (match["digits"] or match["decimals"]):
            return None
        whole, part = re.sub("[,，]", "", match["digits"] or "0"), match["decimals"] or ""
        negative = bool(match["open"]) != (match["sign"] in ("-", "−"))
        written[value] = ("-" if negative else "") + whole + part + (match["exponent"] or "")
        units.add(match["prefix"] or match["suffix"] or "")
        digits, decimals = max(digits, len(whole)), max(decimals, len(part) - 1)
        exact = exact and not match["exponent"]
    if len(units) > 1 or (digits > MOST_DIGITS and not decimals and exact):
        return None  # other units are other numbers; so many digits name something
    unit = units.pop()
    if exact and not decimals:
        return "BIGINT", unit, written
    if exact and decimals <= MOST_DECIMALS and digits + decimals <= MOST_DIGITS:
        return f"DECIMAL({MOST_DIGITS},{decimals})", unit, written
    return "DOUBLE", unit, written


def _dates(values: set[str]) -> Read | None:
    return _each("DATE", values, _date)


def _date(value: str) -> str | None:
    match = _DATE.fullmatch(value)
    parts = [int(part) for part in match.groups() if part] if match else []
    try:
        return date(*parts).isoformat() if parts else None
    except ValueError:
        return None


def _times(values: set[str]) -> Read | None:
    return _each("TIMESTAMP", values, _time)


def _time(value: str) -> str | None:
    if (day := _date(value)) is not None:
        return day
    try:
        return datetime.fromisoformat(value).isoformat(" ") if _TIME.fullmatch(value) else None
    except ValueError:
        return None


def _booleans(values: set[str]) -> Read | None:
    return _each("BOOLEAN", values, lambda value: value if value in ("TRUE", "FALSE") else None)


def _each(kind: str, values: set[str], read: Callable[[str], str | None]) -> Read | None:
    written: dict[str, str] = {}
    for value in values:
        if (text := read(value)) is None:
            return None
        written[value] = text
    return kind, "", written
