"""Rerankers behind the endpoint that Jina, Cohere, vLLM and DashScope share: `POST {base}/rerank`."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from typing import Any, cast

import openai

from domain.errors import Unavailable
from domain.words import Words
from models.endpoint import FAILURES, NO_KEY, Asked, Endpoint, endpoint_detail, failure_reason, http_client
from privacy.outbound import Privacy
from settings import Settings

logger = logging.getLogger(__name__)


class HostedReranker:
    """One reranking model at one endpoint."""

    def __init__(self, endpoint: Endpoint, seconds: float, detail: Words, privacy: Privacy) -> None:
        """Make the client; nothing is sent yet.

        Args:
            endpoint: Address, key and model.
            seconds: Longest time for one call.
            detail: What this endpoint is, for people.
            privacy: What queries and texts pass before they leave.
        """
        self.name = endpoint.model
        self.detail = detail
        self.failing = False
        # DashScope's OpenAI-compatible form has the plural: .../compatible-api/v1/reranks.
        self._path = "/reranks" if endpoint.is_dashscope else "/rerank"
        self._seconds = seconds
        self._privacy = privacy
        self._client = openai.AsyncOpenAI(
            base_url=endpoint.base_url, api_key=endpoint.api_key, http_client=http_client(seconds), max_retries=0
        )

    async def rank(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return the relevance of each of `texts`.

        The first failure is logged, and so is the first success after one.

        Raises:
            Unavailable: The endpoint failed, took too long, or gave something else than one number a text.
        """
        query, *texts = await self._privacy.texts([query, *texts])
        body = {"model": self.name, "query": query, "documents": texts, "top_n": len(texts)}
        try:
            async with asyncio.timeout(self._seconds):
                scores = _scores(await self._client.post(self._path, cast_to=object, body=body), len(texts))
        except FAILURES as exc:
            reason = failure_reason(exc)
            if not self.failing:
                logger.warning("the reranker fails, search results keep their order: %s", reason.en)
            self.failing = True
            raise Unavailable(
                reason=Words(f"the reranker does not answer: {reason.en}.", f"重排序模型没有响应：{reason.zh}")
            ) from exc
        if self.failing:
            logger.info("the reranker answers again")
        self.failing = False
        return scores

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()


def open_hosted(settings: Settings) -> HostedReranker:
    """Return the reranker that RERANK_* name.

    Raises:
        ValueError: RERANK_BASE_URL is set without RERANK_MODEL.
    """
    key = settings.rerank_api_key
    if not settings.rerank_model:
        raise ValueError("RERANK_MODEL is not set: RERANK_BASE_URL has no model name that could be assumed")
    endpoint = Endpoint(
        str(settings.rerank_base_url).rstrip("/"), settings.rerank_model, key.get_secret_value() if key else NO_KEY
    )
    asked = Asked(settings.rerank_base_url, key, settings.rerank_model)
    return HostedReranker(
        endpoint, settings.rerank_timeout, endpoint_detail(endpoint, asked, "RERANK"), Privacy(settings)
    )


def _scores(answer: object, count: int) -> list[float]:
    """Return the scores in the order of the texts; raise one of `GARBLED` where there is not one for each."""
    by_index = {int(row["index"]): float(row["relevance_score"]) for row in cast(Any, answer)["results"]}
    scores = [by_index[number] for number in range(count)]
    if not all(map(math.isfinite, scores)):
        raise ValueError("a score is not a number")
    return scores
