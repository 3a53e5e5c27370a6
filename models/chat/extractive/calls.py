"""Calls of offered tools: what a message holds for their arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.arithmetic import find_expression
from models.chat.interface import TurnInput

DELEGATE = "delegate"
Schema = Mapping[str, Any]
"""A tool as it is offered: OpenAI's function schema."""

_URL = re.compile(r"https?://[^\s<>\"'，。；！？、）】》」』]+", re.IGNORECASE)
_PLACE = re.compile(
    r"(?i)\b(?:in|at|for)\s+(?!the\b|an?\b|my\b|this\b|\d)([a-z][a-z .'/_-]*?"
    r"(?:,(?!\s*(?:please|right|now|today)\b)[a-z .'/_-]+?)?)"
    r"\s*(?:\b(?:right now|now|today|please)\b|[?,.!]|$)|([\u4e00-\u9fff]{2,12}?)(?:几|星期|周|$)"
)
_NO_PLACE = re.compile("[是的]|请问|告诉我?|现在|当前|今天|明天|目前|当地|时间|日期|什么|知道")
SIGNS: Final = {name: re.compile(words, re.IGNORECASE) for name, words in {
    "current_time": r"^\W*(?:(?:please|can you|could you|tell me|(?:what|which)(?:.?s| is)?|the|current|local|today.s)"
    r"\W+)*(?:time|date|(?<=. )day(?: of the week)?|year|month)(?: it is| is it| is| now| right now| today| please)*"
    r"(?:,? (?:in|at) (?!the\b|an?\b|my\b|this\b)[a-z .'/_-]+(?:,[a-z .'/_-]+)?)?\W*(?:please\W*)?$|^[^的]{0,12}?(?:"
    r"(?:现在|当前|目前|今天)(?:的|[^的]{0,8}?)(?:几[点号月]|星期几|周几|时间|日期)|^\W*几[点号])[几月号日点钟是什么多少了啦吗呢\W]*$",
    "list_documents": r"\b(?:files|documents|uploads|pages)\b|哪些|列出|几[个份页]|多少",
    "web_search": r"\b(?:web|internet|online|google)\b|网上|上网|网络|联网|搜索|搜一下",
}.items()}  # fmt: skip
"""What a message says that asks for a tool which takes any question or no argument; of the time, all that it says."""


@dataclass(frozen=True, slots=True)
class Call:
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
    found = _PLACE.search(text)
    return _NO_PLACE.sub("", found[1] or found[2]).strip() if found else ""


FILLERS: Final[dict[str, Callable[[str], str]]] = {
    "url": find_url, "expression": find_expression, "place": find_place, "query": str.strip,
}  # fmt: skip
"""What of a message goes into an argument, by the name of the argument."""


def call_of(name: str, tools: Mapping[str, Schema], question: str) -> Call | None:
    """Return the call of an offered tool, or None where the question does not hold what the tool requires."""
    parameters = tools[name].get("parameters", {}) if name in tools else {"required": [""]}
    held = {key: FILLERS[key](question) for key in parameters.get("properties", {}) if key in FILLERS}
    if not all(held.get(key) for key in parameters.get("required", ())):
        return None
    return Call(name, {key: value for key, value in held.items() if value})


def hand_over(agent: str, turn: TurnInput) -> Call:
    """Return the call that leaves the whole question, and its answer, to a specialist."""
    return Call(DELEGATE, {"agent": agent, "task": turn.question, "direct": True})
