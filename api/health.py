"""What the service is made of right now, and whether it can answer."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Response
from typing_extensions import TypedDict

from api.backend import Backend, BackendDep
from api.wire import json_response
from errors import MemoryUnavailable

router = APIRouter(prefix="/api/v1", tags=["operation"])

PING_SECONDS = 2.0
PartState = Literal["ready", "loading", "missing", "failed"]


class Part(TypedDict):
    """One part of the service: `kind` is which implementation, `detail` says why and how to change it."""

    state: PartState
    kind: str
    detail: str


class Health(TypedDict):
    """`down` only when no question can be answered; `degraded` when some part is missing or failed."""

    status: Literal["ok", "degraded", "down"]
    parts: dict[str, Part]
    limits: dict[str, float]


_NEEDED = frozenset({"redis", "chat"})
_OPTIONAL = frozenset({"vision", "search", "speech_out", "speech_in"})
_LIMITS = ("max_file_bytes", "max_turn_bytes", "max_files", "max_pages", "max_pixels", "max_message_chars",
           "turn_timeout", "thread_ttl", "llm_context_tokens")  # fmt: skip


@router.get("/health", response_model=Health)
async def health(backend: BackendDep) -> Response:
    """Return the state of each part, and the limits; 503 only when the service cannot answer."""
    parts = await describe_parts(backend)
    broken = {name for name, part in parts.items() if part["state"] in ("missing", "failed")}
    status = "down" if broken & _NEEDED else "degraded" if broken - _OPTIONAL else "ok"
    limits = {name: getattr(backend.settings, name) for name in _LIMITS}
    return json_response({"status": status, "parts": parts, "limits": limits}, 503 if status == "down" else 200)


async def describe_parts(backend: Backend) -> dict[str, Part]:
    """Return every part of the service with its state."""
    services = backend.services
    web = next((tool for tool in services.tools.describe() if tool["name"] == "web_search"), {"policy": "off"})
    return {
        "redis": await _redis(backend),
        "vectors": _vectors(backend),
        "chat": Part(state="ready", kind=f"{services.chat.kind}: {services.chat.name}", detail=services.chat.detail),
        "vision": _named(services.vision, "none, so pictures are told by their text and facts; set VISION_BASE_URL,"
                         " VISION_API_KEY and VISION_MODEL, or DASHSCOPE_API_KEY."),  # fmt: skip
        "embeddings": _named(services.embedder if services.embedder.dimensions else None, services.embedder.detail),
        "ocr": _ocr(services.ocr),
        "search": Part(state="ready" if web["policy"] == "allowed" else "missing", kind="web search",
                       detail=str(web.get("detail") or "off; set TAVILY_API_KEY or WEB_SEARCH.")),
        "speech_out": _named(services.speaker, "none; set DASHSCOPE_API_KEY, or run make install."),
        "speech_in": _named(services.listener, "none; set STT_BASE_URL, or run make install."),
    }  # fmt: skip


async def _redis(backend: Backend) -> Part:
    state: PartState = "ready"
    try:
        async with asyncio.timeout(PING_SECONDS):
            await backend.redis.ping()
    except (MemoryUnavailable, TimeoutError):
        state = "failed"
    return Part(state=state, kind=backend.redis.kind, detail=backend.redis.detail)


def _vectors(backend: Backend) -> Part:
    server = backend.settings.chroma_url is not None
    detail = (
        "Chroma server as configured by CHROMA_URL." if server else "Chroma below DATA_DIR; CHROMA_URL names a server."
    )
    if backend.services.documents.vectors is None:
        return Part(state="missing", kind="none", detail="Without an embedding model documents are found by keyword.")
    return Part(state="ready", kind="chroma server" if server else "chroma embedded", detail=detail)


def _ocr(pool: Any) -> Part:
    state: PartState = "loading" if pool.state == "starting" else pool.state
    return Part(state=state, kind=pool.name, detail=pool.detail)


def _named(model: Any, missing: str) -> Part:
    if model is None:
        return Part(state="missing", kind="none", detail=missing)
    return Part(state="ready", kind=model.name, detail=getattr(model, "detail", model.name))
