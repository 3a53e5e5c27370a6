"""Tool: search the web."""

from typing import Annotated, Literal

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from domain.types import Source
from domain.words import Words
from tools.interface import Found, ToolContext, ToolSpec, plain_line
from tools.search_providers import SearchFailed

SNIPPET_CHARS = 1500
FOUND = Words("Web results for {query!r} ({service}):", "{query!r} 的网络搜索结果（{service}）：")
NOTHING = Words("The web search for {query!r} found nothing.", "网络搜索 {query!r} 没有结果。")


@tool(response_format="content_and_artifact", parse_docstring=True)
async def web_search(
    query: Annotated[str, Field(min_length=1, max_length=400)],
    runtime: ToolRuntime[ToolContext],
    max_results: Annotated[int, Field(ge=1, le=10)] = 5,
    recency: Literal["any", "day", "week", "month", "year"] = "any",
) -> tuple[str, Found]:
    """Search the public web and return titles, addresses and excerpts.

    Use it for news, current facts and anything that the conversation and the documents do not hold
    (最新消息、新闻、网上查一下).

    Args:
        query: What to search for, in the language that fits the topic best.
        runtime: Who asks.
        max_results: How many results.
        recency: How new the results must be.
    """
    search, language = runtime.context.resources.search, runtime.context.language
    if search is None:
        raise SearchFailed(service="web_search", reason=Words("it is not set up here", "此处未启用"))
    hits = await search.search(
        query, count=max_results, recency=None if recency == "any" else recency, language=language
    )
    sources = [
        Source(number=0, origin="web", url=hit.url, name=plain_line(hit.title), start=0, end=len(snippet), text=snippet)
        for hit in hits[:max_results]
        if (snippet := hit.snippet[:SNIPPET_CHARS])
    ]
    text = (FOUND if sources else NOTHING).text(language).format(query=query, service=search.name)
    return Found(text, sources).answer()


SPEC = ToolSpec(
    tool=web_search,
    title=Words("Search the web", "搜索网络"),
    permission="egress",
    examples=(
        "Search the web for the latest news about electric cars",
        "Look up today's exchange rate online",
        "What is the weather in Oslo?",
        "上网搜索一下最新的新闻",
        "帮我在网上查一下今天的股价",
        "北京今天天气怎么样？",
    ),
    fits=lambda turn: turn.resources.search is not None,
    needs=Words(
        "Web search is off; set TAVILY_API_KEY or WEB_SEARCH.", "网页搜索未启用；请设置 TAVILY_API_KEY 或 WEB_SEARCH。"
    ),
    cache_seconds=300,
    repeatable=True,
)
