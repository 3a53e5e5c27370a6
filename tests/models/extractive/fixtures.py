"""What the tests of the bundled model share: one model on the bundled embedder, and short ways to write a turn."""

from __future__ import annotations

from typing import Any, cast

from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.runnables import Runnable

from domain.citations import QuoteStripper
from domain.language import language_of
from domain.types import Attachment, DocumentNote, OcrText, Source
from models.chat.extractive.model import extractive_chat
from models.chat.interface import TurnInput
from models.embeddings.bundled import BundledEmbedder
from settings import Settings
from turn.model_input import told
from turn.question import only_tells

EMBEDDER = BundledEmbedder()
CHAT = extractive_chat(Settings(embedded_threads=1, _env_file=None), EMBEDDER)


def tool(name: str, required: str = "", optional: str = "") -> dict[str, Any]:
    """Return an OpenAI tool schema with one parameter at most."""
    properties = {key: {"type": "string"} for key in (required, optional) if key}
    parameters = {"type": "object", "properties": properties, "required": [required] if required else []}
    return {"type": "function", "function": {"name": name, "description": name, "parameters": parameters}}


TOOLS = [
    tool("search_documents", "query"),
    tool("fetch_url", "url"),
    tool("web_search", "query"),
    tool("list_documents"),
    tool("current_time", optional="place"),
    tool("calculate", "expression"),
]
EXAMPLES = {
    "web_search": ("Search the web for the latest news about electric cars", "What is the weather in Oslo?",
                   "上网搜索一下最新的新闻", "北京今天天气怎么样？"),
    "list_documents": ("Which files have I uploaded?", "List my documents", "我上传了哪些文件？", "列出所有文档"),
    "current_time": ("What time is it now?", "What is today's date?", "What time is it in New York?", "现在几点了？",
                     "今天是几月几号？", "今天星期几？"),
}  # fmt: skip


def source(number: int, text: str, name: str = "lease.pdf", origin: str = "document", **more: Any) -> Source:
    """Return a passage."""
    made = {"number": number, "origin": origin, "name": name, "document_id": name, "start": 0, "end": len(text)}
    return cast("Source", {**made, "text": text, **more})


def document(name: str = "lease.pdf", summary: str = "", **more: Any) -> DocumentNote:
    """Return a document of the conversation, read to its end."""
    note = {"id": name, "name": name, "kind": "document", "status": "ready", "pages_total": 2, "pages_done": 2}
    return cast("DocumentNote", {**note, "summary": summary, **more})


def file(name: str = "lease.pdf", **more: Any) -> Attachment:
    """Return a file of this turn."""
    made = {"id": name, "name": name, "kind": "document", "media_type": "", "size": 1, "sha256": "0", "status": "ready"}
    return cast("Attachment", {**made, **more})


def picture(name: str, text: str, description: str | None = None) -> Attachment:
    """Return a picture of this turn."""
    ocr = OcrText(text=text, lines=[], rotation=0, engine="t")
    described = {"text": description, "model": "vision-1"} if description else None
    return file(name, kind="image", ocr=ocr, facts="Picture 30 x 20 pixels.", description=described)


async def ask(question: str, *, tools: list[dict[str, Any]] | None = None, **turn: Any) -> AIMessageChunk:
    """Stream one answer and return it whole, `[n]` for each citation; `turn` are fields of `TurnInput`.

    What the user said is given as the turn has it: `earlier` messages, a `summary`, and what is `remembered`.
    """
    given = TurnInput(
        turn.pop("language", language_of(question)),
        question=question,
        examples=turn.pop("examples", EXAMPLES if tools else {}),
        told=told(turn.pop("earlier", []), turn.pop("summary", ""), turn.pop("remembered", [])),
        tells=only_tells(question),
        **turn,
    )
    model: Runnable[Any, Any] = CHAT.model.bind_tools(tools) if tools else CHAT.model
    whole: AIMessageChunk | None = None
    async for chunk in model.bind(turn=given).astream([HumanMessage(question)]):
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    stripper = QuoteStripper()
    return whole.model_copy(update={"content": stripper.add(str(whole.text)) + stripper.rest()})
