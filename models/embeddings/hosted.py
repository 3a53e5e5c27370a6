"""Embeddings of an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from langchain_openai import OpenAIEmbeddings
from pydantic import SecretStr

from errors import Unavailable, Words
from models.embeddings.interface import Vectors
from models.endpoint import (
    FAILURES,
    UNREADABLE,
    Asked,
    Defaults,
    Endpoint,
    failure_reason,
    http_client,
    request_timeout,
)
from models.endpoint import resolve as resolve_endpoint
from settings import Settings

DEFAULTS = Defaults(openai="text-embedding-3-small", dashscope="text-embedding-v4", setting="EMBEDDING_MODEL")
DASHSCOPE_BATCH = 10
"""DashScope answers 400 to more inputs in one request."""

DASHSCOPE_DIMENSIONS = 1024
CONCURRENCY = 4
"""Requests for passages at the same time; a query waits for none of them."""

QUERY_CHARS = 6000
"""Most of a query that is sent: safely inside the 8,192 tokens a text that usual endpoints take."""

EMPTY = "-"
"""Stands for a text without content: endpoints refuse empty input."""


class HostedEmbedder:
    """One embedding model at one endpoint.

    Attributes:
        dimensions: As configured, or 0 until the first answer tells.
    """

    def __init__(self, endpoint: Endpoint, settings: Settings, *, dimensions: int | None, batch: int) -> None:
        """Make the client; nothing is sent yet.

        Args:
            endpoint: Address, key and model.
            settings: For timeouts and retries.
            dimensions: Dimensions to ask for; None: whatever the model gives.
            batch: Most inputs of one request.
        """
        self.name = endpoint.model
        self.dimensions = dimensions or 0
        self.detail = _detail(endpoint, settings)
        self._batch = batch
        self._seconds = settings.llm_timeout
        self._turns = asyncio.Semaphore(CONCURRENCY)
        self._client = OpenAIEmbeddings(
            model=endpoint.model,
            base_url=endpoint.base_url,
            api_key=SecretStr(endpoint.api_key),
            dimensions=dimensions,
            chunk_size=batch,
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

    async def _in_turn(self, texts: Sequence[str]) -> Vectors:
        async with self._turns:
            return await self._embed(texts)

    async def _embed(self, texts: Sequence[str]) -> Vectors:
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
    if endpoint is None:
        return None
    if not endpoint.is_dashscope and endpoint.base_url != settings.dashscope_base_url:
        return HostedEmbedder(
            endpoint, settings, dimensions=settings.embedding_dimensions, batch=settings.embedding_batch
        )
    dimensions = settings.embedding_dimensions or DASHSCOPE_DIMENSIONS
    return HostedEmbedder(
        endpoint, settings, dimensions=dimensions, batch=min(DASHSCOPE_BATCH, settings.embedding_batch)
    )


def _unavailable(reason: Words) -> Unavailable:
    return Unavailable(
        reason=Words(f"the embedding model does not answer: {reason.en}.", f"向量模型没有响应：{reason.zh}")
    )


def _detail(endpoint: Endpoint, settings: Settings) -> str:
    asked = settings.embedding_base_url or settings.embedding_api_key or settings.embedding_model
    why = "EMBEDDING_* is set" if asked else "DASHSCOPE_API_KEY is set"
    return (
        f"{endpoint.model} at {endpoint.host}, because {why}; "
        "change it with EMBEDDING_BASE_URL, EMBEDDING_API_KEY and EMBEDDING_MODEL."
    )
