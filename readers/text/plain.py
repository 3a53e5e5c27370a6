"""Plain text of any usual encoding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from domain.errors import FileEmpty, FileTooLarge
from domain.words import Words
from readers.interface import Item, Options, Outline, Page
from readers.sections import split_long
from readers.text.encodings import decode

MAX_BYTES = 20 * 1024 * 1024


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the text in parts: at form feeds, else of readable length."""
    text, encoding, warnings = read_text(path, options)
    parts = [part for sheet in text.split("\f") for part in split_long(sheet)]
    yield Outline(options.media_type, "section", len(parts), "", encoding, warnings)
    for number, part in enumerate(parts, 1):
        yield Page(number, str(number), part)


def read_text(path: Path, options: Options) -> tuple[str, str, tuple[str, ...]]:
    """Return text, encoding and warnings of the file at `path`.

    Raises:
        FileTooLarge: over `MAX_BYTES`.
        FileEmpty: nothing but white space.
    """
    if path.stat().st_size > MAX_BYTES:
        raise FileTooLarge(name=options.name, limit=Words(f"over {MAX_BYTES >> 20} MiB", f"超过 {MAX_BYTES >> 20} MiB"))
    text, encoding, certain = decode(path.read_bytes())
    if not text.strip("\ufeff\0 \t\r\n\f\v\u00a0\u3000\u200b"):
        raise FileEmpty(name=options.name)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lost = text.count("\ufffd")
    notes = (*([] if certain else [f"encoding_guessed:{encoding}"]), *([f"characters_lost:{lost}"] if lost else []))
    return text, encoding, notes
