"""Finds the citations in an answer and checks each against the text that it names. Pure text work.

A citation is `[n]` or `[n "quoted words"]`, n being the number of a passage. Comparison is after NFKC with white space,
case and typographic quotes folded; offsets are mapped back to the untouched text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from graph.state import Citation, Source

MARKER = re.compile(
    r"[\[【](?P<number>\d{1,3})(?:\s*[:：,，]?\s*[\"“”「『'‘](?P<quote>.{1,2000}?)[\"“”」』'’])?\s*[\]】]", re.S
)
SENTENCE_END = re.compile(r"(?<=[.!?。！？；])[\"”」』)]*(?:\s+|(?=[^\s\d]))|\n+")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)

SUPPORT = 0.5
"""A sentence cited without a quote is supported when this share of its words or character pairs is in one sentence."""
MIN_QUOTE = 4
"""Quotes of fewer characters (after folding) prove nothing and are treated as absent."""

_FOLD = {
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "「": '"',
    "」": '"',
    "–": "-",
    "—": "-",
    "−": "-",
    "‐": "-",
    "…": "...",
}
_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Folded:
    """Text made comparable, with the original offset of each character."""

    text: str
    offsets: tuple[int, ...]


def fold(text: str) -> Folded:
    """Fold `text` for comparison: NFKC, lower case, plain quotes, no white space."""
    characters: list[str] = []
    offsets: list[int] = []
    for index, character in enumerate(text):
        for folded in unicodedata.normalize("NFKC", _FOLD.get(character, character)).lower():
            if not folded.isspace():
                characters.append(folded)
                offsets.append(index)
    return Folded("".join(characters), tuple(offsets))


def find_quote(quote: str, text: str) -> tuple[int, int] | None:
    """Return the span of `quote` in `text`, or `None` when it is not there word for word."""
    needle, haystack = fold(quote).text.strip(".,;:。，；："), fold(text)
    if len(needle) < MIN_QUOTE:
        return None
    at = haystack.text.find(needle)
    if at < 0:
        return None
    return haystack.offsets[at], haystack.offsets[at + len(needle) - 1] + 1


def markers(answer: str) -> Iterator[re.Match[str]]:
    """Yield the citation markers of an answer, those inside code left out."""
    code = [match.span() for match in CODE.finditer(answer)]
    for match in MARKER.finditer(answer):
        if not any(start <= match.start() < end for start, end in code):
            yield match


def sentence_before(answer: str, position: int) -> str:
    """Return the sentence that ends at `position`, markers removed: what the citation there is meant to support."""
    before = MARKER.sub("", answer[:position]).rstrip()
    pieces = [piece for piece in SENTENCE_END.split(before) if piece and piece.strip()]
    return pieces[-1].strip() if pieces else ""


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


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the sentences of `text`."""
    start = 0
    for match in SENTENCE_END.finditer(text):
        if text[start : match.start()].strip():
            yield start, match.start()
        start = match.end()
    if text[start:].strip():
        yield start, len(text)


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
            made[key] = source[key]  # type: ignore[literal-required]
    return made
