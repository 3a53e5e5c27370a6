"""Markdown to what a person would read aloud, sentence by sentence, also while it is still being written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from markdown_it import MarkdownIt

from domain.citations import without_citations
from domain.language import language_of
from domain.text import HAN, has_han, sentence_end
from domain.words import Language
from models.speech import texts
from models.speech.spoken_math import spoken_math

MAX_SENTENCE_CHARS = 300
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-*:?\s*)*$")
_RULE = re.compile(r"\s*([-*_=])(\s*\1){2,}\s*$")
_MARKER = re.compile(r"^\s*(?:>\s*)*(?:#{1,6}\s+|[-*+•]\s+(?:\[[ xX]\]\s+)?)?")
_NUMBERED = re.compile(r"^\s*(\d{1,3})[.)]\s+")
_FOOTNOTE = re.compile(r"\s*\[\^\w{1,20}\](?!\()")
_LINKED = re.compile(r"(\[[^\]]*)\]\([^)]*\)")
_URL = re.compile(r"<?\bhttps?://[^\s<>()（）\"'，。；、]+>?", re.I)
_MATH = re.compile(
    r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|(?<![\\$\w])\$(?![\s\d.,]+\s)([^$\n]{1,200}?)(?<!\s)\$(?![\d$])", re.S
)
_SYMBOLS = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\ufe0f\u200d\u20e3\U000e0020-\U000e007f\u25a0-\u25ff\u2022]+"
)
_SOFT = re.compile(rf"[,，、:：—](?=\s|[{HAN}]|$)|\s")
_INLINE = MarkdownIt("commonmark").enable("strikethrough")


def spoken_sentences(markdown: str) -> list[str]:
    """Return the sentences of a complete Markdown text as they are read aloud."""
    splitter = SentenceSplitter()
    return [*splitter.feed(markdown), *splitter.flush()]


class SentenceSplitter:
    """Takes an answer piece by piece and gives each sentence, ready to be spoken, as soon as it is complete."""

    def __init__(self) -> None:
        """Start with an empty text."""
        self._text = ""
        self._fence = ""
        self._line_start = True
        self._language: Language = "en"

    def feed(self, delta: str) -> list[str]:
        """Add text and return the sentences that it completes."""
        self._text += delta
        return list(self._ready(final=False))

    def flush(self) -> list[str]:
        """Return what is left at the end of the text."""
        found = list(self._ready(final=True))
        self._text, self._fence, self._line_start = "", "", True
        return found

    def _ready(self, *, final: bool) -> Iterator[str]:
        while self._text:
            piece = self._next_piece(final=final)
            if piece is None:
                return
            self._language = language_of(piece, self._language)
            spoken = spoken_text(piece, self._language)
            if re.search(r"\w", spoken):
                yield spoken

    def _next_piece(self, *, final: bool) -> str | None:
        """Cut the next piece off the text: a sentence, a table row, or the note that replaces a code block."""
        if self._fence:
            return self._skip_code(final=final)
        blank = self._text[: len(self._text) - len(self._text.lstrip())]
        if "\n" in blank:
            self._text, self._line_start = self._text[blank.rfind("\n") + 1 :], True
        if self._line_start and (kind := _whole_line(self._text)):
            line, newline, rest = self._text.partition("\n")
            if not newline and not final:
                return None
            return self._take_line(kind, line, rest)
        end = _sentence_end(self._text, final=final)
        if end is None:
            return None
        piece, self._text = self._text[:end], self._text[end:]
        self._line_start = piece.endswith("\n")
        return piece

    def _take_line(self, kind: str, line: str, rest: str) -> str:
        self._text = rest
        fence = _FENCE.match(line)
        if kind == "fence" and fence:
            self._fence = fence[1]
            return texts.CODE.text(self._language)
        return "" if _TABLE_RULE.match(line) else _row(line)

    def _skip_code(self, *, final: bool) -> str | None:
        line, newline, rest = self._text.partition("\n")
        if not newline and not final:
            return None
        self._text = rest
        if line.strip().startswith(self._fence) and not line.strip().strip(self._fence[0]):
            self._fence = ""
        return ""


def spoken_text(markdown: str, language: Language) -> str:
    """Turn one sentence of Markdown into what is read aloud; may be empty."""
    if _RULE.match(markdown):
        return ""
    text = _NUMBERED.sub(r"\1: ", _MARKER.sub("", markdown, count=1), count=1)
    text = _MATH.sub(lambda m: f" {spoken_math(next(part for part in m.groups() if part), language)} ", text)
    text = _URL.sub(
        lambda m: texts.LINK.text(language).format(host=_host(m[0])),
        _LINKED.sub(r"\1]()", _FOOTNOTE.sub("", without_citations(text))),
    )
    return _plain(_unmarked(text), language)


def _unmarked(text: str) -> str:
    """Return what stands in a line of Markdown, without its marks."""
    spoken = ""
    for token in _INLINE.parseInline(text)[0].children or ():
        if token.type in ("text", "image"):
            spoken += token.content
        elif token.type == "code_inline":
            spoken += token.content.replace("_", " ")
        elif token.type in ("softbreak", "hardbreak", "html_inline"):
            spoken += " "
    return spoken


def _plain(text: str, language: Language) -> str:
    text = re.sub(r"\s*(?:→|⇒|->|=>|➜)\s*", texts.TO.text(language), text)
    text = re.sub(r"\s&\s", texts.AND.text(language), text)
    text = re.sub(r"(?<=\d)\s*[–~～](?=\s*\d)", texts.TO.text(language), text)
    text = re.sub(r"[*#|`\\^]+|(?<!\w)_+|_+(?!\w)|~~", " ", _SYMBOLS.sub(" ", text))
    text = re.sub(r"\s+([,.;:!?，。；：！？、])", r"\1", " ".join(text.split()))
    text = re.sub(rf"(?<=[{HAN}]) (?=[{HAN}])", "", text)
    text = re.sub(r"(?<=[。！？!?.…])[”’」』）)\"']+$", "", text)
    return text.lstrip("”’」』）)，。；：、,.;:!?！？ ")


def _host(url: str) -> str:
    return (urlsplit(url.strip("<>")).hostname or "").removeprefix("www.")


def _row(line: str) -> str:
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
    mark = "，" if has_han(line) else ", "
    return mark.join(cell for cell in cells if cell) + ("。" if has_han(line) else ".")


def _whole_line(text: str) -> str:
    """Name the kind of a line that has to be seen whole: `fence`, `table`, or nothing."""
    start = text.lstrip(" ")
    if start.startswith("|"):
        return "table"
    if start[:3] in ("```", "~~~") or start in ("`", "``", "~", "~~"):
        return "fence"
    return ""


def _sentence_end(text: str, *, final: bool) -> int | None:
    """Return where the first sentence of `text` ends, or None while that is not certain."""
    end = sentence_end(text, final=final)
    if end is not None and end <= MAX_SENTENCE_CHARS:
        return end
    if len(text) > MAX_SENTENCE_CHARS:
        cuts = [match.end() for match in _SOFT.finditer(text, 0, MAX_SENTENCE_CHARS)]
        return cuts[-1] if cuts else MAX_SENTENCE_CHARS
    return (end or len(text)) if final else end
