"""Health: the parts in use, their states, and whether the service can answer."""

from __future__ import annotations

import asyncio
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from typing_extensions import TypedDict

from api.backend import Backend, BackendDep
from api.edge.failures import asked_language
from api.edge.responses import json_response
from api.rest.shares import longest_link
from domain.errors import AppError, DiskFull, MemoryFull, MemoryUnavailable, Unavailable
from domain.words import Language, Words
from models.rerank.interface import Reranker
from settings import Settings
from stores.disk import is_out_of_room
from tools.registry import ToolRegistry
from tools.sources.sources import ToolSources
from tools.sources.texts import SOURCE_DOWN

router = APIRouter(prefix="/api/v1", tags=["operation"])

PING_SECONDS = 2.0
PartState = Literal["ready", "loading", "missing", "failed", "full"]
"""`full`: it answers, and takes nothing new."""


class Part(TypedDict):
    """One part of the service: `kind` is which implementation, `detail` why, and how to change it."""

    state: PartState
    kind: str
    detail: str


class Health(TypedDict):
    """`down` only when no question can be answered; `degraded` when some part is missing or failed.

    `tools` are the names of the tools for people, in both languages. `limits.sharing_seconds` is the longest time
    that a link to a conversation opens; 0: nothing is shared.
    """

    status: Literal["ok", "degraded", "down"]
    parts: dict[str, Part]
    tools: dict[str, dict[str, str]]
    limits: dict[str, float]


class _Model(Protocol):
    name: str
    detail: Words


NO_VISION = Words(
    "Pictures are told by their text and facts; "
    "set VISION_BASE_URL, VISION_API_KEY and VISION_MODEL, or DASHSCOPE_API_KEY.",
    "图片仅凭其中的文字和基本信息说明；请设置 VISION_BASE_URL、VISION_API_KEY 和 VISION_MODEL，或 DASHSCOPE_API_KEY。",
)
NO_VECTORS = Words("Without an embedding model documents are found by keyword.", "没有嵌入模型，只能按关键词查找文档。")
CHROMA_SERVER = Words("Chroma server as configured by CHROMA_URL.", "由 CHROMA_URL 指定的 Chroma 服务器。")
CHROMA_EMBEDDED = Words(
    "Chroma below DATA_DIR; CHROMA_URL names a server.", "数据位于 DATA_DIR 下的 Chroma；可通过 CHROMA_URL 改用服务器。"
)
SQLITE = Words("SQLite below DATA_DIR; DATABASE_URL names a PostgreSQL.",
               "数据位于 DATA_DIR 下的 SQLite；可通过 DATABASE_URL 改用 PostgreSQL。")  # fmt: skip
SQLITE_AT_URL = Words("SQLite file that DATABASE_URL names.", "由 DATABASE_URL 指定的 SQLite 文件。")
POSTGRESQL = Words("PostgreSQL as configured by DATABASE_URL.", "由 DATABASE_URL 指定的 PostgreSQL。")
NO_RERANKER = Words(
    "Search results keep the order of keywords and vectors; set RERANK_BASE_URL, RERANK_API_KEY and RERANK_MODEL.",
    "搜索结果按关键词与向量排序；请设置 RERANK_BASE_URL、RERANK_API_KEY 和 RERANK_MODEL。",
)
NO_SEARCH = Words(
    "Web search is off; set TAVILY_API_KEY or WEB_SEARCH.", "网页搜索未启用；请设置 TAVILY_API_KEY 或 WEB_SEARCH。"
)
SOURCES_READY = Words("All sources of tools are ready.", "所有工具来源均已就绪。")
SOURCE_WAITS = Words("{source} has tools that wait for approval.", "{source} 有工具等待批准。")
NO_SPEAKER = Words("Set DASHSCOPE_API_KEY, or run make install.", "请设置 DASHSCOPE_API_KEY，或运行 make install。")
NO_LISTENER = Words("Set STT_BASE_URL, or run make install.", "请设置 STT_BASE_URL，或运行 make install。")

_NEEDED = frozenset({"redis", "chat"})
_OPTIONAL = frozenset({"vision", "rerank", "search", "speech_out", "speech_in"})
_LIMITS = ("max_file_bytes", "max_turn_bytes", "max_files", "max_pages", "max_pixels", "max_message_chars",
           "turn_timeout", "thread_ttl", "llm_context_tokens")  # fmt: skip


@router.get("/health", response_model=Health)
async def health(request: Request, backend: BackendDep) -> Response:
    """Return the state of each part, and the limits; 503 only when the service cannot answer.

    `detail` is English, or Chinese with `Accept-Language: zh`.
    """
    parts = await describe_parts(backend, asked_language(request))
    if not request.state.user_id:
        _hide_hosts(parts, backend.settings)
    broken = {name for name, part in parts.items() if part["state"] in ("missing", "failed")}
    full = any(part["state"] == "full" for part in parts.values())
    status = "down" if broken & _NEEDED else "degraded" if full or broken - _OPTIONAL else "ok"
    limits = {name: getattr(backend.settings, name) for name in _LIMITS}
    limits["sharing_seconds"] = longest_link(backend.settings)
    tools = {spec.name: spec.title._asdict() for spec in backend.services.tools.specs()}
    body = {"status": status, "parts": parts, "tools": tools, "limits": limits}
    return json_response(body, 503 if status == "down" else 200)


