"""The grammar of citations, the same for what is streamed, checked and read aloud.

A citation is `[n]`, `[n, m]` or `[n "quoted words"]`, n being the number of a passage; full-width brackets, commas and
quotation marks count too. Links and code hold none. `domain.quotes` tells whether a quote is true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MOST_HELD = 1500
"""Characters of the longest citation: an open quote that is longer is plain text, for its reader waits meanwhile."""

_BLOCK = 4096
"""Characters of a whole text that are looked at in one go."""
_OPEN, _CLOSE = "\"“”„‟「『'‘’«‹", "\"“”「」『』'’»›"
_LIST = re.compile(r"[\[【](\d{1,3}(?:\s*[,，、;；]\s*\d{1,3})*)\s*[\]】]")
_QUOTED = re.compile(rf"[\[【](\d{{1,3}})\s*[:：,，]?\s*[{_OPEN}]")
_ENDING = re.compile(rf"[{_CLOSE}]\s*[\]】]")
_UNFINISHED = re.compile(r"[\[【](?:\d{1,3}\s*[,，、;；]\s*)*(?:\d{1,3}\s*[:：]?\s*)?\Z")
_OPENING = re.compile(r"[\[【]")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_FENCE_BEHIND = re.compile(r"```\w*\n\Z")
_HEAD = 6
"""Characters at the start of a line that tell a fence."""
_BACK_QUOTES = re.compile(r"(?<!`)`{1,2}(?!`)")


@dataclass(frozen=True, slots=True)
class Marker:
    """A citation: the `numbers` of the passages that it names, as written at `start`; only a single one has a quote."""

    start: int
    text: str
    numbers: tuple[int, ...]
    quote: str = ""

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)

    @property
    def shown(self) -> str:
        """What a reader sees of it before it is checked."""
        return f"[{self.numbers[0]}]" if self.quote else self.text


def citation_of(number: int | None, words: str) -> str:
    """Return the citation of exact `words` of a passage, bare where they cannot stand in one; "" without a number.

    Quotation marks are left out, for they would end it: a comparison of quotes does not see them.
    """
    quote = " ".join(re.sub('["“”„‟「」『』«»]', "", words).split())
    fits = len(quote) < MOST_HELD - 10 and "`" not in quote and quote.count("[") == quote.count("]")
    return "" if number is None else f' [{number} "{quote}"]' if fits else f" [{number}]"


class CitationScanner:
    """Splits a streamed text into text and citations; holds back only what may become a citation."""

    def __init__(self) -> None:
        """Start at the beginning of a text."""
        self._held = ""
        self._line_head, self._line = "", ""
        self._fence = ""
        self._at = 0

    def feed(self, text: str, *, final: bool = False) -> Iterator[str | Marker]:
        """Add text; yield what it completes, and with `final` all that is left."""
        self._held += text
        while self._held:
            opening = _OPENING.search(self._held)
            if passed := self._pass(opening.start() if opening else len(self._held)):
                yield passed
            if not self._held:
                return
            found = self._citation(complete=final or len(self._held) >= MOST_HELD)
            if found is None:
                return
            text = self._pass(len(found.text) if isinstance(found, Marker) else 1)
            yield found if isinstance(found, Marker) else text

    def _citation(self, *, complete: bool) -> Marker | str | None:
        """The citation that the held text begins with, "" if it begins with none, None while that is not certain."""
        if self._fence or _FENCE.match(self._line_head):
            return ""
        window = self._held[:MOST_HELD]
        stop = end = 0
        if match := _LIST.match(window):
            end = match.end()
        elif match := _QUOTED.match(window):
            stop, end = _quote_end(window, match.end(), complete=complete)
        if match is None or not end:
            return None if not complete and (match or _UNFINISHED.match(window)) else ""
        if end == len(window) and not complete:
            return None
        quote = window[match.end() : stop]
        if window[end : end + 1] == "(":
            return ""
        in_code = self._in_code(quote, window[end:])
        if in_code is None and not complete:
            return None
        numbers = tuple(map(int, re.findall(r"\d+", match[1])))
        return "" if in_code else Marker(self._at, window[:end], numbers, quote)

    def _in_code(self, quote: str, after: str) -> bool | None:
        """Whether a citation lies between back quotes of its line; None while the line goes on without one."""
        if len(_BACK_QUOTES.findall(self._line)) % 2 == 0 or len(_BACK_QUOTES.findall(quote)) % 2:
            return False
        line, newline, _ = after.partition("\n")
        return True if "`" in line else False if newline else None

    def _pass(self, count: int) -> str:
        """Release this many characters; track their line and the code fence that they are in."""
        text, self._held = self._held[:count], self._held[count:]
        self._at += len(text)
        for part in text.splitlines(keepends=True):
            self._line_head = (self._line_head + part[:_HEAD])[:_HEAD]
            self._line = (self._line + part)[-MOST_HELD:]
            if part.endswith("\n"):
                self._end_line()
        return text

    def _end_line(self) -> None:
        fence = _FENCE.match(self._line_head)
        if fence and self._fence in ("", fence[1]):
            self._fence = "" if self._fence else fence[1]
        elif not self._fence and self._line.count("```") % 2 and _FENCE_BEHIND.search(self._line):
            self._fence = "```"
        self._line_head = self._line = ""


class QuoteStripper:
    """An answer as it is shown while it is being written: `[2 "the words"]` as `[2]`.

    >>> stripper = QuoteStripper()
    >>> [stripper.add(piece) for piece in ("Nine weeks [", '1 "nine', ' weeks"]', ". See [a]")], stripper.rest()
    (['Nine weeks ', '', '', '[1]. See [a]'], '')
    """

    def __init__(self) -> None:
        """Start at the beginning of an answer."""
        self._scanner = CitationScanner()

    def add(self, text: str) -> str:
        """Take the next piece; return what may be shown now."""
        return "".join(map(self._shown, self._scanner.feed(text)))

    def rest(self) -> str:
        """Return what was held back, at the end of the answer."""
        return "".join(map(self._shown, self._scanner.feed("", final=True)))

    def _shown(self, piece: str | Marker) -> str:
        return piece if isinstance(piece, str) else piece.shown


def scan(text: str) -> Iterator[str | Marker]:
    """Yield a whole text as plain pieces and citations."""
    scanner = CitationScanner()
    for start in range(0, len(text), _BLOCK):
        yield from scanner.feed(text[start : start + _BLOCK])
    yield from scanner.feed("", final=True)


def without_citations(text: str) -> str:
    """Return `text` without its citations and the spaces before them."""
    said = ""
    for piece in scan(text):
        said = said + piece if isinstance(piece, str) else said.rstrip(" ")
    return said


def renumbered(text: str, numbers: Mapping[int, int]) -> str:
    """Return `text` with each number of a passage replaced; one of no passage becomes 0, which is none anywhere.

    >>> renumbered('Nine weeks [1 "nine weeks"], also [2, 3].', {1: 7, 2: 8})
    'Nine weeks [7 "nine weeks"], also [8, 0].'
    """
    parts = []
    for piece in scan(text):
        if isinstance(piece, str):
            parts.append(piece)
        else:
            count = len(piece.numbers)
            parts.append(re.sub(r"\d+", lambda found: str(numbers.get(int(found[0]), 0)), piece.text, count=count))
    return "".join(parts)


def _quote_end(text: str, start: int, *, complete: bool) -> tuple[int, int]:
    """Return where the quote that begins at `start` ends, and its citation; (0, 0) while there is no end.

    It ends where the brackets inside it are closed: `[1 "a list ["x", "y"] of two"]`; at its first end if they are not.
    """
    first = (0, 0)
    for ending in _ENDING.finditer(text, start + 1):
        inside = text[start : ending.start()]
        if sum(map(inside.count, "[【")) <= sum(map(inside.count, "]】")):
            return ending.start(), ending.end()
        first = first if first[1] else (ending.start(), ending.end())
    return first if complete else (0, 0)
