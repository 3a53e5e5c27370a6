"""Tool: which documents there are."""

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime

from domain.types import Attachment
from domain.words import Language, Words
from tools.interface import Found, ToolContext, ToolSpec, plain_line

NONE = Words("The user has uploaded no documents.", "用户没有上传任何文档。")
TITLE = Words("Documents ({count}):", "文档（共 {count} 个）：")
PAGE, PAGES = Words("1 page", "1 页"), Words("{total} pages", "{total} 页")
STATUS = {
    "queued": Words("not read yet", "尚未读取"),
    "reading": Words("being read, {done} of {total} pages so far", "正在读取，已读 {done}/{total} 页"),
    "failed": Words("failed", "读取失败"),
}
SHOWN = Words("- **{name}**: {state}", "- **{name}**：{state}")
SUMMARY_CHARS = 300


@tool(response_format="content_and_artifact", parse_docstring=True)
async def list_documents(runtime: ToolRuntime[ToolContext]) -> tuple[str, Found]:
    """List the user's uploaded documents: name, id, pages, state and summary.

    Use it for 'which files do I have', 'what did I upload', '我上传了哪些文件', '有几个文档'.

    Args:
        runtime: Who asks.
    """
    language = runtime.context.language
    documents = await runtime.context.resources.documents.list(runtime.context.owner)
    if not documents:
        return Found(NONE.text(language), data={"documents": []}).answer()
    lines = [TITLE.text(language).format(count=len(documents)), *(_line(document, language) for document in documents)]
    shown = [
        SHOWN.text(language).format(name=plain_line(document["name"]), state=_state(document, language))
        for document in documents
    ]
    return Found("\n".join(lines), data={"documents": documents, "shown": "\n".join(shown)}).answer()


def _line(document: Attachment, language: Language) -> str:
    about = plain_line(document.get("summary", ""), SUMMARY_CHARS)
    state = _state(document, language)
    return f"- {plain_line(document['name'])} (id {document['id']}): {state}" + (f". {about}" if about else "")


def _state(document: Attachment, language: Language) -> str:
    """Say how long a document is, how far it was read, or that it failed and why."""
    total, done = document.get("pages_total", 0), document.get("pages_done", 0)
    words = STATUS.get(document["status"], PAGE if total == 1 else PAGES)
    failed = document["error"]["message"] if document["status"] == "failed" and "error" in document else ""
    return ". ".join(filter(None, (words.text(language).format(total=total, done=done), plain_line(failed))))


SPEC = ToolSpec(
    tool=list_documents,
    title=Words("List documents", "列出文档"),
    permission="read",
    examples=(
        "Which files have I uploaded?",
        "List my documents",
        "How many documents do you have?",
        "How many pages does the document have?",
        "我上传了哪些文件？",
        "列出所有文档",
        "目前有几份资料？",
        "这份文档有多少页？",
    ),
    fits=lambda turn: turn.documents,
    needs=Words("The conversation needs a document.", "会话中要有文档。"),
)
