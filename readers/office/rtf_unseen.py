"""Text of an RTF file that nobody sees: marked as hidden, white on nothing, or tiny."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from readers.hidden import LEAST_HALF_POINTS, is_faint

_TOKEN = re.compile(
    rb"\\bin(?P<binary>\d+) ?|\\(?P<word>[a-z]+)(?P<number>-?\d+)? ?|(?P<sign>\\'[0-9a-fA-F]{2}|\\[\\{}~_-])"
    rb"|(?P<open>\{(?:\s*\\\*)?)|(?P<close>\})|(?P<text>[^\\{}\r\n]+)"
)
_COLOURS = re.compile(rb"\{\\colortbl\b([^{}]*)\}")
_PART = re.compile(rb"\\(red|green|blue)(\d+)")
_NO_TEXT = {
    b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"listtable", b"listoverridetable", b"themedata",
    b"xmlnstbl", b"generator", b"datastore", b"latentstyles", b"objdata",
}  # fmt: skip
_SHADES = {b"highlight", b"cb", b"chcbpat", b"cbpat", b"clcbpat", b"chcfpat"}
_HIDING = re.compile(rb"\\v(?![a-z0-9])|\\fs[0-3](?!\d)")
_WRITES = {b"u", b"tab", b"line", b"emdash", b"endash", b"bullet", b"lquote", b"rquote", b"ldblquote", b"rdblquote"}


@dataclass(frozen=True, slots=True)
class _Look:
    """How text looks in a group: hidden by its mark, white, tiny, on a shade; `written`: it is text of the document."""

    marked: bool = False
    white: bool = False
    tiny: bool = False
    shaded: bool = False
    written: bool = True

    @property
    def unseen(self) -> bool:
        return self.written and (self.marked or self.tiny or (self.white and not self.shaded))


def without_unseen(data: bytes) -> tuple[bytes, bytes]:
    """Return an RTF file without what nobody sees, and that as RTF without a head; empty where there is none."""
    white = _white(data)
    return _parted(data, white) if white or _HIDING.search(data) else (data, b"")


def _parted(data: bytes, white: set[int]) -> tuple[bytes, bytes]:
    kept: list[bytes] = []
    hidden: list[bytes] = []
    stack: list[_Look] = []
    look, at, began = _Look(), 0, False
    for token in _TOKEN.finditer(data):
        if token.start() < at:
            continue  # inside binary data
        kept.append(data[at : token.start()])
        at = token.end() + int(token["binary"] or 0)
        word = token["word"]
        if token["open"]:
            stack.append(look)
            look = replace(look, written=look.written and b"*" not in token[0])
        elif token["close"]:
            look = stack.pop() if stack else look
        elif word:
            look = _changed(look, word, token["number"], white, first=began)
        began = bool(token["open"])
        writes = token["text"] or token["sign"] or word in _WRITES
        if look.unseen and (writes or word == b"par"):
            hidden.append(token[0])
        if not (look.unseen and writes):
            kept.append(data[token.start() : at])
    kept.append(data[at:])
    return b"".join(kept), b"".join(hidden)


def _changed(look: _Look, word: bytes, number: bytes | None, white: set[int], *, first: bool) -> _Look:
    """Return the look behind a control word."""
    value = int(number) if number is not None else None
    if first and word in _NO_TEXT:
        return replace(look, written=False)
    if word == b"plain":
        return replace(look, marked=False, white=False, tiny=False, shaded=False)
    if word == b"v":
        return replace(look, marked=value != 0)
    if word == b"cf":
        return replace(look, white=(value or 0) in white)
    if word == b"fs" and value is not None:
        return replace(look, tiny=0 < value < LEAST_HALF_POINTS)
    if word in _SHADES:
        return replace(look, shaded=bool(value))
    return replace(look, shaded=False) if word == b"pard" else look


def _white(data: bytes) -> set[int]:
    """Return the numbers of the colours that nobody sees on paper."""
    table = _COLOURS.search(data[:100_000])
    found = set[int]()
    for number, entry in enumerate(table[1].split(b";")) if table else ():
        parts = {name: int(value) for name, value in _PART.findall(entry)}
        if len(parts) == 3 and is_faint((parts[b"red"], parts[b"green"], parts[b"blue"])):
            found.add(number)
    return found