def _hide_hosts(parts: dict[str, Part], settings: Settings) -> None:
    """Name no host of the operator's to callers without a key."""
    urls = [getattr(settings, name) for name in Settings.model_fields if name.endswith("_url")]
    places = [urlsplit(url) for url in urls if isinstance(url, str)]
    hosts = [host for place in places for host in (place.netloc.rpartition("@")[2], place.hostname) if host]
    for part in parts.values():
        for host in hosts:
            part["detail"] = part["detail"].replace(host, "***")


async def describe_parts(backend: Backend, language: Language) -> dict[str, Part]:
    """Return every part of the service with its state, `detail` in `language`."""
    services = backend.services
    return {
        "redis": await _redis(backend, language),
        "database": await _database(backend, language),
        "vectors": _vectors(backend, language),
        "chat": _part("ready", f"{services.chat.kind}: {services.chat.name}", services.chat.detail, language),
        "vision": _named(services.vision, NO_VISION, language),
        "embeddings": _named(
            services.embedder if services.embedder.dimensions else None, services.embedder.detail, language
        ),
        "rerank": _rerank(services.reranker, language),
        "ocr": _ocr(services.ocr, language),
        "search": _search(services.tools, language),
        **_tool_sources(services.tool_sources, language),
        "speech_out": _named(services.speaker, NO_SPEAKER, language),
        "speech_in": _named(services.listener, NO_LISTENER, language),
    }


def _part(state: PartState, kind: str, detail: Words, language: Language) -> Part:
    return Part(state=state, kind=kind, detail=detail.text(language))


async def _redis(backend: Backend, language: Language) -> Part:
    state: PartState = "ready"
    detail = backend.redis.detail
    try:
        async with asyncio.timeout(PING_SECONDS):
            await backend.redis.check()
    except (MemoryFull, DiskFull) as exc:
        state, detail = "full", _told(exc)
    except (MemoryUnavailable, TimeoutError):
        state = "failed"
    return _part(state, backend.redis.kind, detail, language)


def _told(error: AppError) -> Words:
    en, zh = error.body("en"), error.body("zh")
    return Words(f"{en['message']} {en['remedy']}", f"{zh['message']}{zh['remedy']}")


async def _database(backend: Backend, language: Language) -> Part:
    database = backend.services.database
    state: PartState = "ready"
    try:
        async with asyncio.timeout(PING_SECONDS):
            await database.uid()
    except (Unavailable, TimeoutError):
        state = "failed"
    if state == "ready" and await asyncio.to_thread(is_out_of_room, backend.settings.data_dir):
        return _part("full", database.kind, _told(DiskFull()), language)
    sqlite = SQLITE if database.is_default else SQLITE_AT_URL
    return _part(state, database.kind, sqlite if database.kind == "sqlite" else POSTGRESQL, language)


def _rerank(reranker: Reranker | None, language: Language) -> Part:
    part = _named(reranker, NO_RERANKER, language)
    return Part(**{**part, "state": "failed"}) if reranker is not None and reranker.failing else part


def _vectors(backend: Backend, language: Language) -> Part:
    if backend.services.documents.vectors is None:
        return _part("missing", "none", NO_VECTORS, language)
    server = backend.settings.chroma_url is not None
    kind, detail = ("chroma server", CHROMA_SERVER) if server else ("chroma embedded", CHROMA_EMBEDDED)
    return _part("ready", kind, detail, language)


def _ocr(pool: Any, language: Language) -> Part:
    state: PartState = "loading" if pool.state == "starting" else pool.state
    return _part(state, pool.name, pool.detail, language)


def _search(tools: ToolRegistry, language: Language) -> Part:
    provider = tools.search
    if provider is None:
        return _part("missing", "none", NO_SEARCH, language)
    return _part("ready", provider.name, provider.detail, language)


def _tool_sources(sources: ToolSources, language: Language) -> dict[str, Part]:
    """Return the part of the foreign tools, where there are any."""
    states = sources.states()
    if not states:
        return {}
    down = {name: failure for name, (state, failure, _) in states.items() if state != "ready"}
    waiting = [name for name, (_, _, waits) in states.items() if waits]
    state: PartState = "ready"
    if down:
        state = "failed" if any(states[name][0] == "failed" for name in down) else "loading"
    told = [SOURCE_DOWN.filled(source=name, reason=failure) for name, failure in down.items()]
    told += [SOURCE_WAITS.filled(source=name) for name in waiting]
    detail = Words(" ".join(it.en for it in told), "".join(it.zh for it in told)) if told else SOURCES_READY
    return {"tools": _part(state, f"{len(states)} sources", detail, language)}


def _named(model: _Model | None, missing: Words, language: Language) -> Part:
    if model is None:
        return _part("missing", "none", missing, language)
    return _part("ready", model.name, model.detail, language)
