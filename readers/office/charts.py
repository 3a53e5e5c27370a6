"""Charts of Office files (DrawingML charts, ECMA-376 part 1, chapter 21.2) as tables of the values that they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from lxml import etree

from readers.tables import table

CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_DAY = re.compile(r"[dy]|m{3,}", re.I)
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - serial dates have no zone
MOST_POINTS = 20_000


def chart_rows(chart: etree._Element) -> tuple[str, list[list[str]]]:
    """Return the title of a `c:chartSpace` with those of its axes, and its values as rows, the first of them a header.

    There are no rows where the file keeps no values of the chart.
    """
    titles = [_words(title) for title in chart.iter(f"{CHART}title")]
    series = list(chart.iter(f"{CHART}ser"))
    points = any(one.find(f"{CHART}xVal") is not None for one in series)
    rows = list(_pairs(series) if points else _categories(series))
    return " · ".join(filter(None, titles)), rows if len(rows) > 1 else []


def chart_markdown(chart: etree._Element) -> str:
    """Return a chart as its title and a Markdown table; empty where the file keeps no values of it."""
    title, rows = chart_rows(chart)
    return "\n\n".join(filter(None, [title, table(rows[0], rows[1:])])) if rows else ""


def _words(element: etree._Element | None) -> str:
    return "" if element is None else "".join(str(part.text or "") for part in element.iter(f"{_DRAWING}t")).strip()


def _categories(series: list[etree._Element]) -> Iterator[list[str]]:
    """Yield a row for each category with a column for each series, however many kinds of chart lie over each other."""
    columns = [_values(one, "val") for one in series]
    names: dict[int, str] = {}
    for one in series:
        names = _values(one, "cat") | names
    yield ["", *(_name(one, number) for number, one in enumerate(series, 1))]
    for at in sorted(set(names).union(*columns)):
        yield [names.get(at, str(at + 1)), *(column.get(at, "") for column in columns)]


def _pairs(series: list[etree._Element]) -> Iterator[list[str]]:
    """Yield a row for each point of scatter and bubble charts."""
    sized = any(one.find(f"{CHART}bubbleSize") is not None for one in series)
    yield ["", "x", "y", *(["size"] if sized else [])]
    for number, one in enumerate(series, 1):
        across, up, sizes = (_values(one, name) for name in ("xVal", "yVal", "bubbleSize"))
        for at in sorted(set(across) | set(up)):
            row = [_name(one, number), across.get(at, str(at + 1)), up.get(at, "")]
            yield [*row, sizes.get(at, "")] if sized else row


def _name(series: etree._Element, number: int) -> str:
    text = series.find(f"{CHART}tx")
    return str(number) if text is None else " ".join(str(part.text or "") for part in text.iter(f"{CHART}v"))


def _values(series: etree._Element, name: str) -> dict[int, str]:
    """Return what the file keeps of one dimension, by the number of the point; upper levels of names come first."""
    data = series.find(CHART + name)
    values: dict[int, str] = {}
    if data is None:
        return values
    form = str(data.findtext(f".//{CHART}formatCode") or "")
    levels = [list(level.iter(f"{CHART}pt")) for level in data.iter(f"{CHART}lvl")] or [list(data.iter(f"{CHART}pt"))]
    for depth, level in enumerate(levels):
        known = {int(point.get("idx", "0")): str(point.findtext(f"{CHART}v") or "") for point in level[:MOST_POINTS]}
        if not depth:
            values = {at: shown(value, str(level[0].get("formatCode") or form)) for at, value in known.items()}
            continue
        above = ""
        for at in sorted(values):
            above = known.get(at, above)
            values[at] = f"{above} {values[at]}".strip()
    return values


def shown(value: str, form: str) -> str:
    """Return a stored number as its format code shows it: all digits, percentages and dates as such.

    Example:
        >>> shown("20345678.25", "General"), shown("0.1275", "0.00%"), shown("45292", "d-mmm-yy")
        ('20345678.25', '12.75%', '2024-01-01')
    """
    try:
        number = float(value)
    except ValueError:
        return value.strip()
    plain = _QUOTED.sub("", form.partition(";")[0])
    if "%" in plain:
        return f"{round(number * 100, 10):.15g}%"
    if _DAY.search(plain) and "general" not in plain.lower() and 0 < number < 2_958_466:
        moment = _EPOCH + timedelta(days=number)
        return moment.date().isoformat() if number.is_integer() else moment.isoformat(" ", "minutes")
    short = f"{number:.15g}"
    return value.strip() if "e" in short and "e" not in value.lower() else short
