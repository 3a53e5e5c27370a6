"""The few lines that a starting server prints: what every part is, why, and how to change it."""

from __future__ import annotations

import sys

from api.backend import Backend
from api.health import describe_parts

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
    """Write one line a part to standard output, and where the server is."""
    settings = backend.settings
    lines = [f"  {_padded(_NAMES[name])}  {part['kind']}. {part['detail']}"
             for name, part in (await describe_parts(backend)).items()]  # fmt: skip
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    lines.append(f"\n  http://{host}:{settings.port}/  page 页面    /docs  API    /agent/playground  LangServe\n")
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()


def _padded(name: str, columns: int = 20) -> str:
    wide = sum(1 for char in name if ord(char) > 0x2E80)
    return name + " " * (columns - len(name) - wide)
