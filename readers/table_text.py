"""Tables in the Markdown of pages, as rows of cells again: what `readers/tables.py` and other readers wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_BLOCK = re.compile(r"^\|(?P<header>.*)\|[ \t]*\n\|[\s:|-]*-[\s:|-]*\n(?P<rows>(?:\|.*(?:\n|\Z))*)", re.MULTILINE)
_CELL = re.compile(r"(?<!\\)\|")


@dataclass(slots=True)
class TextTable:
    """A table of text: its `place` is the label of the sheet or page that it begins on."""

    place: str
    columns: tuple[str, ...]
    rows: list[list[str]] = field(default_factory=list)


def tables_of(pages: Iterable[tuple[str, str]], *, apart: bool) -> list[TextTable]:
    """Return the tables of pages (label, Markdown), in their order.

    Blocks under the same header are one table, over pages too; with `apart` each page, a sheet, has its own.
    """
    found: dict[tuple[str, tuple[str, ...]], TextTable] = {}
    for label, text in pages:
        for columns, rows in _blocks(text):
            key = (label if apart else "", columns)
            found.setdefault(key, TextTable(label, columns)).rows.extend(rows)
    return list(found.values())


def _blocks(text: str) -> Iterator[tuple[tuple[str, ...], list[list[str]]]]:
    for block in _BLOCK.finditer(text):
        columns = _named(_cells(block["header"]))
        rows = [_cells(row.strip()[1:].removesuffix("|")) for row in block["rows"].splitlines()]
        yield columns, [(row + [""] * len(columns))[: len(columns)] for row in rows]


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _CELL.split(line)]


def _named(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns: none empty, none twice whatever their case."""
    names: list[str] = []
    taken: set[str] = set()
    for place, cell in enumerate(cells, 1):
        name = cell or f"column {place}"
        if name.casefold() in taken:
            name = f"{name} {place}"
        while name.casefold() in taken:
            name += "'"
        taken.add(name.casefold())
        names.append(name)
    return tuple(names)
