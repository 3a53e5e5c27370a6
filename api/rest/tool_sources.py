"""Sources of foreign tools, for administrators: added, changed, removed and approved while the server runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field
from typing_extensions import TypedDict

from api.backend import AdminDep, Backend, BackendDep
from api.edge.failures import asked_language
from api.edge.responses import json_response
from api.schemas import ERRORS, Body
from domain.owner import Owner
from tools.sources.config import SourceConfig

router = APIRouter(prefix="/api/v1/admin/tools", tags=["tools"])
Name = Annotated[str, Path(max_length=100, description="Name of the source.")]


class SourceTool(TypedDict):
    """A tool of a source, and how what it says of itself stands to what was approved.

    `status` is `ready`, `new` or `changed` (waits for approval), `gone`, `unusable` or `down`. `difference` shows what
    would be approved, line by line, invisible characters as numbers. Times are Unix times.
    """

    name: str
    own_name: str
    address: str
    status: str
    reason: str
    permission: str
    version: str
    definition: dict[str, Any] | None
    approved_version: str | None
    approved_by: str | None
    approved: float | None
    difference: str


class ToolSource(TypedDict):
    """A source: how it is named, how it is, and its tools. Values that may be secrets are shown as `***`."""

    name: str
    kind: str
    origin: str
    config: dict[str, Any]
    state: str
    reason: str
    detail: str
    tools: list[SourceTool]


class SourceList(TypedDict):
    """All sources, by name."""

    sources: list[ToolSource]


class ToolApproval(Body):
    """Which definitions are approved."""

    tools: Annotated[dict[str, str], Field(min_length=1, max_length=1000)] = Field(
        description="Hash (`version`) of the definition that was looked at, by the tool's `own_name`."
    )


@router.get("/sources", response_model=SourceList, responses=ERRORS)
async def list_sources(request: Request, backend: BackendDep, _: AdminDep) -> Response:
    """Return every source with its tools and what waits for approval."""
    return json_response({"sources": backend.services.tool_sources.describe(asked_language(request))})


@router.get("/sources/{name}", response_model=ToolSource, responses=ERRORS)
async def get_source(name: Name, request: Request, backend: BackendDep, _: AdminDep) -> Response:
    """Return one source."""
    return _shown(name, request, backend)


@router.put("/sources/{name}", response_model=ToolSource, responses=ERRORS)
async def put_source(
    name: Name, config: SourceConfig, request: Request, backend: BackendDep, admin: AdminDep
) -> Response:
    """Add a source, or change one, on every process. It opens in the background; ask for it to see how far it is.

    What a new source lists first is approved with it. Approvals stay when a source is changed.
    """
    new = await backend.services.tool_sources.put(name, config, admin)
    await _logged(backend, admin, "added" if new else "changed", name)
    return _shown(name, request, backend, 201 if new else 200)


@router.delete("/sources/{name}", status_code=204, responses=ERRORS)
async def delete_source(name: Name, backend: BackendDep, admin: AdminDep) -> None:
    """Remove a source with its approvals, on every process."""
    await backend.services.tool_sources.remove(name)
    await _logged(backend, admin, "removed", name)


@router.post("/sources/{name}/approvals", response_model=ToolSource, responses=ERRORS)
async def approve(name: Name, body: ToolApproval, request: Request, backend: BackendDep, admin: AdminDep) -> Response:
    """Approve new or changed tools, each by the hash of exactly the definition that was looked at."""
    await backend.services.tool_sources.approve(name, body.tools, admin)
    await _logged(backend, admin, "approved", name, tools=body.tools)
    return _shown(name, request, backend)


@router.post("/sources/{name}/restart", status_code=202, response_model=ToolSource, responses=ERRORS)
async def restart_source(name: Name, request: Request, backend: BackendDep, _: AdminDep) -> Response:
    """Open a source anew, on every process."""
    await backend.services.tool_sources.reopen(name)
    return _shown(name, request, backend, 202)


@router.post("/reload", response_model=SourceList, responses=ERRORS)
async def reload_file(request: Request, backend: BackendDep, admin: AdminDep) -> Response:
    """Read TOOLS_FILE again, on every process; each reads its own."""
    await backend.services.tool_sources.reload()
    await _logged(backend, admin, "reloaded", "")
    return json_response({"sources": backend.services.tool_sources.describe(asked_language(request))})


def _shown(name: str, request: Request, backend: Backend, status: int = 200) -> Response:
    return json_response(backend.services.tool_sources.description(name, asked_language(request)), status)


async def _logged(backend: Backend, admin: str, what: str, name: str, **facts: Any) -> None:
    await backend.services.actions.record("policy", Owner(admin), what=f"tool source {what}", source=name, **facts)
