"""Whether a question asks for the opposite of what a sentence says."""

from __future__ import annotations

import re
from typing import Final

_DENIES = re.compile(r"\b(?:not|never|cannot|except)\b|n['’]t\b|没有|不(?!同|过|久|但|仅|断|少)", re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:no|not|never|cannot|without|none|neither|nor|nothing|unable|except|rarely|un(?!der|i|til)\w{4,}|non-?\w{3,})\b"
    "|n['’]t\\b|[不没未无非勿禁]",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)\b|第[一二三四五六七八九十\d]+")
_PREFIXES: Final = ("un", "in", "im", "ir", "dis", "non", "non-", "anti", "anti-", "ab", "mis")
_OPPOSITES: Final = [pair.split("/") for pair in (
    "before/after strong/weak higher/lower highest/lowest most/least increase/decrease male/female men/women "
    "former/current minimum/maximum north/south east/west northern/southern eastern/western older/newer oldest/newest "
    "larger/smaller largest/smallest earliest/latest best/worst win/lose won/lost buy/sell import/export above/below "
    "internal/external longest/shortest 最高/最低 最大/最小 最多/最少 最早/最晚 最长/最短 男性/女性 "
    "以上/以下 之前/之后 增加/减少 上升/下降 南部/北部 东部/西部 买方/卖方 进口/出口 收入/支出"
).split()]  # fmt: skip


def contradicts(question: str, sentence: str) -> bool:
    """Tell whether a question denies, counts or turns round something that the sentence says otherwise.

    >>> contradicts("Which pets are not allowed?", "Dogs are allowed."), contradicts("第二名是谁？", "第一名是周蕙。")
    (True, True)
    """
    if _DENIES.search(question) and not _DENIED.search(sentence):
        return True
    asked, said = set(re.findall(r"[a-z-]{4,}", question.lower())), set(re.findall(r"[a-z-]{4,}", sentence.lower()))
    turned = any(
        prefix + one in other - mine
        for mine, other in ((asked, said), (said, asked))
        for one in mine
        for prefix in _PREFIXES
    )
    for pair in _OPPOSITES:
        asks, says = ([re.search(rf"(?<![a-z]){word}(?![a-z])", text.lower()) is None for word in pair]
                      for text in (question, sentence))  # fmt: skip
        turned |= sum(asks) == sum(says) == 1 and asks != says
    first, second = set(_ORDINAL.findall(question.lower())), set(_ORDINAL.findall(sentence.lower()))
    return turned or bool(first and second and first.isdisjoint(second))
