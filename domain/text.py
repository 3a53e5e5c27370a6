"""Running text in two scripts: Han characters, sentences, index terms."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import Stemmer

HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
"""Chinese characters, for the inside of a character class: `[{HAN}]`."""
KANA = "\u3040-\u30ff"
CJK = KANA + HAN
"""What is written without spaces between words, for the inside of a character class."""
LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"

_HAN = re.compile(f"[{HAN}]")
_TOKEN = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+(?:['’][^\W_{CJK}]+)?")
STOPWORDS = frozenset(
    "a an and are as at be been but by did do does for from had has have he her his how i if in into is it its me my of"
    " on or our she so than that the their them then there these they this to was we were what when where which who"
    " whom whose why will with would you your".split()
)
_STEMMER = Stemmer.Stemmer("english", 0)
_STEMMING = threading.Lock()
"""A stemmer keeps its word in itself: one thread at a time."""

MOST_ENCLOSED = 400
"""Characters after which an open bracket or back quote is literal: it no longer holds a sentence together."""
LONGEST_LINE = 400
"""Characters of a line that are looked at for its width."""
NARROWEST = 30
"""Columns (a Chinese character takes two) of the shortest line that may have been broken because it was full."""

_CLOSING = "\"'”’」』）)】\\]*_"
_INK = re.compile(r"\S")
_STOP = re.compile(
    rf"(?P<full>[。！？；][。！？；…!?]*)[{_CLOSING}]*"
    rf"|(?P<stop>[.!?…]+)[{_CLOSING}]*(?:[ \t]?[\[【]\d{{1,3}}[\]】])*(?=\s|[{HAN}]|\Z)"
    r"|[ \t]*(?P<line>\n)"
)
"""Where a sentence may end."""
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|v|etc|Inc|Ltd|Co|Corp|approx|ca|cf|al|Gen|Col|Lt|Rev|Hon|e\.g|i\.e|a\.m"
    r"|p\.m|Ph\.D)|\b(?:[A-Z]\.)*[A-Z])\Z"
)
_BEFORE_NUMBERS = re.compile(
    r"\b(?:No|Nos|Fig|Figs|Eq|Sec|Art|Ch|Vol|pp?|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\Z"
)
_ITEM_NUMBER = re.compile(r"[(（]?(?:\d{1,3}|[A-Za-z])")
_CONTINUES = re.compile(r"\s*[\"'“‘(\[（]?[a-z]")
_UNDECIDED = re.compile(r"\s*[\"'“‘(\[（]?\Z")
"""What may still go on with a small letter."""
_BLOCK = re.compile(
    r"[ \t]*(?:\n|\Z|#{1,6}[ \t]|[|>]|[-*+•·▪][ \t]|```|~~~|[-*_=]{3,}[ \t]*$|[(（]?\d{1,3}[.)、）](?!\d)"
    r"|第[一二三四五六七八九十百零〇\d]{1,4}[章节篇编条][ \t\u3000]"
    rf"|[^\s:：，。,.][^:：\n，。,.]{{0,24}}[:：](?=[\s{HAN}]))",
    re.M,
)
"""What begins a new block: a blank line, markup, a list item, a chapter, a label before a colon."""
_ALONE = re.compile(r"[ \t]*(?:#{1,6}[ \t]|\||```|~~~|第[一二三四五六七八九十百零〇\d]{1,4}[章节篇编][ \t\u3000])")
"""How a line begins that holds no sentence together with the next: a heading, a row, a fence."""
_ROW = re.compile(r"\S(?: {2,}|\t)\S")
"""Cells side by side, as in forms and tables without lines."""
_PAIRS = ("[]", "()", "（）", "【】")


_LONGEST_WORD = 200
_IN_WORD = re.compile(
    rf"(?<=[^\W{CJK}])(?=[^\W{CJK}])|(?<=\d)(?=[.,:/-]\d)|(?<=\d[.,:/-])(?=\d)|(?<=\d)(?=[%‰°])|(?<=[$€£¥])(?=\d)"
)
_IN_GROUPS = re.compile(rf"{_IN_WORD.pattern}|(?<=\d)(?= \d)|(?<=\d )(?=\d)")
"""Where a number with spaces between its groups of digits would be parted, too."""
_IN_NUMBER = re.compile(r"(?<=\d)(?=[.,]?\d)|(?<=\d[.,])(?=\d)")
"""Where a number would be parted that stands in a word longer than a page of it."""
_RAISED = re.compile("(?<=\\d)(?=[\u00b2\u00b3\u00b9\u2070\u2074-\u2079])")
"""Between a number and its exponent or footnote mark."""


SPACE = r" (?!\d)|(?<!\d) "
"""A space that parts words: not one between the groups of digits of a number."""


def between_words(text: str, at: int) -> int:
    """Return the place at or shortly before `at` where a cut parts neither a word nor a number; `at` if there is none.

    >>> between_words("pay 48,213.95", 8), between_words("x" * 300 + "48213", 303)
    (4, 300)
    """
    for inside in (_IN_GROUPS, _IN_WORD, _IN_NUMBER):
        for place in range(at, max(0, at - _LONGEST_WORD), -1):
            if not inside.match(text, place):
                return place
    return at


def has_han(text: str) -> bool:
    """Tell whether `text` holds a Chinese character."""
    return _HAN.search(text) is not None


def columns(text: str) -> int:
    """Return how wide `text` is where a Chinese character or a full-width sign takes two columns."""
    return len(text) + sum(character > "\u2e7f" for character in text)


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the sentences of `text` in order; only white space lies between them."""
    at = 0
    while (end := sentence_end(text, at)) is not None:
        start = end - len(text[at:end].lstrip())
        yield start, start + len(text[start:end].rstrip())
        at = end


