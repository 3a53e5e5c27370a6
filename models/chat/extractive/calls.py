"""Calls of offered tools: what a message holds for their arguments.

Documents are compared on the points that a message names; the specialist for it is asked where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from domain.arithmetic import find_expression
from domain.asking import content
from models.chat.extractive import texts
from models.chat.interface import TurnInput

COMPARE, DELEGATE = "compare_documents", "delegate"
Schema = Mapping[str, Any]
"""A tool as it is offered: OpenAI's function schema."""

_URL = re.compile(r"https?://[^\s<>\"'，。；！？、）】》」』]+", re.IGNORECASE)
_COMPARES = re.compile(
    r"(?i)^\W*(?:(?:please|can you|could you)\W+)*compare\b|\b(?:side by side|clause by clause|point by point)\b"
    r"|请?(?:对比|比对|逐条|比较(?:一下|下|以下|上述|(?=这|那|它们|[两三四五六七八几各]|.{0,6}[份篇])))"
)
_FILES = re.compile(
    r"(?i)(?:\b(?:in|of|across|between|for) )?(?:\b(?:the|these|those|all|both|my|our|two|three|four|five|six) ){0,6}"
    r"\b(?:contract|lease|agreement|document|file|report|offer|quote|paper|version|polic)(?:s|y|ies)?\b"
    r"|[这那些两几各上述一二三四五六七八九十]{0,4}[份篇个]?(?:合同|租约|协议|文档|文件|报告|报价|方案|版本)[中里]?面?的?"
)
_BETWEEN = re.compile(r"(?i)\s*(?:,|;|\band\b|、|，|；|和|与|以及|及)\s*(?:the\s+)?")
_PLACE = r"(?!the\b|an?\b|my\b|this\b)(?P<en>[a-z .'/_-]+?(?:,(?!\s*please\b)[a-z .'/_-]+?)?)"
_NOW = r"(?:\W*(?:it is|is it|is|now|right now|today|please)\b)*"
CLOCK: Final = re.compile(
    r"^\W*(?:(?:please|can you|could you|tell me|(?:what|which)(?:.?s| is)?|the|current|local|today.s)\W+)*"
    rf"(?:time|date|(?<=. )day(?: of the week)?|year|month)\b{_NOW}(?:,? (?:in|at) {_PLACE})?{_NOW}\W*$"
    r"|^(?:请问|请|告诉我)?(?P<zh>[^的]{0,12}?)(?:(?:现在|当前|目前|今天)(?:的|(?P<after>[^的]{0,8}?))是?(?:几[点号月]|星期几|周几|时间|日期)"
    r"|(?<!.)几[点号])[几月号日点钟是什么多少了啦吗呢\W]*$",
    re.IGNORECASE,
)
"""What a message says that asks for the time or date, of a place or here, and for nothing else."""


class Call(NamedTuple):
    """A tool to be called instead of an answer."""

    tool: str
    arguments: dict[str, Any]


def find_url(text: str) -> str:
    """Return the first http(s) URL of `text` without closing punctuation, empty when there is none."""
    found = _URL.search(text)
    return found.group().rstrip(".,;:!?)]}*_") if found else ""


def without_url(text: str) -> str:
    """Return `text` with its URLs left out."""
    return _URL.sub(" ", text).strip()


def find_place(text: str) -> str:
    """Return the place whose time or date is asked for, empty when none is named.

    >>> find_place("What time is it in New York?"), find_place("东京现在几点？"), find_place("今天星期几")
    ('New York', '东京', '')
    """
    found = CLOCK.search(text)
    return next((place.strip() for place in found.group("en", "zh", "after") if place), "") if found else ""


def points_of(question: str) -> list[str]:
    """Return the points on which a message asks to compare documents.

    >>> points_of("Compare the notice period and the monthly rent in the two leases")
    ['notice period', 'monthly rent']
    >>> points_of("请对比这两份合同的通知期、租金和押金"), points_of("逐条比较这六份合同"), points_of("哪家比较便宜？")
    (['通知期', '租金', '押金'], [], [])
    """
    rest, asked = _COMPARES.subn(" ", question)
    parts = _BETWEEN.split(f", {_FILES.sub(' ', rest).strip()}")
    return [part.strip(" 。？?！!.") for part in parts if content(part)] if asked else []


FILLERS: Final[dict[str, Callable[[str], str | list[str]]]] = {
    "url": find_url, "expression": find_expression, "place": find_place, "query": str.strip,
    "points": points_of,
}  # fmt: skip
"""What of a message goes into an argument, by the name of the argument."""


def call_of(name: str, tools: Mapping[str, Schema], question: str) -> Call | None:
    """Return the call of an offered tool, or None where the question does not hold what the tool requires."""
    parameters = tools[name].get("parameters", {}) if name in tools else {"required": [""]}
    held = {key: FILLERS[key](question) for key in parameters.get("properties", {}) if key in FILLERS}
    if not all(held.get(key) for key in parameters.get("required", ())):
        return None
    return Call(name, {key: value for key, value in held.items() if value})


def comparison(turn: TurnInput, tools: Mapping[str, Schema]) -> Call | str | None:
    """Return the call that compares documents, or what cannot be done; None where that is not asked for."""
    asked = _COMPARES.search(turn.question) and _FILES.search(turn.question)
    if not asked or len(turn.documents) < 2 or turn.results:
        return None
    if COMPARE in tools:
        return call_of(COMPARE, tools, turn.question) or texts.CANNOT_COMPARE.text(turn.language)
    handed_over = Call(DELEGATE, {"agent": "researcher", "task": turn.question, "direct": True})
    return handed_over if DELEGATE in tools else None
