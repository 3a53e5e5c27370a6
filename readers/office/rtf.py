"""Rich Text Format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from striprtf.striprtf import rtf_to_text

from domain.errors import FileCorrupt, FileEmpty, FileTooLarge
from domain.words import Words
from readers.figures import UNREAD
from readers.interface import Item, Options, Outline
from readers.sections import section_pages
from readers.tables import table

MAX_BYTES = 20 * 1024 * 1024
_PICTURE = re.compile(rb"\\(?:pngblip|jpegblip|dibitmap|wbitmap)")
_BINARY = re.compile(rb"\{\\\*?\\?pict[^{}]*\}|\\(?:pngblip|jpegblip|wmetafile\d?|emfblip)[^{}]*", re.S)
_CODE_PAGE = re.compile(rb"\\ansicpg(\d+)")


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sections of the RTF file at `path`.

    Raises:
        FileTooLarge: over `MAX_BYTES`.
        FileCorrupt: it ends in the middle of a group.
        FileEmpty: it holds no text.
    """
    if path.stat().st_size > MAX_BYTES:
        raise FileTooLarge(name=options.name, limit=Words(f"over {MAX_BYTES >> 20} MiB", f"超过 {MAX_BYTES >> 20} MiB"))
    data = path.read_bytes()
    pictures = len(_PICTURE.findall(data))
    data = _BINARY.sub(b"", data)
    try:
        text = rtf_to_text(data.decode("latin-1"), encoding=_code_page(data), errors="replace")
    except (ValueError, LookupError, IndexError) as error:
        raise FileCorrupt(name=options.name) from error
    if not text.strip():
        raise FileEmpty(name=options.name)
    pages = section_pages(_with_tables(text))
    yield Outline(options.media_type, "section", len(pages))
    warnings = (f"{UNREAD}:{pictures}",) if pictures else ()
    yield from (replace(page, warnings=warnings if page.number == 1 else ()) for page in pages)


def _code_page(data: bytes) -> str:
    found = _CODE_PAGE.search(data[:4096])
    name = f"cp{int(found[1])}" if found else "cp1252"
    try:
        "".encode(name)
    except LookupError:
        return "utf-8" if name == "cp65001" else "cp1252"
    return name


def _with_tables(text: str) -> str:
    """Turn runs of lines that end in `|`, which is how cells come out, into Markdown tables."""
    parts: list[str] = []
    rows: list[list[str]] = []
    for line in [*text.split("\n"), ""]:
        if line.count("|") >= 1 and line.rstrip().endswith("|"):
            rows.append([cell.strip() for cell in line.rstrip().removesuffix("|").split("|")])
            continue
        if rows:
            parts += ["", table(rows[0], rows[1:]), ""]
            rows = []
        parts.append(line)
    return "\n".join(parts)
