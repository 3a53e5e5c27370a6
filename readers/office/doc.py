"""Word 97-2003 documents (DOC), read without any other program.

The text is taken through the piece table, headings from the paragraph styles; notes, comments, boxes, headers and
footers follow the body: [MS-DOC] sections 2.4.1 (retrieving
text), 2.5 (Fib), 2.8.35 (PlcPcd), 2.9.38 (Clx), 2.8.5 and 2.9.174 (PlcBtePapx and PapxFkp).
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import olefile

from domain.errors import FileCorrupt, FileEmpty, FileEncrypted, UnsupportedType
from domain.language import language_of
from domain.words import Words
from readers.interface import Item, Options, Outline
from readers.office.running_text import is_page_number
from readers.sections import section_pages
from readers.tables import table
from readers.texts import COMMENT, FOOTNOTES, HEADERS

_WORD_97 = 0x00C1
_ENCRYPTED = 0x0100
_TABLE_1 = 0x0200
_CLX = 0x01A2
_PAPX = 0x0102
_OTHERS = ("note", "running", "", "comment", "note", "box", "box")
"""What follows the body, in order: footnotes, headers and footers, nothing, comments, endnotes, text in boxes."""
_PAGE = "\ufdd2"
"""Stands for the number of a page that a field puts there: a noncharacter, which no document holds."""
_PAGE_FIELD = re.compile(r"\x13\s*(?:PAGE|NUMPAGES|SECTIONPAGES)\b[^\x13\x14\x15]*(?:\x14[^\x13\x14\x15]*)?\x15", re.I)
_MOST_PIECES = 200_000
_MOST_CHARS = 20_000_000
_FIELD = re.compile(r"\x13[^\x13\x14\x15]*\x14([^\x13\x14\x15]*)\x15|\x13[^\x13\x14\x15]*\x15")
_CONTROLS = str.maketrans({"\x0b": "\n", "\x0c": "\r", "\x0e": "\n", "\x1e": "-", "\x1f": "", "\xa0": " ", "\x0f": ""})

Piece = tuple[int, int, int, bool]
"""First character, last character + 1, file offset, whether one byte a character."""


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sections of the DOC file at `path`.

    Raises:
        FileEncrypted: it needs a password.
        UnsupportedType: It was written by a Word before 97.
        FileCorrupt: its structures are broken.
        FileEmpty: it holds no text.
    """
    try:
        with olefile.OleFileIO(path) as ole:
            markdown = _markdown(ole, options.name)
    except (OSError, ValueError, struct.error, IndexError) as error:
        raise FileCorrupt(name=options.name) from error
    if not markdown.strip():
        raise FileEmpty(name=options.name)
    pages = section_pages(markdown)
    yield Outline(options.media_type, "section", len(pages))
    yield from pages


def _markdown(ole: Any, name: str) -> str:
    word = ole.openstream("WordDocument").read()
    version, flags = struct.unpack_from("<H6xH", word, 2)
    if version < _WORD_97:
        raise UnsupportedType(name=name, reason=Words("it was written by Word 6 or 95", "由 Word 6 或 95 保存"))
    if flags & _ENCRYPTED:
        raise FileEncrypted(name=name)
    tables = ole.openstream("1Table" if flags & _TABLE_1 else "0Table").read()
    pieces = _pieces(_structure(word, tables, _CLX))
    styles = _Styles(word, _structure(word, tables, _PAPX))
    lengths = struct.unpack_from("<8I", word, 0x4C)
    parts = list(_paragraphs(word, pieces, (0, min(lengths[0], _MOST_CHARS)), styles))
    others: dict[str, list[str]] = {}
    start = lengths[0]
    for kind, length in zip(_OTHERS, lengths[1:], strict=True):
        span, start = (start, start + min(length, _MOST_CHARS)), start + length
        lines = [line for line in _paragraphs(word, pieces, span, styles) if line.strip("\x02\x03\x04\x05 ")]
        others.setdefault(kind, []).extend(dict.fromkeys(lines) if kind == "running" else lines)
    parts += others["box"]
    parts += [f"{COMMENT.text(language_of(line, 'en'))}: {line}" for line in others["comment"]]
    for kind, title in (("note", FOOTNOTES), ("running", HEADERS)):
        if lines := [line for line in others[kind] if not (_PAGE in line and is_page_number(line))]:
            parts += [f"# {title.text(language_of(''.join(lines), 'en'))}", *lines]
    return "\n\n".join(parts).replace(_PAGE, "")


