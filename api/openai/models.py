"""The models that OpenAI's clients can choose from."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.backend import BackendDep

router = APIRouter(prefix="/v1", tags=["openai"])

MODEL = "agent"


@router.get("/models")
async def list_models(backend: BackendDep) -> dict[str, Any]:
    """List the agent (the whole graph), and the embedding model."""
    names = [MODEL, backend.services.chat.name, backend.services.embedder.name]
    return {"object": "list", "data": [_model(name) for name in dict.fromkeys(names)]}


@router.get("/models/{name:path}")
async def get_model(name: str) -> dict[str, Any]:
    """Describe a model."""
    return _model(name)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "llm-chat-backend"}
