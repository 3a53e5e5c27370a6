"""Which roles a caller can ask for by name."""

from __future__ import annotations

from fastapi import APIRouter

from api.backend import BackendDep
from turn.personas import personas

router = APIRouter(prefix="/api/v1", tags=["tools"])


@router.get("/personas")
async def list_personas(backend: BackendDep) -> dict[str, dict[str, dict[str, str]]]:
    """Return the instructions of every role, by name and language."""
    known = personas(backend.settings.personas)
    return {"personas": {name: {"en": text.en, "zh": text.zh} for name, text in known.items()}}
