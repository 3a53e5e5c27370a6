"""Requests to compare documents on named points: what each says is put side by side, quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping

from models.chat.extractive import texts
from models.chat.extractive.calls import DELEGATE, Call, Schema, hand_over
from models.chat.interface import TurnInput

TOOL = "compare_documents"

_ASKS = re.compile(
    r"(?i)^\W*(?:(?:please|can you|could you)\W+)*compare\b|\b(?:side by side|clause by clause|point by point)\b"
    r"|对比|比对|逐条|比较(?:一下|下|以下|上述|这|那|它们|[两三四五六七八几各]|.{0,6}[份篇])"
)
_FILES = (
    r"(?:contracts?|leases?|agreements?|documents?|files?|reports?|offers?|quotes?|policies|papers|versions|"
    r"合同|租约|协议|文档|文件|报告|报价|方案|版本)"
)
_POINTS_EN = re.compile(
    rf"(?i)\bcompare\s+(?:the\s+)?(.+?)\s+(?:in|of|across|between|for)\s+(?:(?:the|these|those|all|both|my|our|\w+)\s+)*{_FILES}\b"
)
_POINTS_ZH = re.compile(rf"(?:比较|对比|比对).*?{_FILES}(?:中|里|里面)?的(.+?)[\s。？?！!]*$")
_BETWEEN = re.compile(r"(?i)\s*(?:,|;|\band\b|、|，|；|和|与|以及|及)\s*(?:the\s+)?")


def step(turn: TurnInput, tools: Mapping[str, Schema]) -> Call | str | None:
    """Return the call that compares, handed to the specialist for it where there is one; or what cannot be done.

    >>> [bool(_ASKS.search(text)) for text in ("Compare both leases", "比较这两份合同", "哪家比较便宜？")]
    [True, True, False]
    """
    if len(turn.documents) < 2 or turn.results or not _ASKS.search(turn.question):
        return None
    if TOOL not in tools:
        return hand_over("researcher", turn) if DELEGATE in tools else None
    points = points_of(turn.question)
    return Call(TOOL, {"points": points}) if points else texts.CANNOT_COMPARE.text(turn.language)


def points_of(question: str) -> list[str]:
    """Return the points that a request to compare names.

    >>> points_of("Compare the notice period and the monthly rent in the two leases")
    ['notice period', 'monthly rent']
    >>> points_of("请对比这两份合同的通知期、租金和押金"), points_of("逐条比较这六份合同")
    (['通知期', '租金', '押金'], [])
    """
    found = _POINTS_EN.search(question) or _POINTS_ZH.search(question)
    return [part for part in _BETWEEN.split(found[1].strip()) if part.strip()] if found else []
