"""Rich Text Format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from striprtf.striprtf import rtf_to_text

from domain.errors import FileCorrupt, FileEmpty, FileTooLarge
from domain.language import language_of
from domain.words import Words
from readers.figures import UNREAD
from readers.interface import PARTS, Item, Options, Outline, Page
from readers.office.rtf_unseen import without_unseen
from readers.office.running_text import is_page_number
from readers.raised import lowered, raised
from readers.sections import section_pages
from readers.tables import table
from readers.texts import HEADERS

MAX_BYTES = 20 * 1024 * 1024
MARK = "\ufdd2"
"""Stands before the text of headers and footers, and before those of page numbers: no document holds it."""
_MARK = b"\\uc1\\u%d?" % (ord(MARK) - 0x10000)
_RAISED, _LOWERED, _SHIFT_END = "\ufdd3", "\ufdd4", "\ufdd5"
_SHIFTED = re.compile(
    rb"(\\(?:super|up[1-9]\d*|(sub|dn[1-9]\d*))(?![a-z\d]) ?"
    rb"(?:\\(?!nosupersub|plain|par\b|tab\b|u\d)[a-z]++-?\d*+ ?+)*+)"
    rb"([^{}\\\r\n]{1,20})"
)
"""The characters after a control word that raises or lowers them."""
_SHIFTED_TEXT = re.compile(f"([{_RAISED}{_LOWERED}][^{_SHIFT_END}]*{_SHIFT_END})")
_NUMBERED = re.compile(rb"\\chpgn\b|\bPAGE\b")
_PICTURE = re.compile(rb"\\(?:pngblip|jpegblip|dibitmap|wbitmap)")
_OBJECT = re.compile(rb"\\objdata\b")
_BINARY = re.compile(rb"\{\\\*?\\?pict[^{}]*\}|\\(?:pngblip|jpegblip|wmetafile\d?|emfblip)[^{}]*", re.S)
_CODE_PAGE = re.compile(rb"\\ansicpg(\d+)")
_TOKEN = re.compile(rb"\\bin(\d+) ?|\\[\\{}]|([{])(?:\s*\\\*)?(?:\s*\\([a-z]+)(?:-?\d+)? ?)?|([}])")
_OLD_NUMBER = re.compile(rb"\{\\pntext\b ?")
_LAST_PARAGRAPH = re.compile(rb"(?:\\par\b ?|\s)+\}\Z")
_PARAGRAPH = re.compile(rb"\\(?:par|sect)\b ?")
_NOTES = {b"footnote", b"annotation"}
_RUNNING = {b"header", b"headerl", b"headerr", b"headerf", b"footer", b"footerl", b"footerr", b"footerf"}
_BOXES = {b"shptxt", b"dptxbxtext"}
_SHAPES = {b"shp", b"do", b"shpgrp"}


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
    data, unseen = without_unseen(data)
    markdown = rtf_markdown(data, options.name)
    hidden = _plain(b"{\\rtf1 " + unseen + b"}", _code_page(data), options.name) if unseen else ""
    if not markdown.strip() and not hidden:
        raise FileEmpty(name=options.name)
    pages = section_pages(markdown) or [Page(1, "1", "")]
    objects = len(_OBJECT.findall(data))
    yield Outline(options.media_type, "section", len(pages), warnings=(f"{PARTS}:{objects}",) if objects else ())
    pictures = len(_PICTURE.findall(data))
    warnings = (f"{UNREAD}:{pictures}",) if pictures else ()
    yield replace(pages[0], warnings=warnings, hidden=hidden)
    yield from pages[1:]


def rtf_markdown(data: bytes, name: str) -> str:
    """Return the text of an RTF file, with notes where they are referred to, and headers and footers at the end.

    Raises:
        FileCorrupt: It ends in the middle of a group.
    """
    data = _SHIFTED.sub(_marked, _OLD_NUMBER.sub(b"{", _BINARY.sub(b"", data)))
    text = _plain(_rearranged(data), _code_page(data), name)
    body, _, running = _set_apart(text).partition(MARK)
    lines = dict.fromkeys(line.strip() for line in running.split("\n"))
    said = [line.lstrip(MARK) for line in lines if line and not (line[0] == MARK and is_page_number(line))]
    if said:
        body += "\n\n# " + HEADERS.text(language_of("".join(said), "en")) + "\n\n" + "\n\n".join(said)
    return _with_tables(body)


def _plain(data: bytes, encoding: str, name: str) -> str:
    try:
        return str(rtf_to_text(data.decode("latin-1"), encoding=encoding, errors="replace"))
    except (ValueError, LookupError, IndexError) as error:
        raise FileCorrupt(name=name) from error


def _marked(match: re.Match[bytes]) -> bytes:
    """Put marks around raised (or lowered) characters, which striprtf passes on."""
    sign = _LOWERED if match[2] else _RAISED
    return match[1] + _escaped(sign) + match[3] + _escaped(_SHIFT_END)


def _escaped(char: str) -> bytes:
    return b"\\uc1\\u%d?" % (ord(char) - 0x10000)


def _set_apart(text: str) -> str:
    """Write marked characters so that they do not glue to the number or word before them."""
    done = ""
    for number, part in enumerate(_SHIFTED_TEXT.split(text)):
        sign = part[:1]
        done += part if number % 2 == 0 else (raised if sign == _RAISED else lowered)(done[-80:], part[1:-1])
    return done


def _rearranged(data: bytes) -> bytes:
    """Return RTF in which notes and boxes are text at their places, and headers and footers text at the end.

    Striprtf passes over all of these, as they are no part of the running text.
    """
    parts: list[bytes] = []
    running: list[bytes] = []
    stack: list[tuple[bytes, int, list[bytes]]] = []
    at = 0
    for token in _TOKEN.finditer(data):
        if token.start() < at:
            continue  # inside binary data
        parts.append(data[at : token.start()])
        at = token.end() + int(token[1] or 0)
        if token[2]:
            word = token[3] or b""
            stack.append((word, len(parts), []))
            parts.append(b"" if word in _NOTES | _RUNNING | _BOXES else token[0])
        elif token[4] and stack:
            _close(stack, parts, running)
        elif token[1] is None:
            parts.append(token[0])
    parts.append(data[at:])
    whole = b"".join(parts).rstrip()
    if not running:
        return whole
    return whole.removesuffix(b"}") + b"\\par " + _MARK + b"\\par " + b"\\par ".join(running) + b"}"


def _close(stack: list[tuple[bytes, int, list[bytes]]], parts: list[bytes], running: list[bytes]) -> None:
    """End a group: leave it as it is, or take its text to where it belongs."""
    word, start, boxes = stack.pop()
    if word in _NOTES | _RUNNING | _BOXES:
        inner = b"{" + b"".join(parts[start:]) + b"}"
        del parts[start:]
        shapes = [group for group in stack if group[0] in _SHAPES]
        if word in _NOTES:
            parts.append(b"{ [" + _PARAGRAPH.sub(b" ", _LAST_PARAGRAPH.sub(b"}", inner)) + b"]}")
        elif word in _RUNNING:
            running.append((_MARK if _NUMBERED.search(inner) else b"") + inner)
        elif shapes:
            shapes[0][2].append(inner)
    else:
        parts.append(b"}")
        parts += [b"\\par " + box + b"\\par " for box in boxes]


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
