"""Tool: search the web."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from domain.types import Source
from domain.words import Words
from tools.interface import SearchFailed, ToolContext, ToolResources, ToolResult, plain_line

_SNIPPET_CHARS = 1500
_FOUND = {
    "en": "Web results for {query!r} ({service}):",
    "zh": "{query!r} 的网络搜索结果（{service}）：",
}
_NOTHING = {"en": "The web search for {query!r} found nothing.", "zh": "网络搜索 {query!r} 没有结果。"}


class WebSearch(BaseModel):
    """Arguments of `web_search`."""

    query: str = Field(
        min_length=1, max_length=400, description="What to search for, in the language that fits the topic best."
    )
    max_results: int = Field(5, ge=1, le=10, description="How many results.")
    recency: Literal["any", "day", "week", "month", "year"] = Field("any", description="How new the results must be.")


async def web_search(arguments: WebSearch, context: ToolContext, resources: ToolResources) -> ToolResult:
    """Search the public web and return titles, addresses and excerpts.

    Use it for news, current facts and anything that the conversation and the documents do not hold
    (最新消息、新闻、网上查一下).
    """
    if resources.search is None:
        raise SearchFailed(service="web_search", reason=Words("it is not set up here", "此处未启用"))
    hits = await resources.search.search(
        arguments.query,
        count=arguments.max_results,
        recency=None if arguments.recency == "any" else arguments.recency,
        language=context.language,
    )
    sources = [
        Source(number=0, origin="web", url=hit.url, name=plain_line(hit.title), start=0, end=len(snippet), text=snippet)
        for hit in hits[: arguments.max_results]
        if (snippet := hit.snippet[:_SNIPPET_CHARS])
    ]
    texts = _FOUND if sources else _NOTHING
    return ToolResult(texts[context.language].format(query=arguments.query, service=resources.search.name), sources)
