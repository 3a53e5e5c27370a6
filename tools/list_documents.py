"""Tool: which documents there are."""

from __future__ import annotations

from pydantic import BaseModel

from domain.types import Attachment
from domain.words import Language
from tools.interface import ToolContext, ToolResources, ToolResult, plain_line

_NONE = {"en": "The user has uploaded no documents.", "zh": "用户没有上传任何文档。"}
_TITLE = {"en": "Documents ({count}):", "zh": "文档（共 {count} 个）："}
_PAGES = {"en": ("1 page", "{total} pages"), "zh": ("1 页", "{total} 页")}
_STATUS = {
    "en": {"queued": "not read yet", "reading": "being read, {done} of {total} pages so far", "failed": "failed"},
    "zh": {"queued": "尚未读取", "reading": "正在读取，已读 {done}/{total} 页", "failed": "读取失败"},
}
_SUMMARY_CHARS = 300


class ListDocuments(BaseModel):
    """Arguments of `list_documents`: none."""


async def list_documents(arguments: ListDocuments, context: ToolContext, resources: ToolResources) -> ToolResult:
    """List the user's uploaded documents: name, id, pages, state and summary.

    Use it for 'which files do I have', 'what did I upload', '我上传了哪些文件', '有几个文档'.
    """
    documents = await resources.documents.list(context.owner)
    if not documents:
        return ToolResult(_NONE[context.language])
    lines = [_line(document, context.language) for document in documents]
    return ToolResult("\n".join([_TITLE[context.language].format(count=len(lines)), *lines]))


def _line(document: Attachment, language: Language) -> str:
    total, done = document.get("pages_total", 0), document.get("pages_done", 0)
    state = _STATUS[language].get(document["status"], _PAGES[language][total != 1]).format(total=total, done=done)
    summary = document.get("summary", "")
    if document["status"] == "failed" and "error" in document:
        summary = document["error"]["message"]
    about = plain_line(summary, _SUMMARY_CHARS)
    return f"- {plain_line(document['name'])} (id {document['id']}): {state}" + (f". {about}" if about else "")
