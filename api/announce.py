"""The lines that a starting server prints: what each part is, why, and how to change it."""

from __future__ import annotations

import sys

from api.backend import Backend
from api.rest.health import describe_parts
from domain.words import Words

_NAMES = {
    "redis": Words("memory", "记忆"),
    "database": Words("database", "数据库"),
    "vectors": Words("vectors", "向量"),
    "chat": Words("chat", "对话"),
    "vision": Words("vision", "视觉"),
    "embeddings": Words("embeddings", "嵌入"),
    "rerank": Words("rerank", "重排序"),
    "ocr": Words("OCR", "文字识别"),
    "search": Words("search", "搜索"),
    "tools": Words("tools", "工具"),
    "speech_out": Words("speech", "语音合成"),
    "speech_in": Words("dictation", "语音识别"),
}
_NONE = Words("none", "无")
_ADDRESS = Words("page", "页面")


async def announce(backend: Backend) -> None:
    """Write one line a part to standard output, in the language of the process' locale, and where the server is."""
    settings = backend.settings
    language = settings.language
    lines = []
    for name, part in (await describe_parts(backend, language)).items():
        kind = _NONE.text(language) if part["kind"] == "none" else part["kind"]
        lines.append(f"  {_padded(_NAMES[name].text(language))}  {kind}. {part['detail']}")
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    lines.append(
        f"\n  http://{host}:{settings.port}/  {_ADDRESS.text(language)}    /docs  API    /agent/playground  LangServe\n"
    )
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()


def _padded(name: str, columns: int = 12) -> str:
    wide = sum(1 for char in name if ord(char) > 0x2E80)
    return name + " " * (columns - len(name) - wide)
