"""Points in time as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from domain.words import Words

WEEKDAYS: Final = (
    Words("Monday", "星期一"),
    Words("Tuesday", "星期二"),
    Words("Wednesday", "星期三"),
    Words("Thursday", "星期四"),
    Words("Friday", "星期五"),
    Words("Saturday", "星期六"),
    Words("Sunday", "星期日"),
)
"""By what `datetime.weekday` returns."""


def iso_time(seconds: float) -> str:
    """Return seconds since 1970 as ISO 8601 UTC, to the millisecond.

    >>> iso_time(0.25)
    '1970-01-01T00:00:00.250Z'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
