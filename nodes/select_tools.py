"""Offer the tools that fit this turn, and no others."""

from __future__ import annotations

import re

from langgraph.runtime import Runtime

from turn.context import Context
from turn.state import State, Update

URL = re.compile(r"https?://[^\s<>\"'）)]+", re.I)
PAGE_WORDS = re.compile(
    r"\b(web ?page|web ?site|website|url|link|online|article at)\b|网页|网站|网址|链接|打开这个", re.I
)
NUMBERS = re.compile(
    r"\d\s*[-+*/×÷^%]\s*[\d(]|\d\s*%|\b(calculate|compute|sum|plus|minus|times|divided|square root|percent)\b"
    r"|how much is"
    r"|计算|等于|加上|减去|乘以|除以|平方|开方|百分之|多少钱|总共|合计",
    re.I,
)
CLOCK = re.compile(
    r"\b(time|date|today|tomorrow|yesterday|now|day is it|weekday|current|latest|this (week|month|year))\b"
    r"|今天|明天|昨天|现在|几点|几号|星期几|周几|日期|时间|最新|今年|本月",
    re.I,
)


async def select_tools(state: State, runtime: Runtime[Context]) -> Update:
    """Choose by what the turn holds: documents, URLs, arithmetic, the clock; web search where it is configured."""
    question, tools = state["question"], runtime.context.services.tools
    fits = {
        "search_documents": bool(state.get("documents")),
        "list_documents": bool(state.get("documents")),
        "fetch_url": bool(URL.search(question) or PAGE_WORDS.search(question)),
        "calculate": bool(NUMBERS.search(question)),
        "current_time": bool(CLOCK.search(question)),
    }
    allowed = tools.allowed(runtime.context.tools)
    return Update(offered_tools=[name for name in allowed if fits.get(name, True)])
