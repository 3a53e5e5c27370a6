"""Word 97-2003 documents (DOC), read without any other program.

The text is taken through the piece table, headings from the paragraph styles; notes, comments, boxes, headers and
footers follow the body, what nobody sees is kept apart: [MS-DOC] sections 2.4.1 (retrieving text), 2.5 (Fib), 2.8.35
(PlcPcd), 2.9.38 (Clx).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import olefile

from domain.errors import FileCorrupt, FileEmpty, FileEncrypted, UnsupportedType
from domain.language import language_of
from domain.words import Words
from readers.hidden import Hidden
from readers.interface import Item, Options, Outline
from readers.office.doc_properties import Properties, style_of, style_sheet
from readers.office.doc_unseen import Unseen
from readers.office.running_text import is_page_number
from readers.sections import section_pages
from readers.tables import table
from readers.texts import COMMENT, FOOTNOTES, HEADERS

_WORD_97 = 0x00C1
_ENCRYPTED = 0x0100
_TABLE_1 = 0x0200
_CLX = 0x01A2
_STSH, _CHPX, _PAPX = 0x00A2, 0x00FA, 0x0102
_OTHERS = ("note", "running", "", "comment", "note", "box", "box")
"""What follows the body, in order: footnotes, headers and footers, nothing, comments, endnotes, text in boxes."""
_PAGE = "\ufdd2"
"""Stands for the number of a page that a field puts there: a noncharacter, which no document holds."""
_PAGE_FIELD = re.compile(
    r"\x13[\s\ufdd3]*(?:PAGE|NUMPAGES|SECTIONPAGES)\b[^\x13\x14\x15]*(?:\x14[^\x13\x14\x15]*)?\x15", re.I
)
_MOST_PIECES = 200_000
_MOST_CHARS = 20_000_000
_FIELD = re.compile(r"\x13[^\x13\x14\x15]*\x14([^\x13\x14\x15]*)\x15|\x13[^\x13\x14\x15]*\x15")
_CONTROLS = str.maketrans({"\x0b": "\n", "\x0c": "\r", "\x0e": "\n", "\x1e": "-", "\x1f": "", "\xa0": " ", "\x0f": ""})

_UNSEEN = re.compile("\ufdd3([^\ufdd3\ufdd4]*)\ufdd4")
"""Text that nobody sees, between its marks."""
_WORDS = re.compile(r"[^\x00-\x1f]+")
_LINE = re.compile(r"[^\r\x07]*[\r\x07]|[^\r\x07]+")
_SHORT = {0x5C: 0x083C, 0x62: 0x2A42}
"""Modifiers of pieces that say what is hidden, and its colour."""

Piece = tuple[int, int, int, bool, bytes]
"""First character, last character + 1, file offset, whether one byte a character, modifiers of its properties."""


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sections of the DOC file at `path`.

    Raises:
        FileEncrypted: it needs a password.
        UnsupportedType: It was written by a Word before 97.
        FileCorrupt: its structures are broken.
        FileEmpty: it holds no text.
    """
    hidden = Hidden()
    try:
        with olefile.OleFileIO(path) as ole:
            markdown = _markdown(ole, hidden, options.name)
    except (OSError, ValueError, struct.error, IndexError) as error:
        raise FileCorrupt(name=options.name) from error
    if not markdown.strip():
        raise FileEmpty(name=options.name)
    pages = section_pages(markdown)
    yield Outline(options.media_type, "section", len(pages))
    yield from map(hidden.finish, pages)


