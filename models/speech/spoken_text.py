"""Markdown to what a person would read aloud, sentence by sentence, also while it is still being written."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from domain.words import Language
from models.speech.spoken_math import spoken_math

MAX_SENTENCE_CHARS = 300
_HAN = re.compile(r"[\u3400-\u9fff]")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-*:?\s*)*$")
_RULE = re.compile(r"\s*([-*_=])(\s*\1){2,}\s*$")
_MARKER = re.compile(r"^\s*(?:>\s*)*(?:#{1,6}\s+|[-*+•]\s+(?:\[[ xX]\]\s+)?)?")
_NUMBERED = re.compile(r"^\s*(\d{1,3})[.)]\s+")
_CITATION = re.compile(r"\s*(?:\[\^?\d{1,3}(?:\s*[,，-]\s*\d{1,3})*(?:\s+[\"“][^\]]*)?\](?!\()|【\d{1,3}[^】]{0,40}】)")
_PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_URL = re.compile(r"<?\bhttps?://[^\s<>()（）\"'，。；、]+>?", re.I)
_MATH = re.compile(
    r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|(?<![\\$\w])\$(?![\s\d.,]+\s)([^$\n]{1,200}?)(?<!\s)\$(?![\d$])", re.S
)
_CODE = re.compile(r"`+([^`]+)`+")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|<!--.*?-->", re.S)
_EMPHASIS = re.compile(r"(\*{1,3}|~~|__)(?=\S)(.+?)(?<=\S)\1")
_UNDERSCORES = re.compile(r"(?<!\w)_(?=\S)(.+?)(?<=\S)_(?!\w)")
_SYMBOLS = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\ufe0f\u200d\u20e3\U000e0020-\U000e007f\u25a0-\u25ff\u2022]+"
)
_WORDS: dict[Language, dict[str, str]] = {
    "en": {"link": "a link to {host}", "code": "Code is shown on the screen.", "to": " to ", "and": " and "},
    "zh": {"link": "{host} 的链接", "code": "代码请看屏幕。", "to": "到", "and": "和"},
}
_END = re.compile(
    r"[。！？；…]+[”’」』）)\"']*"
    r"|(?:[!?;]+|(?<=[^\s.])\.)[\"”')]*(?=\s|$|[\u3400-\u9fff])"
    r"|[:：]?[ \t]*\n"
)
_SOFT = re.compile(r"[,，、:：—](?=\s|[\u3400-\u9fff]|$)|\s")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|No|Fig|vs|etc|e\.g|i\.e|approx|Inc|Ltd|Jr|Sr)|\b[A-Z]|^\s*\d{1,3}|\n\s*\d{1,3})$"
)
_NO_END = {".": _ABBREVIATION, ";": re.compile(r"&#?\w{1,10}$")}
"""What stands before a sign that then ends no sentence: an abbreviation, an HTML entity."""
_PAIRS = (("[", "]"), ("(", ")"))
_MAX_PAIR_CHARS = 400


def language_of(sentence: str, default: Language = "en") -> Language:
    """Return the language to speak a sentence in: Chinese as soon as it holds a Han character."""
    if _HAN.search(sentence):
        return "zh"
    return "en" if re.search(r"[A-Za-z]{2}", sentence) else default


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
            piece = self._take(final=final)
            if piece is None:
                return
            if self._language == "en" or _HAN.search(piece) or re.search(r"[A-Za-z]{2}", piece):
                self._language = language_of(piece, self._language)
            spoken = spoken_text(piece, self._language)
            if re.search(r"\w", spoken):
                yield spoken

    def _take(self, *, final: bool) -> str | None:
        """Cut the next piece off the text: a sentence, a table row, or the note that stands for a code block."""
        if self._fence:
            return self._skip_code(final=final)
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
            return _WORDS[self._language]["code"]
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
    words = _WORDS[language]
    if _RULE.match(markdown):
        return ""
    text = _NUMBERED.sub(r"\1: ", _MARKER.sub("", markdown, count=1), count=1)
    steps: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
        (_MATH, lambda m: f" {spoken_math(next(part for part in m.groups() if part), language)} "),
        (_CITATION, ""),
        (_PICTURE, r"\1"),
        (_LINK, r"\1"),
        (_URL, lambda m: words["link"].format(host=_host(m[0]))),
        (_CODE, lambda m: m[1].replace("_", " ")),
        (_TAG, " "),
        (_EMPHASIS, r"\2"),
        (_EMPHASIS, r"\2"),
        (_UNDERSCORES, r"\1"),
    )
    for pattern, replacement in steps:
        text = pattern.sub(replacement, text)
    return _plain(html.unescape(text), words)


def _plain(text: str, words: dict[str, str]) -> str:
    text = re.sub(r"\s*(?:→|⇒|->|=>|➜)\s*", words["to"], text)
    text = re.sub(r"\s&\s", words["and"], text)
    text = re.sub(r"(?<=\d)\s*[–~～](?=\s*\d)", words["to"], text)
    text = re.sub(r"[*#|`\\^]+|(?<!\w)_+|_+(?!\w)|~~", " ", _SYMBOLS.sub(" ", text))
    text = re.sub(r"\s+([,.;:!?，。；：！？、])", r"\1", " ".join(text.split()))
    text = re.sub(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])", "", text)
    text = re.sub(r"(?<=[。！？!?.…])[”’」』）)\"']+$", "", text)
    return text.lstrip("”’」』）)，。；：、,.;:!?！？ ")


def _host(url: str) -> str:
    return (urlsplit(url.strip("<>")).hostname or "").removeprefix("www.")


def _row(line: str) -> str:
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
    mark = "，" if _HAN.search(line) else ", "
    return mark.join(cell for cell in cells if cell) + ("。" if _HAN.search(line) else ".")


def _whole_line(text: str) -> str:
    """Name the kind of a line that has to be seen whole: `fence`, `table`, or nothing."""
    start = text.lstrip(" ")
    if start.startswith("|"):
        return "table"
    if start[:3] in ("```", "~~~") or start in ("`", "``", "~", "~~"):
        return "fence"
    return ""


def _sentence_end(text: str, *, final: bool) -> int | None:
    """Return where the first sentence of `text` ends, or None while that cannot be told."""
    for match in _END.finditer(text):
        end, mark = match.end(), match[0][0]
        before = text[: match.start()]
        if _inside(before) or (pattern := _NO_END.get(mark)) and pattern.search(before):
            continue
        if mark in "。！？；":
            return end
        if not final and not text[end:].strip():
            break
        if not _goes_on(text, end):
            return end
    if len(text) > MAX_SENTENCE_CHARS:
        cuts = [match.end() for match in _SOFT.finditer(text, 0, MAX_SENTENCE_CHARS)]
        return cuts[-1] if cuts else MAX_SENTENCE_CHARS
    return len(text) if final else None


def _goes_on(text: str, end: int) -> bool:
    """Whether the sentence continues: a small Latin letter comes next, as in a wrapped line or after a quotation."""
    rest = text[end:].lstrip(" ")
    return rest[:1].isascii() and rest[:1].islower() and bool(text[:end].strip())


def _inside(text: str) -> bool:
    """Whether `text` ends inside brackets, inline code or a formula that began not long ago."""
    recent = text[-_MAX_PAIR_CHARS:]
    if any(recent.rfind(opening) > recent.rfind(closing) for opening, closing in _PAIRS):
        return True
    return recent.count("`") % 2 == 1 or recent.count("$$") % 2 == 1
