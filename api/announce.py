"""The lines that a starting server prints: what each part is, why, and how to change it."""

from __future__ import annotations

import sys

from api.backend import Backend
from api.rest.health import Part, describe_parts
from domain.words import Language

_NAMES = {
    "redis": "memory 记忆",
    "vectors": "vectors 向量",
    "chat": "chat 对话",
    "vision": "vision 视觉",
    "embeddings": "embeddings 嵌入",
    "ocr": "OCR 文字识别",
    "search": "search 搜索",
    "speech_out": "speech 语音合成",
    "speech_in": "dictation 语音识别",
}


async def announce(backend: Backend) -> None:
    """Write one line a part to standard output, in the language of the process' locale, and where the server is."""
    settings = backend.settings
    language: Language = "zh" if settings.lang.lower().startswith("zh") else "en"
    lines = [f"  {_padded(_NAMES[name])}  {_kind(part, language)}. {part['detail']}"
             for name, part in (await describe_parts(backend, language)).items()]  # fmt: skip
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    lines.append(f"\n  http://{host}:{settings.port}/  page 页面    /docs  API    /agent/playground  LangServe\n")
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()


def _kind(part: Part, language: Language) -> str:
    return "无" if (part["kind"], language) == ("none", "zh") else part["kind"]


def _padded(name: str, columns: int = 20) -> str:
    wide = sum(1 for char in name if ord(char) > 0x2E80)
    return name + " " * (columns - len(name) - wide)
