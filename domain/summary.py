"""Summaries without a language model: central sentences of texts, informative lines of a conversation."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from domain.text import HAN, has_han, sentences, terms
from domain.tokens import count_tokens

MOST_CONSIDERED: Final = 3000
"""Sentences looked at; of longer texts, every n-th."""
LEAD: Final = 0.35
"""Bonus of the sentences that open the whole."""
REPEATED: Final = 0.6
"""A sentence is left out when it shares this part of all their terms with one already chosen."""

_HAN_BREAK = re.compile(rf"(?<=[{HAN}，。；：、！？）】」』])\s*\n\s*(?=[{HAN}（【「『])")
_MARKUP = re.compile(r"^[ \t]*(?:(?:#{1,6}[ \t]|[|>]|```).*$|[-*+•][ \t]+)", re.MULTILINE)
_SPEAKER = re.compile(r"^(?:(User|用户)|(Assistant|助手))\s*[:：]\s*")
_TELLS = (re.compile(r"\d"), re.compile(r"\b(?:my|i|we|our)\b|我", re.IGNORECASE), re.compile(r"[?？]$"))
LEAST_TERMS = 2
"""A line with fewer terms ("ok", "thanks") tells nothing."""


def one_line(text: str) -> str:
    """Return `text` with its line breaks closed: nothing between Chinese characters, one space elsewhere."""
    return " ".join(_HAN_BREAK.sub("", text).split())


def central_sentences(texts: Sequence[str], max_tokens: int, *, most: int | None = 12) -> list[tuple[int, str]]:
    """Return the most central sentences of `texts` taken together, in order, each with the place of its text.

    Centrality is the cosine between a sentence's and the whole's term vector (centroid method of Radev et al. 2004).

    Args:
        texts: Passages or pages; headings and tables in them are left out.
        max_tokens: Most tokens of all sentences together.
        most: Most sentences; None: as many as fit, those that are no prose or repeat others too.
    """
    found = [
        (place, one_line(sentence))
        for place, text in enumerate(texts)
        for sentence in sentences(_MARKUP.sub("", text))
        if most is None or _is_prose(sentence)
    ]
    found = found[:: max(1, -(-len(found) // MOST_CONSIDERED))]
    bags = [Counter(terms(sentence)) for _, sentence in found]
    left, chosen = max_tokens, list[int]()
    scores = _centrality(bags)
    for index in sorted(range(len(found)), key=lambda index: -scores[index]):
        own, cost = bags[index].keys(), count_tokens(found[index][1])
        if (
            cost > left
            or most is not None
            and any(len(own & bags[one].keys()) >= REPEATED * len(own | bags[one].keys()) for one in chosen)
        ):
            continue
        chosen.append(index)
        left -= cost
        if len(chosen) == most:
            break
    return [found[index] for index in sorted(chosen)]


def summarize_text(text: str, max_tokens: int, *, most: int | None = 12) -> str:
    """Return the most central sentences of `text`, else its beginning, of at most about `max_tokens` tokens.

    Args:
        text: Prose of any length.
        max_tokens: Most tokens of the summary.
        most: Most sentences; None: as many as fit, one a line, and a text that fits stays as it is.
    """
    if most is None and count_tokens(text) <= max_tokens:
        return text
    chosen = [sentence for _, sentence in central_sentences([text], max_tokens, most=most)]
    if chosen:
        return ("\n" if most is None else "" if has_han("".join(chosen)) else " ").join(chosen)
    text = text.strip()
    tokens = count_tokens(text)
    if tokens <= max_tokens:
        return text
    cut = text[: max(1, len(text) * max_tokens // tokens)]
    return cut if has_han(cut) else cut.rsplit(" ", 1)[0]


def summarize_conversation(text: str, max_tokens: int) -> str:
    """Return the most informative lines of a conversation, in order: what users said about themselves comes first.

    Args:
        text: An earlier summary, if any, and lines that begin with `User:` or `Assistant:`.
        max_tokens: Most tokens of the lines together.
    """
    lines = []
    for line in filter(None, map(str.strip, text.splitlines())):
        speaker = _SPEAKER.match(line)
        lines.append(sentences(line)[0] if speaker and speaker[2] else line)
    scores = [_weight(line) + 0.3 * index / len(lines) for index, line in enumerate(lines)]
    kept: set[int] = set()
    for index in sorted(range(len(lines)), key=lambda index: -scores[index]):
        cost = count_tokens(lines[index]) + 1
        if cost <= max_tokens and len(set(terms(_SPEAKER.sub("", lines[index])))) >= LEAST_TERMS:
            kept.add(index)
            max_tokens -= cost
    return "\n".join(lines[index] for index in sorted(kept)) or summarize_text(text, max_tokens)


def said_by_user(summary: str) -> list[str]:
    """Return what the user said, of a summary that `summarize_conversation` made."""
    found = ((_SPEAKER.match(line), line) for line in summary.splitlines())
    return [line[speaker.end() :] for speaker, line in found if speaker and speaker[1]]


def _is_prose(sentence: str) -> bool:
    letters = sum(character.isalpha() for character in sentence)
    least, most = (10, 220) if has_han(sentence) else (20, 450)
    return least <= len(sentence) <= most and letters >= 0.6 * len(sentence.replace(" ", ""))


def _centrality(bags: Sequence[Counter[str]]) -> list[float]:
    document = Counter(term for bag in bags for term in bag)
    total = Counter(term for bag in bags for term in bag.elements())
    rarity = {term: math.log1p(len(bags) / count) for term, count in document.items()}
    centroid = {term: count * rarity[term] for term, count in total.items() if count > 1} or dict.fromkeys(total, 1.0)
    size = math.sqrt(sum(weight * weight for weight in centroid.values())) or 1.0
    scores = []
    for index, bag in enumerate(bags):
        length = math.sqrt(sum((count * rarity[term]) ** 2 for term, count in bag.items())) or 1.0
        shared = sum(count * rarity[term] * centroid.get(term, 0.0) for term, count in bag.items())
        scores.append(shared / length / size + LEAD / (1 + index))
    return scores


def _weight(line: str) -> float:
    speaker = _SPEAKER.match(line)
    body = _SPEAKER.sub("", line)
    by_user = speaker is None or speaker[1] is not None
    return by_user + sum(bool(sign.search(body)) for sign in _TELLS) - 0.002 * len(body)
