"""Embeddings as OpenAI's clients ask for them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from fastapi import APIRouter, Response

from api.backend import BackendDep, UserDep
from api.edge.responses import json_response
from api.openai.schemas import EmbeddingsBody
from domain.errors import BadInput, TooMuchText
from domain.openai_tokens import text_of_tokens
from domain.tokens import count_tokens
from domain.words import Words

router = APIRouter(prefix="/v1", tags=["openai"])


@router.post("/embeddings")
async def embed(body: EmbeddingsBody, backend: BackendDep, user: UserDep) -> Response:
    """Turn texts into vectors of length 1."""
    texts = await _texts(body)
    if sum(map(len, texts)) > backend.settings.max_message_chars:
        raise TooMuchText(limit=backend.settings.max_message_chars)
    embedder = backend.services.embedder
    if body.dimensions and body.dimensions > embedder.dimensions:
        reason = f"dimensions: vectors of {embedder.name} have {embedder.dimensions} values"
        raise BadInput(reason=Words(reason, f"dimensions：{embedder.name} 的向量有 {embedder.dimensions} 维"))
    await backend.services.usage.count_call(user)
    vectors = np.asarray(await embedder.passages(texts), dtype="<f4")
    if body.dimensions:
        vectors = _shortened(vectors, body.dimensions)
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(vector, body.encoding_format)}
        for index, vector in enumerate(vectors)
    ]
    tokens = await asyncio.to_thread(lambda: sum(map(count_tokens, texts)))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json_response({"object": "list", "data": data, "model": embedder.name, "usage": usage})


async def _texts(body: EmbeddingsBody) -> list[str]:
    """Return the texts of a request.

    Raises:
        BadInput: A number is no token.
    """
    given: Sequence[Any] = [body.input] if isinstance(body.input, str) else body.input
    if isinstance(given[0], str):
        return list(given)
    rows = cast("list[list[int]]", [given] if isinstance(given[0], int) else given)
    try:
        return await asyncio.to_thread(lambda: [text_of_tokens(row) for row in rows])
    except LookupError as exc:
        reason = Words("input: a number is no token of cl100k_base", "input：有数字不是 cl100k_base 的 token")
        raise BadInput(reason=reason) from exc


def _shortened(vectors: Any, dimensions: int) -> Any:
    cut = vectors[:, :dimensions]
    return cut / np.maximum(np.linalg.norm(cut, axis=1, keepdims=True), 1e-12)


def _vector(vector: Any, encoding: str) -> object:
    return base64.b64encode(vector.tobytes()).decode() if encoding == "base64" else vector.tolist()
