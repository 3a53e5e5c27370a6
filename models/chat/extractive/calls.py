"""Which tool the words of a question ask for, and what for."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from models.chat.extractive.arguments import find_expression, find_place, find_urls
from models.chat.extractive.coverage import chinese_runs
from models.chat.extractive.questions import topic_of
from models.chat.extractive.routing import has_cue
from models.chat.extractive.text import question_terms
from models.chat.extractive.turn import Turn

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
_SUMMARISE = re.compile(r"\bsummar|\boverview\b|\btl;?dr|\bsum (?:it )?up\b|总结|概括|概述|归纳|摘要", re.IGNORECASE)
_GENERAL = frozenset(question_terms(
    "summarise summarize summary overview document documents file files report article page pages text picture "
    "pictures image images photo "
    "main points content contents gist tldr attached uploaded brief short briefly describe sum lines web website "
    "link key findings paper book look see view read check open take send sent here attachment label sign letter "
    "contract notes handbook manual email mail resume cv slides spreadsheet table essay book minutes "
    "compare two both all three five sentences sentence paragraph bullet words points "
))  # fmt: skip
_FILE_ZH = re.compile(
    "文档|文件|文章|报告|内容|图片|照片|附件|合同|通知|资料|材料|手册|说明书|论文|表格|简历|邮件|这封信|幻灯片|全文"
)
_GENERAL_ZH = re.compile(
    "总结|概括|概述|摘要|大意|归纳|文档|文件|文章|报告|内容|主要|要点|重点|核心|大概|讲述|讲|说|写|图片|照片|图像"
    "|描述|图|附件|上传|发送|发"
    "|网页|链接|份|篇|张|介绍|简要|简单|阅读|查看|看|读|打开|合同|通知|资料|材料|手册|说明书|论文|书|表格|简历|邮件"
    "|封|信|幻灯片|本|帮|想|全文|本文|全部|整|一遍|上面|里面|里|中|上|面|字"
)


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
    if expression and (label == "calculate" or _only(turn.question) or _mostly(expression, turn.question)):
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
    return len(_special_terms(question)) <= but


def asks_overview(question: str) -> bool:
    """Tell whether a question is about a file as a whole: its summary answers it, not a few passages."""
    if _special_terms(topic_of(question)):
        return False
    if _SUMMARISE.search(question):
        return is_general(question, but=1)
    named = has_cue("summary", question) or _FILE_ZH.search(question) or _GENERAL & set(question_terms(question))
    return bool(named) and is_general(question)


def _special_terms(question: str) -> list[str]:
    """Return what a question names beside the file itself: English terms, and runs of Chinese."""
    plain = without_urls(question)
    english = [term for term in question_terms(plain) if term.isascii() and term not in _GENERAL]
    chinese = [run for run in chinese_runs(_GENERAL_ZH.sub("\n", plain)) if len(run) > 1]
    return [*english, *chinese]


def without_urls(text: str) -> str:
    """Return `text` with its URLs left out."""
    for url in find_urls(text):
        text = text.replace(url, " ")
    return text


def _only(question: str) -> bool:
    """Tell whether a question names nothing beside numbers ("what is 5*6")."""
    return not any(term.isalpha() for term in question_terms(question))


def _mostly(expression: str, question: str) -> bool:
    return len(expression) >= 0.5 * len(re.sub(r"\s|[=?？]", "", question))
