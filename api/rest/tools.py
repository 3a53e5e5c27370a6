"""The tools, their counters, and the sources that they come from."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from typing_extensions import TypedDict

from api.backend import BackendDep
from api.edge.failures import asked_language

router = APIRouter(prefix="/api/v1", tags=["tools"])


class ToolList(TypedDict):
    """All tools, the state of each source of foreign ones, and whether the caller may change these."""

    tools: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    admin: bool


@router.get("/tools")
async def list_tools(request: Request, backend: BackendDep) -> ToolList:
    """Return every tool: names, description, permission, whether turns are offered it and why not, and counters.

    `title`, `detail` and `reason` are English, or Chinese with `Accept-Language: zh`.
    """
    language, services = asked_language(request), backend.services
    sources = [
        {"name": name, "state": state, "reason": "" if state == "ready" else reason.text(language), "waiting": waiting}
        for name, (state, reason, waiting) in services.tool_sources.states().items()
    ]
    return ToolList(tools=services.tools.describe(language), sources=sources, admin=request.state.role == "admin")
