"""What the reader's tests share: one reader on the bundled embedder, and short ways to write a turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.runnables import Runnable

from domain.language import language_of
from domain.words import Language
from models.chat.extractive.model import reader_chat
from models.chat.interface import ToolResult, TurnInput
from models.embeddings.bundled import BundledEmbedder
from settings import Settings

EMBEDDER = BundledEmbedder()
CHAT = reader_chat(Settings(embedded_threads=1, _env_file=None), EMBEDDER)  # type: ignore[call-arg]


def tool(name: str, **properties: object) -> dict[str, Any]:
    """An OpenAI tool schema with the given parameters."""
    parameters = {"type": "object", "properties": {key: {} for key in properties}}
    return {"type": "function", "function": {"name": name, "description": name, "parameters": parameters}}


TOOLS = [
    tool("search_documents", query=1),
    tool("fetch_url", url=1),
    tool("web_search", query=1),
    tool("list_documents"),
    tool("current_time", place=1),
    tool("calculate", expression=1),
]


def source(number: int, text: str, name: str = "lease.pdf", origin: str = "document", **more: object) -> dict[str, Any]:
    """A passage."""
    return {
        "number": number, "origin": origin, "name": name, "document_id": name, "start": 0, "end": len(text),
        "text": text, **more,
    }  # fmt: skip


def document(name: str = "lease.pdf", summary: str = "") -> dict[str, Any]:
    """A document of the thread, read to its end."""
    return {
        "id": name, "name": name, "kind": "document", "media_type": "application/pdf", "size": 1, "sha256": "0",
        "status": "ready", "pages_total": 2, "pages_done": 2, "summary": summary,
    }  # fmt: skip


def picture(name: str, text: str, description: str | None = None) -> dict[str, Any]:
    """A picture of this turn."""
    return {
        "id": name, "name": name, "kind": "image", "media_type": "image/png", "size": 1, "sha256": "0",
        "status": "ready", "ocr": {"text": text, "lines": [], "rotation": 0, "engine": "t"},
        "facts": "Picture 30 x 20 pixels.",
        "description": {"text": description, "model": "vision-1"} if description else None,
    }  # fmt: skip


async def ask(
    question: str,
    *,
    language: Language | None = None,
    results: Sequence[ToolResult] = (),
    tools: list[dict[str, Any]] | None = None,
    **data: Any,
) -> AIMessageChunk:
    """Stream one answer of the reader and return it whole."""
    turn = TurnInput("answer", language or language_of(question), question=question, results=results, **data)
    model: Runnable[Any, Any] = CHAT.model.bind_tools(tools) if tools else CHAT.model
    whole: AIMessageChunk | None = None
    async for chunk in model.bind(turn=turn).astream([HumanMessage(question)]):
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    return whole
