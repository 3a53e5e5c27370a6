"""Embeddings of an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import numpy as np
import openai
from langchain_openai import OpenAIEmbeddings
from pydantic import SecretStr

from domain.errors import Unavailable
from domain.words import Words
from models.embeddings.interface import Vectors
from models.endpoint import (
    FAILURES,
    UNREADABLE,
    Asked,
    Defaults,
    Endpoint,
    endpoint_detail,
    failure_reason,
    http_client,
    request_timeout,
)
from models.endpoint import resolve as resolve_endpoint
from privacy.outbound import Privacy
from settings import Settings

logger = logging.getLogger(__name__)

DEFAULTS = Defaults(openai="text-embedding-3-small", dashscope="text-embedding-v4", setting="EMBEDDING_MODEL")
DASHSCOPE_BATCH = 10
"""DashScope answers 400 to more inputs in one request."""

ASKED_DIMENSIONS = {"text-embedding-v4": 1024, "text-embedding-v3": 1024}
"""Asked for where EMBEDDING_DIMENSIONS is not set: models of several sizes."""

NATIVE_DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
"""Of well-known models; any other model is asked once, when it is opened."""

PROBE_SECONDS = 5.0
CONCURRENCY = 4
"""Requests for passages at the same time; a query waits for none of them."""

QUERY_CHARS = 6000
"""Most of a query that is sent: safely inside the 8,192 tokens a text that usual endpoints take."""

EMPTY = "-"
"""Replaces a text without content: endpoints refuse empty input."""


class HostedEmbedder:
    """One embedding model at one endpoint.

    Attributes:
        dimensions: As configured, known or found out; 0 when the endpoint did not answer that at the start.
    """

    def __init__(self, endpoint: Endpoint, settings: Settings, detail: Words) -> None:
        """Make the client, and ask a model of unknown size for its dimensions: one request, at most 5 seconds.

        Args:
            endpoint: Address, key and model.
            settings: For dimensions, batch size, timeouts and retries.
            detail: What this endpoint is, for people; said otherwise where its dimensions stay unknown.
        """
        asked = settings.embedding_dimensions or ASKED_DIMENSIONS.get(endpoint.model)
        self.name = endpoint.model
        self.dimensions = asked or NATIVE_DIMENSIONS.get(endpoint.model) or _probe(endpoint)
        self.detail = detail if self.dimensions else _silent(endpoint)
        at_dashscope = endpoint.is_dashscope or endpoint.base_url == settings.dashscope_base_url
        self._batch = min(DASHSCOPE_BATCH, settings.embedding_batch) if at_dashscope else settings.embedding_batch
        self._seconds = settings.llm_timeout
        self._privacy = Privacy(settings)
        self._turns = asyncio.Semaphore(CONCURRENCY)
        self._client = OpenAIEmbeddings(  # type: ignore[call-arg]  # its fields have aliases
            model=endpoint.model,
            base_url=endpoint.base_url,
            api_key=SecretStr(endpoint.api_key),
            dimensions=asked,
            chunk_size=self._batch,
            check_embedding_ctx_length=False,
            model_kwargs={"encoding_format": "float"},
            timeout=request_timeout(settings.llm_timeout),
            http_async_client=http_client(settings.llm_timeout),
            max_retries=settings.llm_max_retries,
        )

    async def passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (len(texts), dimensions).

        Raises:
            Unavailable: The endpoint failed after its retries, or gave something else than vectors.
        """
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        batches = [texts[start : start + self._batch] for start in range(0, len(texts), self._batch)]
        return np.concatenate(await asyncio.gather(*map(self._in_turn, batches)))

    async def query(self, text: str) -> Vectors:
        """Return the unit vector of a question, of shape (dimensions,).

        Raises:
            Unavailable: The endpoint failed after its retries, or gave something else than a vector.
        """
        vector: Vectors = (await self._embed([text[:QUERY_CHARS]]))[0]
        return vector

    async def aclose(self) -> None:
        """Close the connections."""
        if (http := self._client.http_async_client) is not None:
            await http.aclose()

    async def _in_turn(self, texts: Sequence[str]) -> Vectors:
        async with self._turns:
            return await self._embed(texts)

    async def _embed(self, texts: Sequence[str]) -> Vectors:
        texts = await self._privacy.texts(list(texts))
        try:
            async with asyncio.timeout(self._seconds):
                rows = await self._client.aembed_documents([text if text.strip() else EMPTY for text in texts])
            vectors = np.asarray(rows, np.float32)
        except FAILURES as exc:
            raise _unavailable(failure_reason(exc)) from exc
        return self._checked(vectors, len(texts))

    def _checked(self, vectors: Vectors, count: int) -> Vectors:
        if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
            raise _unavailable(UNREADABLE)
        if self.dimensions and vectors.shape[1] != self.dimensions:
            got, want = vectors.shape[1], self.dimensions
            raise _unavailable(Words(f"it gives {got} dimensions, not {want}", f"返回 {got} 维向量，而不是 {want} 维"))
        self.dimensions = vectors.shape[1]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Vectors = vectors / np.where(lengths > 0, lengths, 1)
        return unit


def open_hosted(settings: Settings) -> HostedEmbedder | None:
    """Return the embedder that EMBEDDING_* or DASHSCOPE_API_KEY name, or None where neither is set."""
    asked = Asked(settings.embedding_base_url, settings.embedding_api_key, settings.embedding_model)
    endpoint = resolve_endpoint(asked, settings, DEFAULTS)
    return HostedEmbedder(endpoint, settings, endpoint_detail(endpoint, asked, "EMBEDDING")) if endpoint else None


def _probe(endpoint: Endpoint) -> int:
    """Return the length of the model's vectors, or 0 where it does not tell: the server starts all the same."""
    try:
        with openai.OpenAI(
            base_url=endpoint.base_url, api_key=endpoint.api_key, timeout=PROBE_SECONDS, max_retries=0
        ) as client:
            made = client.embeddings.create(model=endpoint.model, input=["dimensions"], encoding_format="float")
            return len(made.data[0].embedding)
    except FAILURES as exc:
        logger.warning("the embedding model did not tell its dimensions: %s", failure_reason(exc).en)
        return 0


def _unavailable(reason: Words) -> Unavailable:
    return Unavailable(
        reason=Words(f"the embedding model does not answer: {reason.en}.", f"向量模型没有响应：{reason.zh}")
    )


def _silent(endpoint: Endpoint) -> Words:
    return Words(
        f"{endpoint.model} at {endpoint.host} did not answer at the start: documents are found by keyword alone; "
        "start again when it answers, or set EMBEDDING_DIMENSIONS.",
        f"{endpoint.host} 上的 {endpoint.model} 在启动时没有响应：只能按关键词查找文档；"
        "请待其恢复后重新启动，或设置 EMBEDDING_DIMENSIONS。",
    )
