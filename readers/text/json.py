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
RECORD_CHARS = 500

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


def _sections(value: object) -> Iterator[tuple[str, str]]:
    """Yield (label, fenced JSON) for runs of entries of one list or object of about `SECTION_CHARS` characters."""
    first = last = above = ""
    lines: list[str] = []
    size = 0
    for path, key, text in _entries(value):
        if lines and (size + len(text) > SECTION_CHARS or path != above):
            yield _section(above, first, last, lines)
            lines, size = [], 0
        first = first if lines else key
        last, above = key, path
        lines.append(text)
        size += len(text)
    if lines:
        yield _section(above, first, last, lines)


def _section(path: str, first: str, last: str, lines: list[str]) -> tuple[str, str]:
    """Return label and text of a section; one of entries further down names what they belong to."""
    keys = _label(first[:80], last[:80])
    shown = ",\n".join(lines)
    return (f"{path} › {keys}", fenced(f"{path}:\n{shown}", "json")) if path else (keys, fenced(shown, "json"))


def _entries(value: object, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (path, key, JSON) of the entries of a list or object; one that fills sections alone is taken apart."""
    if not (isinstance(value, dict | list) and value):
        yield path, "", _pretty(value)
        return
    named = list(value.items()) if isinstance(value, dict) else [(number, part) for number, part in enumerate(value, 1)]
    for key, part in named:
        text = _pretty(part)
        name = json.dumps(str(key), ensure_ascii=False) if isinstance(value, dict) else str(key)
        if len(text) > SECTION_CHARS and isinstance(part, dict | list):
            yield from _entries(part, f"{path} › {name}" if path else name)
        else:
            yield path, str(key), f"{name}: {text}" if isinstance(value, dict) else text


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
