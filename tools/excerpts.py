"""Parts of long texts that fit into a prompt."""

from __future__ import annotations

from domain.text import sentence_spans
from domain.tokens import count_tokens


def fit(text: str, budget: int) -> str:
    """Return the longest beginning of `text` within `budget` tokens that ends with a sentence."""
    part = text[: budget * 8]
    while (tokens := count_tokens(part)) > budget:
        part = part[: min(len(part) - 1, int(len(part) * budget / tokens))]
    if len(part) == len(text):
        return part
    ends = [end for _, end in sentence_spans(part)][:-1]
    return part[: ends[-1]] if ends and ends[-1] > len(part) // 2 else part
