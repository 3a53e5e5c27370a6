"""Web search services: Tavily with a key, else the keyless search library."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal, Protocol

import httpx
from tavily import AsyncTavilyClient
from tavily.errors import (
    BadRequestError,
    ForbiddenError,
    InvalidAPIKeyError,
    UsageLimitExceededError,
)
from tavily.errors import TimeoutError as TavilyTimedOut

from domain.errors import ToolFailure
from domain.words import Language, Words
from privacy.outbound import Privacy
from settings import Settings

Recency = Literal["day", "week", "month", "year"]

_TAVILY_FAILURES = {
    InvalidAPIKeyError: Words("the key is not valid", "密钥无效"),
    ForbiddenError: Words("access is denied or the plan's limit is used up", "访问被拒绝，或套餐额度已用完"),
    UsageLimitExceededError: Words("too many requests", "请求过于频繁"),
    BadRequestError: Words("the query was refused", "查询被拒绝"),
}
_TOO_SLOW = Words("it took too long", "超时")
_NO_ANSWER = Words("it does not answer properly", "没有正常响应")
_REGIONS: dict[Language, str] = {"en": "us-en", "zh": "cn-zh"}
_KEYLESS_SECONDS = 5


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One result of a web search."""

    title: str
    url: str
    snippet: str


class SearchProvider(Protocol):
    """A web search service."""

    name: str
    detail: Words
    """One plain sentence: what it is and how to change it."""

    async def search(self, query: str, *, count: int, recency: Recency | None, language: Language) -> list[SearchHit]:
        """Return at most `count` results, best first.

        Raises:
            SearchFailed: The service refused, failed, or was too slow.
        """

    async def aclose(self) -> None:
        """Close the connections."""


class SearchFailed(ToolFailure, code="search_failed"):
    """The search service gave nothing usable. Details: `service`, `reason`."""


class SearchSilent(SearchFailed, code="search_failed"):
    """It did not answer properly, or not in time."""

    transient = True


class TavilySearch:
    """Tavily's search API."""

    name = "tavily"

    def __init__(self, key: str, base_url: str | None, seconds: float, privacy: Privacy) -> None:
        """Prepare a client.

        Args:
            key: Tavily API key.
            base_url: Endpoint, when it is not the public one.
            seconds: Longest time of one search.
            privacy: What a query passes before it leaves.
        """
        self.detail = Words(
            "Tavily, because TAVILY_API_KEY is set; change it with WEB_SEARCH.",
            "Tavily，因为设置了 TAVILY_API_KEY；可通过 WEB_SEARCH 更改。",
        )
        self._seconds, self._privacy = seconds, privacy
        self._client = AsyncTavilyClient(api_key=key, api_base_url=base_url)

    async def search(self, query: str, *, count: int, recency: Recency | None, language: Language) -> list[SearchHit]:
        """Ask Tavily.

        Raises:
            SearchFailed: It refused, failed or was too slow.
        """
        query = await self._privacy.text(query)
        try:
            answer = await self._client.search(query, max_results=count, time_range=recency, timeout=self._seconds)
        except TavilyTimedOut as exc:
            raise SearchSilent(service="Tavily", reason=_TOO_SLOW) from exc
        except tuple(_TAVILY_FAILURES) as exc:
            raise SearchFailed(service="Tavily", reason=_TAVILY_FAILURES[type(exc)]) from exc
        except (httpx.HTTPError, ValueError) as exc:
            raise SearchSilent(service="Tavily", reason=_NO_ANSWER) from exc
        rows = answer.get("results") if isinstance(answer, dict) else None
        return _hits(rows, "url", "content")

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.close()


class KeylessSearch:
    """The `ddgs` library: public search pages, no key, no promise."""

    name = "keyless"

    def __init__(self, privacy: Privacy) -> None:
        """Nothing is opened before the first search."""
        self._privacy = privacy
        self.detail = Words(
            "keyless search library (best effort); set TAVILY_API_KEY for a dependable service.",
            "免密钥的搜索库（不保证可用）；设置 TAVILY_API_KEY 可使用稳定的搜索服务。",
        )

    async def search(self, query: str, *, count: int, recency: Recency | None, language: Language) -> list[SearchHit]:
        """Ask the public search pages, in a thread.

        Raises:
            SearchFailed: None of them answered.
        """
        query = await self._privacy.text(query)
        rows = await asyncio.to_thread(_search_pages, query, count, recency, _REGIONS[language])
        return _hits(rows, "href", "body")

    async def aclose(self) -> None:
        """Nothing is kept open."""


def open_search(settings: Settings) -> SearchProvider | None:
    """Return the search service that the settings name, or None when there is none."""
    privacy = Privacy(settings)
    key = settings.tavily_api_key.get_secret_value() if settings.tavily_api_key else ""
    if settings.web_search in ("auto", "tavily") and key:
        return TavilySearch(key, settings.tavily_base_url, settings.tool_timeout, privacy)
    return KeylessSearch(privacy) if settings.web_search in ("auto", "keyless") else None


def _search_pages(query: str, count: int, recency: Recency | None, region: str) -> list[dict[str, str]]:
    from ddgs import DDGS
    from ddgs.exceptions import DDGSException, TimeoutException

    try:
        return DDGS(timeout=_KEYLESS_SECONDS).text(
            query, region=region, max_results=count, timelimit=recency[0] if recency else None
        )
    except TimeoutException as exc:
        raise SearchSilent(service="keyless search", reason=_TOO_SLOW) from exc
    except DDGSException as exc:
        raise SearchSilent(
            service="keyless search", reason=Words("no search page answers", "没有可用的搜索网站")
        ) from exc


def _hits(rows: object, url: str, snippet: str) -> list[SearchHit]:
    """Return the rows that have an address and a text."""
    return [
        SearchHit(str(row.get("title") or row[url]).strip(), str(row[url]), str(row[snippet]).strip())
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and str(row.get(url) or "").startswith(("http://", "https://")) and row.get(snippet)
    ]
