"""The tools, and their counters."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from api.backend import BackendDep
from api.edge.failures import asked_language

router = APIRouter(prefix="/api/v1", tags=["tools"])


@router.get("/tools")
async def list_tools(request: Request, backend: BackendDep) -> dict[str, list[dict[str, Any]]]:
    """Return every tool: names, description, permission, whether turns are offered it and why not, and counters.

    `title`, `detail` and `reason` are English, or Chinese with `Accept-Language: zh`.
    """
    return {"tools": backend.services.tools.describe(asked_language(request))}
