"""A transcript as a Markdown file."""

from __future__ import annotations

from typing import Any

from stores.redis.transcripts import Entry, Page

_NAMES = {"user": "User 用户", "assistant": "Assistant 助手", "system": "System 系统"}


def as_markdown(page: Page) -> str:
    """Return the transcript with its files, sources and tools."""
    parts = [f"# {page['thread']['title'] or page['thread']['thread_id']}"]
    parts += [_message(entry) for entry in page["entries"]]
    return "\n\n".join(parts) + "\n"


def _message(entry: Entry) -> str:
    role = _NAMES.get(entry.get("role", ""), "?")
    state = entry.get("state", "done")
    mark = "" if state == "done" else f" ({state})"
    lines = [f"## {role}{mark}", f"*{entry.get('created', '')}*", entry.get("text", "")]
    files = [f"`{item.get('name', '')}`" for item in entry.get("attachments", [])]
    if files:
        lines.append("Files 文件: " + ", ".join(files))
    if entry.get("citations"):
        lines.append("\n".join(_citation(item) for item in entry["citations"]))
    if entry.get("tools"):
        lines.append("Tools 工具: " + ", ".join(f"`{item.get('name', '')}`" for item in entry["tools"]))
    return "\n\n".join(line for line in lines if line)


def _citation(item: dict[str, Any]) -> str:
    page = f", p. {item['page']}" if item.get("page") else ""
    quote = " ".join(str(item.get("quote", "")).split())
    return f"> [{item.get('number', '')}] {item.get('name') or item.get('url', '')}{page}: {quote}"
