"""Which tool the words of a question ask for, and what for."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from models.chat.reader_arguments import find_expression, find_place, find_urls
from models.chat.reader_routing import has_cue
from models.chat.reader_text import question_terms
from models.chat.reader_turn import Turn

Tools = dict[str, Collection[str]]
"""Names of the tools offered, each with the names of its parameters."""
EXPLICIT: Final = ("calculate", "current_time", "list_documents", "web_search")

_SEARCH_WORDS = re.compile(
    r"^\W*(?:please |can you |could you )*(?:search (?:the )?(?:web|internet|online)?|google|look up|find)(?: "
    r"(?:for|about))?\s+"
    r"|^(?:请|麻烦|帮我|你)*(?:在?网上|上网|联网)?(?:搜索|搜一搜|搜一下|搜搜|搜|查一查|查一下|查查|查找"
    r"|查)(?:一下)?(?:关于)?",
    re.IGNORECASE,
)
_GENERAL = frozenset(question_terms(
    "summarise summarize summary overview document documents file files report article page pages text picture "
    "pictures image images photo "
    "main points content contents gist tldr attached uploaded brief short briefly describe sum lines web website "
    "link key findings paper book "
    "总结概括概述摘要大意归纳文档文件文章报告内容主要要点讲了说了图片照片描述图中图里附件上传网页链接这份这篇这张介绍简要"
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """A tool to be called instead of an answer."""

    tool: str
    arguments: dict[str, object]


def explicit_call(turn: Turn, label: str, tools: Tools) -> Call | None:
    """Return the call that the words of the question ask for, without looking at any source."""
    known = {source.get("url") for source in turn.sources}
    if "fetch_url" in tools and (urls := [url for url in find_urls(turn.question) if url not in known]):
        return Call("fetch_url", {"url": urls[0]})
    expression = find_expression(turn.question) if "calculate" in tools else None
    if expression and (label == "calculate" or _mostly(expression, turn.question)):
        return Call("calculate", {"expression": expression})
    if label not in EXPLICIT or label not in tools or not has_cue(label, turn.question):
        return None
    if label == "calculate" or (label == "web_search" and turn.attachments):
        return None
    if label == "current_time":
        parameter = next((name for name in ("place", "timezone") if name in tools[label]), None)
        place = find_place(turn.question)
        return Call(label, {parameter: place} if parameter and place else {})
    return Call(label, {"query": search_query(turn.question)} if "query" in tools[label] else {})


def search_query(question: str) -> str:
    """Return what to search for: the question without the words that ask for a search."""
    return _SEARCH_WORDS.sub("", question).strip(" ,，。？?！!") or question


def is_general(question: str, *, but: int = 0) -> bool:
    """Tell whether a question names nothing but the file itself ("what is this report about?"), `but` terms apart."""
    return len([term for term in question_terms(without_urls(question)) if term not in _GENERAL]) <= but


def without_urls(text: str) -> str:
    """Return `text` with its URLs left out."""
    for url in find_urls(text):
        text = text.replace(url, " ")
    return text


def _mostly(expression: str, question: str) -> bool:
    return len(expression) >= 0.5 * len(re.sub(r"\s|[=?？]", "", question))
