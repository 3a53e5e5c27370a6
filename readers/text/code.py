"""Source code, fenced with its language and numbered by lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from readers.interface import Item, Options, Outline, Page
from readers.languages import FENCES
from readers.text.plain import read_text

BLOCK_CHARS = 8000
"""About this much code makes a section; sections end at a line that starts a new block where one is near."""


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and blocks of lines; a block's label tells its line numbers."""
    text, encoding, warnings = read_text(path, options)
    blocks = list(line_blocks(text.rstrip("\n").split("\n")))
    yield Outline(options.media_type, "section", len(blocks), "", encoding, warnings)
    for number, (first, lines) in enumerate(blocks, 1):
        label = f"L{first}–{first + len(lines) - 1}"
        yield Page(number, label, fenced("\n".join(lines), FENCES.get(options.media_type, "")))


def line_blocks(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield (number of the first line from 1, lines) for blocks of about `BLOCK_CHARS` characters."""
    start, size = 0, 0
    for index, line in enumerate(lines):
        opens = line[:1].isalpha() or line[:1] in "@#/<"
        if index > start and (size > BLOCK_CHARS * 2 or (size > BLOCK_CHARS and opens)):
            yield start + 1, lines[start:index]
            start, size = index, 0
        size += len(line) + 1
    yield start + 1, lines[start:]


def fenced(text: str, language: str) -> str:
    """Return `text` in a code fence that it cannot close."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"