def _structure(word: bytes, tables: bytes, at: int) -> bytes:
    offset, size = struct.unpack_from("<II", word, at)
    return tables[offset : offset + size]


def _pieces(clx: bytes) -> list[Piece]:
    at = 0
    while clx[at] == 1:
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if clx[at] != 2:
        raise ValueError("no piece table")
    (size,) = struct.unpack_from("<I", clx, at + 1)
    count = (size - 4) // 12
    if not 0 < count <= _MOST_PIECES:
        raise ValueError("broken piece table")
    ends = struct.unpack_from(f"<{count + 1}I", clx, at + 5)
    pieces = []
    for number in range(count):
        (position,) = struct.unpack_from("<I", clx, at + 5 + 4 * (count + 1) + 8 * number + 2)
        narrow = bool(position & 0x40000000)
        offset = position & 0x3FFFFFFF
        pieces.append((ends[number], ends[number + 1], offset // 2 if narrow else offset, narrow))
    return pieces


class _Styles:
    """The style number of the paragraph at a file offset; 1 to 9 are Word's own headings."""

    def __init__(self, word: bytes, plc: bytes) -> None:
        count = (len(plc) - 4) // 8
        self._word = word
        self._starts = struct.unpack_from(f"<{count + 1}I", plc) if count > 0 else ()
        self._pages = struct.unpack_from(f"<{count}I", plc, 4 * (count + 1)) if count > 0 else ()

    def level(self, offset: int) -> int:
        """Return the heading level 1 to 6 at `offset`, 0 for body text."""
        at = bisect_right(self._starts, offset) - 1
        if not 0 <= at < len(self._pages):
            return 0
        page = self._word[self._pages[at] * 512 : self._pages[at] * 512 + 512]
        if len(page) < 512:
            return 0
        count = page[511]
        starts = struct.unpack_from(f"<{count + 1}I", page)
        number = bisect_right(starts, offset) - 1
        if not 0 <= number < count:
            return 0
        where = page[4 * (count + 1) + 13 * number] * 2
        if not where or where + 4 > 512:
            return 0
        size_at = where + 1 if page[where] == 0 else where
        (style,) = struct.unpack_from("<H", page, size_at + 1)
        return min(style, 6) if 1 <= style <= 9 else 0


def _characters(word: bytes, pieces: list[Piece], span: tuple[int, int]) -> Iterator[tuple[str, int]]:
    """Yield (text of a paragraph or cell with its end mark, file offset of that mark)."""
    pending: list[str] = []
    for begins, last, place, narrow in pieces:
        width = 1 if narrow else 2
        first = max(begins, span[0])
        offset = place + (first - begins) * width
        count = min(last, span[1]) - first
        if count <= 0:
            continue
        text = word[offset : offset + count * width].decode("cp1252" if narrow else "utf-16-le", "replace")
        begin = 0
        for mark in re.finditer(r"[\r\x07]", text):
            pending.append(text[begin : mark.end()])
            yield "".join(pending), offset + mark.start() * width
            pending, begin = [], mark.end()
        pending.append(text[begin:])
    if any(pending):
        yield "".join(pending) + "\r", 0


def _paragraphs(word: bytes, pieces: list[Piece], span: tuple[int, int], styles: _Styles) -> Iterator[str]:
    rows: list[list[str]] = []
    cells: list[str] = []
    cell: list[str] = []
    for raw, offset in _characters(word, pieces, span):
        text = _plain(raw[:-1])
        if raw.endswith("\x07"):
            if not text and not cell and cells:
                rows.append(cells)
                cells = []
            else:
                cells.append(" ".join([*cell, text]).strip())
                cell = []
            continue
        if cells:
            cell.append(text)
            continue
        if rows:
            yield table(rows[0], rows[1:])
            rows = []
        level = styles.level(offset)
        if text.strip():
            yield f"{'#' * level} {' '.join(text.split())}" if level else text.strip()
    if rows or cells:
        rows = [*rows, cells] if cells else rows
        yield table(rows[0], rows[1:])


def _plain(text: str) -> str:
    """Return text with fields as their results, and drawing and note anchors dropped."""
    text = _PAGE_FIELD.sub(_PAGE, text)
    for _ in range(5):
        text, changes = _FIELD.subn(lambda match: match[1] or "", text)
        if not changes:
            break
    return re.sub(r"[\x00-\x08\x10-\x1d]", "", text.translate(_CONTROLS))
