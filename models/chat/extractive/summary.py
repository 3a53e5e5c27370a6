"""Summaries without a language model: the most central sentences of a document, the telling lines of a conversation."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from domain.tokens import count_tokens
from models.chat.extractive.text import is_chinese, split_sentences, terms

MAX_SENTENCES: Final = 12
MOST_CONSIDERED: Final = 3000
"""Sentences of a document looked at; of longer ones, every n-th."""
LEAD: Final = 0.35
REPEATED: Final = 0.6
"""A sentence is left out when it shares this part of all their terms with one already chosen."""

_SPEAKER = re.compile(r"^(User|Assistant|用户|助手)\s*[:：]\s*", re.MULTILINE)
_MATERIAL = re.compile(r"<material>.*?</material>", re.DOTALL)
_FACT = re.compile(
    r"\d|\b(?:my|our|i am|i'm|i live|i work|i like|i prefer|call me|name is|remember|decided?|agreed?|deadline"
    r"|budget|must|"
    r"always|never)\b|我叫|我是|我的|我住|我喜欢|我们|叫我|记住|决定|同意|截止|预算|必须|名字",
    re.IGNORECASE,
)
_CHATTER = re.compile(
    r"^\W*(?:hi|hello|hey|thanks?(?: you)?|ok(?:ay)?|great|bye|good (?:morning|evening|night)|你好|您好|谢谢|好的?"
    r"|再见|嗯+)\W*$",
    re.IGNORECASE,
)


def summarize_document(text: str, max_tokens: int) -> str:
    """Return the most central sentences of `text`, in its order and own words, at most `max_tokens` tokens."""
    chosen = [sentence for _, sentence in central_sentences([text], max_tokens)]
    return ("" if is_chinese("".join(chosen)) else " ").join(chosen) or _shorten(text.strip(), max_tokens)


def central_sentences(texts: Sequence[str], max_tokens: int) -> list[tuple[int, str]]:
    """Return the most central sentences of `texts` taken together, in order, each with the place of its text.

    Centrality is the cosine between a sentence's and the whole's term vector (centroid method of Radev et al. 2004),
    with a bonus for the sentences that open the whole.
    """
    sentences = [
        (place, sentence.text)
        for place, text in enumerate(texts)
        for sentence in split_sentences(_without_markup(text))
        if _is_prose(sentence.text)
    ]
    sentences = sentences[:: max(1, -(-len(sentences) // MOST_CONSIDERED))]
    plain = [text for _, text in sentences]
    return [sentences[index] for index in _pick(_centrality(plain), plain, max_tokens)] if plain else []


def summarize_conversation(text: str, max_tokens: int) -> str:
    """Return the lines of a conversation that hold names, numbers, decisions and questions, in order.

    `text` is an earlier summary, if any, followed by lines that begin with `User:` or `Assistant:`.
    """
    lines = [line for line in _turn_lines(_MATERIAL.sub("", text)) if not _CHATTER.match(_SPEAKER.sub("", line))]
    scores = [_salience(line) + 0.3 * (index + 1) / len(lines) for index, line in enumerate(lines)]
    kept: set[int] = set()
    left = max_tokens
    for index in sorted(range(len(lines)), key=lambda i: -scores[i]):
        cost = count_tokens(lines[index]) + 1
        if cost <= left:
            kept.add(index)
            left -= cost
    return "\n".join(lines[index] for index in sorted(kept)) or _shorten(text, max_tokens)


def _without_markup(text: str) -> str:
    text = re.sub(r"^[ \t]*(?:#{1,6}[ \t]|[|>]|```).*$", "", text, flags=re.MULTILINE)
    return re.sub(r"^[ \t]*[-*+•][ \t]+", "", text, flags=re.MULTILINE)


def _is_prose(sentence: str) -> bool:
    letters = sum(character.isalpha() for character in sentence)
    least, most = (10, 220) if is_chinese(sentence) else (20, 450)
    return least <= len(sentence) <= most and letters >= 0.6 * len(sentence.replace(" ", ""))


def _centrality(sentences: Sequence[str]) -> list[float]:
    bags = [Counter(terms(sentence)) for sentence in sentences]
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


def _pick(scores: Sequence[float], sentences: Sequence[str], max_tokens: int) -> list[int]:
    chosen: list[int] = []
    held: list[set[str]] = []
    left = max_tokens
    for index in sorted(range(len(sentences)), key=lambda i: -scores[i]):
        own = set(terms(sentences[index]))
        cost = count_tokens(sentences[index])
        if cost > left or any(len(own & other) >= REPEATED * len(own | other) for other in held):
            continue
        chosen.append(index)
        held.append(own)
        left -= cost
        if len(chosen) == MAX_SENTENCES:
            break
    return sorted(chosen)


def _turn_lines(text: str) -> list[str]:
    """Make one line of each message: whole for the user's, the first two sentences for the assistant's."""
    found = []
    for part in re.split(r"\n(?=(?:User|Assistant|用户|助手)\s*[:：])|\n\n", text.strip()):
        speaker = _SPEAKER.match(part)
        if speaker and speaker.group(1) in ("Assistant", "助手"):
            found.append(" ".join(sentence.text for sentence in split_sentences(part)[:2]))
        else:
            found += [line.strip() for line in part.splitlines() if line.strip()]
    return [line for line in found if _SPEAKER.sub("", line).strip()]


def _salience(line: str) -> float:
    speaker = _SPEAKER.match(line)
    said_by_user = speaker is None or speaker.group(1) in ("User", "用户")
    body = _SPEAKER.sub("", line)
    names: int = sum(word[0].isupper() for word in re.findall(r"\b[A-Za-z]\w+", body)[1:])
    score: float = 1.0 * said_by_user + 1.0 * bool(_FACT.search(body)) + 0.2 * min(names, 3)
    return score + 0.4 * float(body.rstrip().endswith(("?", "？"))) - 0.002 * len(body)


def _shorten(text: str, max_tokens: int) -> str:
    """Cut `text` at a word so that it has about `max_tokens` tokens."""
    if count_tokens(text) <= max_tokens:
        return text
    share = max_tokens / count_tokens(text)
    cut = text[: max(1, int(len(text) * share))]
    return cut.rsplit(" ", 1)[0] if not is_chinese(cut) else cut
