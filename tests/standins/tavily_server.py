"""Tavily's search and extract API, played at protocol level on a real port.

with TavilyServer() as tavily:
    tavily.results = [{"title": "...", "url": "https://...", "content": "..."}]
    tavily.fail = 429  # any status, or "slow", or "garbled"
    ...  # TAVILY_BASE_URL = tavily.base_url, TAVILY_API_KEY = any key but "bad-key"
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.standins.listening import Listening

SAMPLE = [
    {
        "title": "Redis 8 is generally available",
        "url": "https://redis.example/blog/redis-8",
        "content": "Redis 8 brings the query engine and JSON into the core.",
        "score": 0.93,
    },
    {
        "title": "Redis 8 新特性",
        "url": "https://zh.example/redis-8",
        "content": "Redis 8 将查询引擎和 JSON 纳入核心。",
        "score": 0.81,
    },
]


class TavilyServer(Listening):
    """The stand-in.

    Attributes:
        requests: Bodies of every request so far.
        results: What a search finds.
        fail: An HTTP status to answer with, "slow" (30 s), "garbled" (no JSON), or None.
    """

    def __init__(self) -> None:
        super().__init__(
            Starlette(
                routes=[
                    Route("/search", self._search, methods=["POST"]),
                    Route("/extract", self._extract, methods=["POST"]),
                ]
            )
        )
        self.requests: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = SAMPLE
        self.fail: int | Literal["slow", "garbled"] | None = None

    @property
    def base_url(self) -> str:
        """For `TAVILY_BASE_URL`."""
        return f"http://{self.address}"

    async def _search(self, request: Request) -> Response:
        body, failure = await self._open(request)
        if failure is not None:
            return failure
        found = self.results[: body.get("max_results", 5)]
        return self._answer(query=body["query"], answer=None, images=[], follow_up_questions=None, results=found)

    async def _extract(self, request: Request) -> Response:
        body, failure = await self._open(request)
        if failure is not None:
            return failure
        urls = [body["urls"]] if isinstance(body["urls"], str) else body["urls"]
        known = {row["url"]: row["content"] for row in self.results}
        return self._answer(
            results=[{"url": url, "raw_content": known[url], "images": []} for url in urls if url in known],
            failed_results=[{"url": url, "error": "Failed to fetch url"} for url in urls if url not in known],
        )

    async def _open(self, request: Request) -> tuple[dict[str, Any], Response | None]:
        body = json.loads(await request.body())
        self.requests.append(body)
        if request.headers.get("authorization", "") in ("", "Bearer bad-key"):
            return body, _error(401, "Unauthorized: missing or invalid API key.")
        if not body.get("query") and not body.get("urls"):
            return body, _error(400, "Query is missing.")
        if self.fail == "slow":
            await asyncio.sleep(30)
        if self.fail == "garbled":
            return body, Response("<html>Bad gateway</html>", media_type="text/html")
        if isinstance(self.fail, int):
            return body, _error(self.fail, "This request exceeds your limit.")
        return body, None

    @staticmethod
    def _answer(**fields: Any) -> Response:
        return JSONResponse({**fields, "response_time": 0.5, "request_id": str(uuid.uuid4())})


def _error(status: int, message: str) -> Response:
    return JSONResponse({"detail": {"error": message}}, status_code=status)
