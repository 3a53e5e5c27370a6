"""Embeddings as OpenAI's clients ask for them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from fastapi import APIRouter, Response

from api.backend import BackendDep
from api.edge.responses import json_response
from api.openai.schemas import EmbeddingsBody
from domain.errors import TooMuchText
from domain.surrogates import cleaned

router = APIRouter(prefix="/v1", tags=["openai"])


@router.post("/embeddings")
async def embed(body: EmbeddingsBody, backend: BackendDep) -> Response:
    """Turn texts into vectors of length 1."""
    texts = cleaned([body.input] if isinstance(body.input, str) else body.input)
    if sum(map(len, texts)) > backend.settings.max_message_chars:
        raise TooMuchText(limit=backend.settings.max_message_chars)
    embedder = backend.services.embedder
    vectors = await embedder.passages(texts)
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(vector, body.encoding_format)}
        for index, vector in enumerate(np.asarray(vectors, dtype="<f4"))
    ]
    tokens = sum(len(text) for text in texts) // 4 + 1
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json_response({"object": "list", "data": data, "model": embedder.name, "usage": usage})


def _vector(vector: Any, encoding: str) -> object:
    return base64.b64encode(vector.tobytes()).decode() if encoding == "base64" else vector.tolist()
