"""The models that OpenAI's clients can choose from."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter

from api.backend import Backend, BackendDep
from domain.errors import UnknownModel

router = APIRouter(prefix="/v1", tags=["openai"])

MODEL = "agent"
_STARTED = int(time.time())


@router.get("/models")
async def list_models(backend: BackendDep) -> dict[str, Any]:
    """List the agent (the whole graph), and the embedding model."""
    return {"object": "list", "data": [_model(name) for name in _names(backend)]}


@router.get("/models/{name:path}")
async def get_model(name: str, backend: BackendDep) -> dict[str, Any]:
    """Describe a model.

    Raises:
        UnknownModel: It is none of those that are listed.
    """
    if name not in _names(backend):
        raise UnknownModel(name=name)
    return _model(name)


def _names(backend: Backend) -> list[str]:
    return list(dict.fromkeys([MODEL, backend.services.chat.name, backend.services.embedder.name]))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _STARTED, "owned_by": "llm-chat-backend"}