def _markdown(ole: Any, hidden: Hidden, name: str) -> str:
    word = ole.openstream("WordDocument").read()
    version, flags = struct.unpack_from("<H6xH", word, 2)
    if version < _WORD_97:
        raise UnsupportedType(name=name, reason=Words("it was written by Word 6 or 95", "由 Word 6 或 95 保存"))
    if flags & _ENCRYPTED:
        raise FileEncrypted(name=name)
    tables = ole.openstream("1Table" if flags & _TABLE_1 else "0Table").read()
    paragraphs = Properties(word, _structure(word, tables, _PAPX), of_paragraphs=True)
    characters = Properties(word, _structure(word, tables, _CHPX), of_paragraphs=False)
    data = ole.openstream("Data").read() if ole.exists("Data") else b""
    unseen = Unseen(characters, paragraphs, style_sheet(_structure(word, tables, _STSH)), data)
    text = _Text(word, _pieces(_structure(word, tables, _CLX)), paragraphs, unseen, hidden)
    lengths = struct.unpack_from("<8I", word, 0x4C)
    parts = list(text.paragraphs((0, min(lengths[0], _MOST_CHARS))))
    others: dict[str, list[str]] = {}
    start = lengths[0]
    for kind, length in zip(_OTHERS, lengths[1:], strict=True):
        span, start = (start, start + min(length, _MOST_CHARS)), start + length
        lines = [line for line in text.paragraphs(span, boxed=kind == "box") if line.strip("\x02\x03\x04\x05 ")]
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
    modifiers: list[bytes] = []
    while clx[at] == 1:
        (size,) = struct.unpack_from("<H", clx, at + 1)
        modifiers.append(clx[at + 3 : at + 3 + size])
        at += 3 + size
    if clx[at] != 2:
        raise ValueError("no piece table")
    (size,) = struct.unpack_from("<I", clx, at + 1)
    count = (size - 4) // 12
    if not 0 < count <= _MOST_PIECES:
        raise ValueError("broken piece table")
    ends = struct.unpack_from(f"<{count + 1}I", clx, at + 5)
    pieces = []
    for number in range(count):
        position, modifier = struct.unpack_from("<IH", clx, at + 5 + 4 * (count + 1) + 8 * number + 2)
        narrow = bool(position & 0x40000000)
        offset = position & 0x3FFFFFFF
        place = offset // 2 if narrow else offset
        pieces.append((ends[number], ends[number + 1], place, narrow, _modifiers(modifier, modifiers)))
    return pieces


def _modifiers(number: int, of_document: list[bytes]) -> bytes:
    """Return the modifiers of a piece: one of the lists of the document, or a short one."""
    if number & 1:
        return of_document[number >> 1] if number >> 1 < len(of_document) else b""
    code = _SHORT.get(number >> 1 & 0x7F)
    return b"" if code is None else struct.pack("<HB", code, number >> 8)


@dataclass(frozen=True, slots=True)
class _Text:
    """The text of a document: its pieces with what is told of them."""

    word: bytes
    pieces: list[Piece]
    properties: Properties
    unseen: Unseen
    hidden: Hidden

    def paragraphs(self, span: tuple[int, int], *, boxed: bool = False) -> Iterator[str]:
        """Yield the paragraphs and tables of a span of characters; `boxed`: they stand in boxes."""
        rows: list[list[str]] = []
        cells: list[str] = []
        cell: list[str] = []
        for raw, offset in self._lines(span, boxed):
            text = self._plain(raw[:-1])
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
            level = self._level(offset)
            if text.strip():
                yield f"{'#' * level} {' '.join(text.split())}" if level else text.strip()
        if rows or cells:
            rows = [*rows, cells] if cells else rows
            yield table(rows[0], rows[1:])

    def _lines(self, span: tuple[int, int], boxed: bool) -> Iterator[tuple[str, int]]:
        """Yield (text of a paragraph or cell with its end mark, file offset of that mark)."""
        pending: list[str] = []
        for begins, last, place, narrow, modifiers in self.pieces:
            width = 1 if narrow else 2
            first = max(begins, span[0])
            offset = place + (first - begins) * width
            count = min(last, span[1]) - first
            if count <= 0:
                continue
            coding = "cp1252" if narrow else "utf-16-le"
            for start, end, unseen in self.unseen.runs(offset, offset + count * width, width, modifiers, boxed=boxed):
                at = start
                for line in _LINE.findall(self.word[start:end].decode(coding, "replace")):
                    at += len(line) if narrow else len(line.encode(coding))
                    pending.append(_WORDS.sub("\ufdd3\\g<0>\ufdd4", line) if unseen else line)
                    if line[-1] in "\r\x07":
                        yield "".join(pending), at - width
                        pending = []
        if any(pending):
            yield "".join(pending) + "\r", 0

    def _level(self, offset: int) -> int:
        """Return the heading level 1 to 6 at `offset` by the number of its style, 0 for body text."""
        style = style_of(self.properties.at(offset)[1])
        return min(style, 6) if 1 <= style <= 9 else 0

    def _plain(self, text: str) -> str:
        """Return text with fields as their results, drawing and note anchors dropped, hidden words in their places."""
        text = _PAGE_FIELD.sub(_PAGE, text)
        for _ in range(5):
            text, changes = _FIELD.subn(lambda match: match[1] or "", text)
            if not changes:
                break
        text = re.sub(r"[\x00-\x08\x10-\x1d]", "", text.translate(_CONTROLS))
        return _UNSEEN.sub(lambda match: self.hidden.place(match[1]) or match[1], text.replace("\ufdd4\ufdd3", ""))
