"""JSON and JSON Lines: indented, in sections of whole entries, so that each part names what it belongs to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from readers.interface import Item, Options, Outline, Page
from readers.media_types import JSON_LINES
from readers.text.code import fenced, line_blocks
from readers.text.plain import read_text

SECTION_CHARS = 4000

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
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _sections(value: object) -> Iterator[tuple[str, str]]:
    """Yield (label, fenced JSON) for runs of entries of about `SECTION_CHARS` characters."""
    entries = _entries(value)
    first = last = ""
    lines: list[str] = []
    size = 0
    for key, text in entries:
        if lines and size + len(text) > SECTION_CHARS:
            yield _label(first, last), fenced(",\n".join(lines), "json")
            lines, size = [], 0
        first = first if lines else key
        last = key
        lines.append(text)
        size += len(text)
    if lines:
        yield _label(first, last), fenced(",\n".join(lines), "json")


def _entries(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield str(key)[:80], f"{_pretty(str(key))}: {_pretty(part)}"
    elif isinstance(value, list) and value:
        for number, part in enumerate(value, 1):
            yield str(number), _pretty(part)
    else:
        yield "", _pretty(value)


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _label(first: str, last: str) -> str:
    return first if first == last else f"{first} – {last}"
