"""A transcript as a Markdown file."""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt

from domain.words import Language, Words
from stores.conversations.entries import Entry, Page

_NAMES = {
    "user": Words("User", "用户"),
    "assistant": Words("Assistant", "助手"),
    "system": Words("System", "系统"),
}
_FILES, _TOOLS = Words("Files: ", "文件："), Words("Tools: ", "工具：")
_TAG = re.compile(r"<(?=[a-zA-Z/!?])(?!https?://[^\s<>]*>)")
_SUSPECT = re.compile(rf"!\[|{_TAG.pattern}")
_PAGE = Words(", p. {page}", "，第 {page} 页")


def as_markdown(page: Page, language: Language) -> str:
    """Return the transcript with its files, sources and tools, its headings in `language`.

    Nothing in it makes a viewer load anything: see `_inert`.
    """
    parts = [f"# {page['thread']['title'] or page['thread']['thread_id']}"]
    parts += [_message(entry, language) for entry in page["entries"]]
    return _inert("\n\n".join(parts)) + "\n"


def _inert(markdown: str) -> str:
    """Return a document whose pictures and HTML are text: what a viewer loads tells its server what was said."""
    if not _SUSPECT.search(markdown):
        return markdown
    lines = markdown.split("\n")
    code = set[int]()
    for token in MarkdownIt("commonmark").parse(markdown):
        if token.type in ("fence", "code_block") and token.map:
            code.update(range(*token.map))
    return "\n".join(
        line if number in code else _TAG.sub("&lt;", line.replace("![", "!\\[")) for number, line in enumerate(lines)
    )


def _message(entry: Entry, language: Language) -> str:
    name = _NAMES.get(entry.get("role", ""))
    role = name.text(language) if name else "?"
    state = entry.get("state", "done")
    mark = "" if state == "done" else f" ({state})"
    lines = [f"## {role}{mark}", f"*{entry.get('created', '')}*", entry.get("text", "")]
    files = [f"`{item.get('name', '')}`" for item in entry.get("attachments", [])]
    if files:
        lines.append(_FILES.text(language) + ", ".join(files))
    if entry.get("citations"):
        lines.append("\n".join(_citation(item, language) for item in entry["citations"]))
    if entry.get("tools"):
        lines.append(_TOOLS.text(language) + ", ".join(f"`{item.get('name', '')}`" for item in entry["tools"]))
    return "\n\n".join(line for line in lines if line)


def _citation(item: dict[str, Any], language: Language) -> str:
    page = _PAGE.text(language).format(page=item["page"]) if item.get("page") else ""
    quote = " ".join(str(item.get("quote", "")).split())
    return f"> [{item.get('number', '')}] {item.get('name') or item.get('url', '')}{page}: {quote}"
