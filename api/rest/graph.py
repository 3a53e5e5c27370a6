"""The graph of a turn, for those who draw it."""

from __future__ import annotations

from fastapi import APIRouter

from api.backend import BackendDep
from graph.builder import Drawing, drawing

router = APIRouter(prefix="/api/v1", tags=["operation"])


@router.get("/graph")
async def show_graph(backend: BackendDep) -> Drawing:
    """Return the nodes of the graph, with their names for people in both languages, and its edges."""
    return drawing(backend.runner.graph)