def sentences(text: str) -> list[str]:
    """Return the sentences of `text`: of prose, lists, tables, forms and lines of fixed width, in both languages.

    >>> sentences('It costs 3.5 million. "Really?" he asked Dr. Smith. 第一句。“第二句！”')
    ['It costs 3.5 million.', '"Really?" he asked Dr. Smith.', '第一句。', '“第二句！”']
    """
    return [text[start:end] for start, end in sentence_spans(text)]


def sentence_end(text: str, start: int = 0, *, final: bool = True) -> int | None:
    """Return where the sentence that begins at `start` ends.

    Args:
        final: Whether `text` is complete. If it is not, a place that later text may make the middle of a sentence is
            no end.

    Returns:
        The end of the sentence with its closing marks, at most `len(text)`; `None` when nothing is left, or while the
        end is not certain.
    """
    first = _INK.search(text, start)
    if first is None:
        return None
    start = first.start()
    for match in _STOP.finditer(text, start):
        if not final and not match["full"] and _UNDECIDED.match(text, match.end()):
            return None
        row = match["line"] and _ALONE.match(text, start) is not None
        if row or (not _enclosed(text, start, match.start()) and _ends(text, start, match)):
            return match.end()
    return len(text) if final else None


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the sentence from `start` on ends at a full stop or line break."""
    if match["line"]:
        return _line_ends(text, match.start(), match.end())
    if match["full"]:
        return True
    end, mark = match.end(), match["stop"]
    if _CONTINUES.match(text, end) or mark[:2] in ("…", "……", "..") and has_han(text[end : end + 1]):
        return False
    return mark != "." or not _is_point(text, start, match.start(), end)


def _is_point(text: str, start: int, at: int, end: int) -> bool:
    """Whether the full stop at `at` belongs to an abbreviation, a number, or the number of a list item."""
    before = text[max(start, at - 12) : at]
    after_digit, before_digit = before[-1:].isdigit(), text[end : end + 12].lstrip()[:1].isdigit()
    if _ABBREVIATION.search(before) or before_digit and _BEFORE_NUMBERS.search(before):
        return True
    if after_digit and (has_han(text[end : end + 1]) or before_digit and text[end : end + 1] != "\n"):
        return True
    return at - start <= len(before) and _ITEM_NUMBER.fullmatch(before.strip()) is not None


def _line_ends(text: str, end: int, after: int) -> bool:
    """Whether the line that ends at `end` ends a sentence, and was not only broken because it was full."""
    if _BLOCK.match(text, after):
        return True
    start = text.rfind("\n", max(0, end - LONGEST_LINE), end) + 1 or max(0, end - LONGEST_LINE)
    if _ALONE.match(text, start):
        return True
    line = text[start:end]
    if _ROW.search(line):
        return True
    if line.endswith(("，", ",", "、", "-")) or _CONTINUES.match(text, after):
        return False
    following = re.compile(rf"[{HAN}]|\S+").match(text, after)
    needed = columns(line) + columns(following[0] if following else "") + 1
    above = text[max(0, start - LONGEST_LINE) : max(start - 1, 0)].rpartition("\n")[2].strip()
    return needed <= max(NARROWEST, columns(above) * 7 // 8)


def _enclosed(text: str, start: int, end: int) -> bool:
    """Whether `end` is inside brackets, code or a formula that opened not long ago in this sentence."""
    recent = text[max(start, end - MOST_ENCLOSED) : end]
    recent = recent[recent.rfind("\n\n") + 1 :]
    if any(recent.count(pair[0]) > recent.count(pair[1]) and recent.rfind(pair[0]) >= 0 for pair in _PAIRS):
        return True
    return recent.count("`") % 2 == 1 or recent.count("$$") % 2 == 1


_PASTS = dict(pair.split("/") for pair in (
    "grew/grow rose/rise fell/fall sold/sell bought/buy paid/pay spent/spend won/win lost/lose began/begin left/leav "
    "made/make wrote/write built/build held/hold met/meet kept/keep took/take gave/give came/come went/go sent/send"
).split())  # fmt: skip


def terms(text: str) -> list[str]:
    """Return the index terms of `text`: stemmed words, and of Chinese every character and pair of characters.

    >>> terms("The cats of 北京市")
    ['cat', '北', '京', '市', '北京', '京市']
    """
    found: list[str] = []
    for token in _TOKEN.findall(unicodedata.normalize("NFKC", _RAISED.sub(" ", text)).lower()):
        if token[0] >= "\u3005" and _HAN.match(token):
            found.extend(token)
            found.extend(token[i : i + 2] for i in range(len(token) - 1))
        elif token not in STOPWORDS:
            found.append(stem(token))
    return found


def base_terms(text: str) -> list[str]:
    """Return the terms of `text`, irregular pasts as their infinitives; not for an index, which holds `terms`.

    >>> base_terms("Revenue grew")
    ['revenu', 'grow']
    """
    return [_PASTS.get(term, term) for term in terms(text)]


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Return the stem of an English word in small letters, by Snowball's English stemmer."""
    with _STEMMING:
        return str(_STEMMER.stemWord(word.replace("’", "'")))
