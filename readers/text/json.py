"""JSON and JSON Lines: records as tables, the rest indented, each section with what it belongs to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from readers.interface import Item, Options, Outline, Page
from readers.media_types import JSON_LINES
from readers.tables import table_blocks
from readers.text.code import fenced, line_blocks
from readers.text.plain import read_text

SECTION_CHARS = 4000
RECORD_CHARS = 500
MOST_COLUMNS = 30
MOST_CELL_CHARS = 500
_MOST_LEVELS = 5
"""Levels of objects in objects that are taken apart."""

_INVALID = (ValueError, RecursionError)


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sections; text that is no JSON is kept as it is."""
    text, encoding, warnings = read_text(path, options)
    try:
        value = _lines(text) if options.media_type == JSON_LINES else json.loads(text)
        sections = list(_sections(value))
    except _INVALID:
        blocks = line_blocks(text.rstrip("\n").split("\n"))
        sections = [(f"L{first}–{first + len(lines) - 1}", fenced("\n".join(lines), "json")) for first, lines in blocks]
    yield Outline(options.media_type, "section", len(sections), "", encoding, warnings)
    for number, (label, markdown) in enumerate(sections, 1):
        yield Page(number, label, markdown)


def _lines(text: str) -> list[object]:
    return [json.loads(line) for line in text.split("\n") if line.strip()]  # U+2028 and the like may stand in strings


def _sections(value: object, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield (label, Markdown): records as tables, else fenced JSON in runs of about `SECTION_CHARS` characters."""
    if not (isinstance(value, dict | list) and value):
        yield path, fenced(_pretty(value), "json")
        return
    rows = _rows(value)
    if rows:
        yield from _tables(rows, path)
        return
    run: list[tuple[str, str]] = []
    size = 0
    named = value.items() if isinstance(value, dict) else enumerate(value, 1)
    for key, part in named:
        name = json.dumps(str(key), ensure_ascii=False) if isinstance(value, dict) else str(key)
        text = _pretty(part)
        if depth < _MOST_LEVELS and isinstance(part, dict | list) and (len(text) > SECTION_CHARS or _rows(part)):
            yield from _run(run, path)
            run, size = [], 0
            yield from _sections(part, f"{path} › {name}" if path else name, depth + 1)
            continue
        if run and size + len(text) > SECTION_CHARS:
            yield from _run(run, path)
            run, size = [], 0
        size += len(text)
        run.append((str(key), f"{name}: {text}" if isinstance(value, dict) else text))
    yield from _run(run, path)


def _run(run: list[tuple[str, str]], path: str) -> Iterator[tuple[str, str]]:
    """Yield the section of some entries; one of entries further down names what they belong to."""
    if run:
        keys = _label(run[0][0][:80], run[-1][0][:80])
        shown = ",\n".join(line for _, line in run)
        yield (f"{path} › {keys}", fenced(f"{path}:\n{shown}", "json")) if path else (keys, fenced(shown, "json"))


def _tables(rows: list[dict[str, str]], path: str) -> Iterator[tuple[str, str]]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    for first, last, markdown in table_blocks(names, [[row.get(name, "") for name in names] for row in rows]):
        label = _label(str(first + 1), str(last + 1))
        yield (f"{path} › {label}", f"{path}\n\n{markdown}") if path else (label, markdown)


def _rows(value: object) -> list[dict[str, str]]:
    """Return the records of a list that is a table: several, of much the same few fields; else nothing."""
    if not isinstance(value, list) or len(value) < 2:
        return []
    rows = [_row(record) for record in value]
    names = {name for row in rows for name in row}
    filled = sum(map(len, rows))
    return rows if all(rows) and len(names) <= MOST_COLUMNS and filled * 2 >= len(names) * len(rows) else []


def _row(record: object, above: str = "", depth: int = 0) -> dict[str, str]:
    """Return the fields of a record as text, those of an object in it under both names; nothing if lists are in it."""
    if not isinstance(record, dict) or depth > _MOST_LEVELS:
        return {}
    row: dict[str, str] = {}
    for key, part in record.items():
        name = f"{above}{key}"
        if isinstance(part, dict) and part:
            inner = _row(part, f"{name}.", depth + 1)
            if not inner:
                return {}
            row |= inner
        elif isinstance(part, list) and any(isinstance(item, dict | list) for item in part):
            return {}
        else:
            row[name] = ", ".join(map(_cell, part)) if isinstance(part, list) else _cell(part)
            if len(row[name]) > MOST_CELL_CHARS:
                return {}
    return row


def _cell(value: object) -> str:
    return value if isinstance(value, str) else "" if value in (None, {}, []) else json.dumps(value)


def _pretty(value: object, indent: str = "") -> str:
    """Return JSON in which a record stands on one line where it fits there, so that its fields stay together."""
    if not isinstance(value, dict | list) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = indent + "  "
    parts = value.values() if isinstance(value, dict) else value
    if not any(isinstance(part, dict | list) and part for part in parts):
        line = json.dumps(value, ensure_ascii=False)
        if len(line) <= RECORD_CHARS:
            return line
    shown = (_pretty(part, inner) for part in parts)
    if isinstance(value, dict):
        shown = (f"{json.dumps(str(key), ensure_ascii=False)}: {part}" for key, part in zip(value, shown, strict=True))
    start, end = "{}" if isinstance(value, dict) else "[]"
    return start + "\n" + ",\n".join(inner + part for part in shown) + "\n" + indent + end


def _label(first: str, last: str) -> str:
    return first if first == last else f"{first} – {last}"
