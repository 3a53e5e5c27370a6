"""Whether quoted words stand in a text, and which of its sentences carries a claim.

A quote has to stand in the text letter for letter and digit for digit. What typesetting, extraction and keyboards
change is folded: white space, line breaks and the numbers of list items, case, width, ligatures, composed accents,
quotation marks, dashes between words, marks of Markdown. Offsets are mapped back to the untouched text.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from dataclasses import dataclass
from functools import lru_cache

from domain.text import HAN, sentence_spans
from domain.types import Citation, Source

SUPPORT = 0.5
"""A sentence cited without a quote is supported when this share of its words or character pairs is in one sentence."""
MIN_QUOTE = 4
"""Quotes of fewer characters (after folding) prove nothing by themselves and are treated as absent."""
LONG_QUOTE = 18
"""From this length on (Chinese characters count twice) a quote may begin or end within a number or a word: it shows
enough to be identified, and its cut is mere carelessness."""

_SILENT = frozenset("\"“”„‟«»‹›'‘’‚‛′″`´「」『』〝〞〟*\\|_#·•‧・●▪\ufe0e\ufe0f")
"""Quotation marks, bullets, and marks of Markdown."""
_DASHES = frozenset("-‐‑‒–—―−﹣－")
_SAME = {"。": ".", "｡": ".", "、": ",", "\u2044": "/", "ı": "i"}
_WORD = re.compile(r"[a-z0-9]+|" + f"[{HAN}]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_APOSTROPHES = "'’‘‛′`´"
_NOT = re.compile(rf"\b(?:no|not|nor|cannot)\b|n[{_APOSTROPHES}]t\b")
_NOT_ANYWHERE = re.compile(rf"\b(?:no|not|nor|never|none|without|cannot)\b|n[{_APOSTROPHES}]t\b|[不没無无未非]")
_ITEM = re.compile(r"^[ \t>]*(?:(?:[-*+•·▪]|\d{1,2}[.)])[ \t]+|[(（]?\d{1,2}[、）)][ \t]*)", re.M)
_BROKEN_WORD = re.compile(r"[-‐\u00ad]\s+(?=[a-z])")
_NEGATING_START = frozenset({"n", "no", "non", "un", "in", "im", "il", "ir", "dis", "mis", "anti"})
_NEGATING_END = re.compile(rf"(?:n?[{_APOSTROPHES}]t|not|less)\b", re.I)
_CUT_NUMBER = re.compile(
    r"\d(?:\|\.?|\.\|)\d|\d(?:\|,|,\|)\d{3}(?!\d)|[十百千万亿]\|[一二三四五六七八九]|[一二三四五六七八九十百千]\|[十百千万亿]"
)


@dataclass(frozen=True, slots=True)
class Folded:
    """Text made comparable, with the original offset of each character."""

    text: str
    offsets: array[int]


class _Letters(dict[str, str]):
    """What each character is compared as; filled as characters are met."""

    def __missing__(self, character: str) -> str:
        whole = unicodedata.normalize("NFKD", _SAME.get(character, character)).casefold()
        kept = "".join(_plain(c) for c in whole) if character not in _SILENT else ""
        self[character] = kept
        return kept


def _plain(character: str) -> str:
    if character in _DASHES:
        return "-"
    silent = character in _SILENT or character.isspace() or unicodedata.category(character) in ("Cf", "Cc")
    return "" if silent else character


_LETTERS = _Letters()


@lru_cache(maxsize=64)
def fold(text: str) -> Folded:
    """Fold `text` for comparison. A dash counts only before a digit; a row of dots is one."""
    characters: list[str] = []
    offsets = array("I")
    for index, character in enumerate(text):
        for folded in _LETTERS[character]:
            last = characters[-1] if characters else ""
            if folded in "-." and folded == last:
                continue
            if last == "-" and not folded.isdigit():
                characters.pop()
                offsets.pop()
            characters.append(folded)
            offsets.append(index)
    return Folded("".join(characters), offsets)


def is_short(quote: str) -> bool:
    """Tell whether a quote is too short to prove anything by itself."""
    return len(_needle(quote)) < MIN_QUOTE


def _needle(quote: str) -> str:
    return fold(quote).text.strip(".,;:-")


def find_quote(quote: str, text: str) -> tuple[int, int] | None:
    """Return the span of `quote` in `text`, or `None` when it is not there word for word.

    A short match that cuts a number or takes the negation off a word ("unhappy", "cannot") is none, nor is one that
    makes or loses a "not" by its white space ("notable").
    """
    return None if is_short(quote) else _find(quote, text) or _find(_without_items(quote), _without_items(text))


def find_short(quote: str, text: str) -> bool:
    """Tell whether a quote of any length stands in `text`, as `find_quote` means it."""
    return _find(quote, text) is not None


def _without_items(text: str) -> str:
    """`text` with the marks and numbers of its list items blank, as long as before."""
    return _ITEM.sub(lambda item: " " * len(item[0]), text)


def _find(quote: str, text: str) -> tuple[int, int] | None:
    needle, haystack = _needle(quote), fold(text)
    may_cut = len(needle) + sum(character > "\u2e7f" for character in needle) >= LONG_QUOTE
    at = haystack.text.find(needle) if needle else -1
    while at >= 0:
        start, end = haystack.offsets[at], haystack.offsets[at + len(needle) - 1] + 1
        if (may_cut or not _cuts(text, start, end)) and _negations(quote) == _negations(text[start:end]):
            return start, end
        at = haystack.text.find(needle, at + 1)
    return None


def _cuts(text: str, start: int, end: int) -> bool:
    """Whether the span leaves out part of a number, or the part of a word that negates it."""
    if _within_number(text, start) or _within_number(text, end):
        return True
    before, after = text[max(0, start - 12) : start], text[end : end + 6]
    prefix = re.search(r"[a-z]+-?$", before, re.I) if _is_latin(text[start]) else None
    if prefix and prefix[0].rstrip("-").lower() in _NEGATING_START:
        return True
    return _is_latin(text[end - 1]) and _NEGATING_END.match(after) is not None


def _within_number(text: str, at: int) -> bool:
    """Whether a number goes on over the border at `at`: `1|903`, `3|.5`, `3.|5`, `1|,240`, `二十|五`."""
    return _CUT_NUMBER.search(f"{text[max(0, at - 2) : at]}|{text[at : at + 5]}") is not None


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _negations(text: str) -> int:
    return len(_NOT.findall(_BROKEN_WORD.sub("", fold_spaces(text).replace("_", " "))))


def last_claim(text: str) -> str:
    """Return the last sentence of `text` that says something: what a citation behind it is meant to support."""
    claims = [text[start:end] for start, end in sentence_spans(text)]
    return next((claim for claim in reversed(claims) if _grams(claim)), "")


def best_span(claim: str, text: str) -> tuple[int, int, float]:
    """Return the sentence of `text` that shares most with `claim`: start, end, and the share found, 0..1."""
    wanted = _grams(claim)
    if not wanted:
        return 0, 0, 0.0
    best = (0, 0, 0.0)
    for start, end in sentence_spans(text):
        share = len(wanted & _grams(text[start:end])) / len(wanted)
        if share > best[2]:
            best = (start, end, share)
    return best


def agrees(claim: str, sentence: str, text: str) -> bool:
    """Tell whether nothing contradicts `claim`: `text` holds its numbers, and it negates as `sentence` does."""
    numbers = {number.replace(",", "") for number in _NUMBER.findall(fold_spaces(text))}
    wanted = {number.replace(",", "") for number in _NUMBER.findall(fold_spaces(claim))}
    negations = [len(_NOT_ANYWHERE.findall(fold_spaces(part))) for part in (claim, sentence)]
    return wanted <= numbers and negations[0] % 2 == negations[1] % 2


def _grams(text: str) -> set[str]:
    """Words of Latin text and character pairs of Chinese text."""
    tokens = _WORD.findall(fold_spaces(text))
    grams = {token for token in tokens if len(token) > 2 or token.isdigit()}
    grams |= {a + b for a, b in zip(tokens, tokens[1:], strict=False) if len(a) == len(b) == 1}
    return grams


def fold_spaces(text: str) -> str:
    """NFKC and lower case, white space kept."""
    return unicodedata.normalize("NFKC", text).lower()


def citation(source: Source, start: int, end: int, quote: str, *, verified: bool) -> Citation:
    """Build the citation of a span; offsets count from the start of the page's text."""
    made = Citation(
        number=source["number"], name=source["name"], start=source["start"] + start, end=source["start"] + end,
        quote=quote, verified=verified,
    )  # fmt: skip
    for key in ("document_id", "url", "page", "label", "heading"):
        if source.get(key) is not None:
            made[key] = source[key]
    return made
