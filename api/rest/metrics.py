"""The numbers of this process, for Prometheus."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from api.backend import BackendDep
from api.edge.tool_metrics import ToolMetrics

router = APIRouter(tags=["operation"])


@router.get("/metrics", response_class=Response, summary="Prometheus metrics")
async def metrics(backend: BackendDep) -> Response:
    """Return the counters of this process in Prometheus text format."""
    tools = CollectorRegistry()
    tools.register(ToolMetrics(backend.services.tools))
    texts = [await asyncio.to_thread(generate_latest), generate_latest(tools)]
    return Response(b"".join(texts), media_type=CONTENT_TYPE_LATEST)
