"""A rerank endpoint played at protocol level: scores are the share of the query's words that a document holds."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.standins.listening import Listening


class RerankServer(Listening):
    """The stand-in.

    Attributes:
        requests: Path, authorization and body of every request so far.
        answer: Given instead of scores, where it is set.
        silence: Seconds before an answer.
    """

    def __init__(self) -> None:
        super().__init__(Starlette(routes=[Route("/v1/rerank", self._rank, methods=["POST"])]))
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.answer: Response | None = None
        self.silence = 0.0

    @property
    def base_url(self) -> str:
        """For `RERANK_BASE_URL`."""
        return f"http://{self.address}/v1"

    async def _rank(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append((request.url.path, request.headers.get("authorization", ""), body))
        await asyncio.sleep(self.silence)
        if self.answer is not None:
            return self.answer
        words = set(body["query"].lower().split())
        scores = [len(words & set(text.lower().split())) / len(words) for text in body["documents"]]
        ranked = sorted(enumerate(scores), key=lambda item: -item[1])[: body["top_n"]]
        return JSONResponse({"results": [{"index": n, "relevance_score": score} for n, score in ranked]})
