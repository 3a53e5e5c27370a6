"""Summaries of whole documents by map and reduce over every page, with a bounded number of model calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.summary import summarize_text
from domain.tokens import count_tokens
from domain.words import Language

WINDOW_TOKENS = 6000
"""Tokens of one map call."""
MAX_CALLS = 20
"""Most map calls of one document; windows of longer documents are condensed by their most central sentences first."""
PART_TOKENS = 200
SUMMARY_TOKENS = 400


class Summarizer(Protocol):
    """Condenses one text; the chat model of the process."""

    async def __call__(self, text: str, language: Language, max_tokens: int) -> str:
        """Return a summary of `text` in `language`.

        Raises:
            ModelUnavailable: The model failed.
        """


async def summarize(windows: Sequence[str], language: Language, summarizer: Summarizer) -> str:
    """Return the summary of a document from its windows (`cut_windows`): of each by itself, then of these together.

    Raises:
        ModelUnavailable: The model failed.
    """
    if len(windows) == 1:
        return await summarizer(windows[0], language, SUMMARY_TOKENS)
    parts = [await summarizer(window, language, PART_TOKENS) for window in windows]
    return await summarizer("\n\n".join(parts), language, SUMMARY_TOKENS)


def cut_windows(texts: Sequence[str]) -> list[str]:
    """Return at most `MAX_CALLS` windows of at most about `WINDOW_TOKENS` tokens that cover all pages in order."""
    sizes = [count_tokens(text) for text in texts]
    size = max(WINDOW_TOKENS, -(-sum(sizes) // (MAX_CALLS - 1)))
    windows: list[list[str]] = [[]]
    filled = 0
    for text, tokens in zip(texts, sizes, strict=True):
        for piece in _pieces(text, tokens, size):
            weight = min(tokens, size)
            if windows[-1] and filled + weight > size and len(windows) < MAX_CALLS:
                windows.append([])
                filled = 0
            windows[-1].append(piece)
            filled += weight
    return [summarize_text("\n\n".join(window), WINDOW_TOKENS, most=None) for window in windows]


def _pieces(text: str, tokens: int, size: int) -> list[str]:
    """Cut a page that is longer than a window."""
    if tokens <= size:
        return [text]
    step = max(1, len(text) * size // tokens)
    return [text[start : start + step] for start in range(0, len(text), step)]
