"""What files, pictures, pages and tools said, written for the model: labelled by origin, fenced, never instructions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

from domain.tokens import count_tokens
from domain.types import Attachment, DocumentNote, Source
from domain.words import Language
from turn.coverage import coverage_text
from turn.state import State

OPEN, CLOSE = "<material>\n", "\n</material>"
_TAG = re.compile(r"<(?=\s*/?\s*material)", re.I)
CUT = " […]"

NO_VISION = {
    "en": "No vision model is configured: only the text (OCR) and simple facts of this picture are known.",
    "zh": "未配置视觉模型：只知道这张图片中的文字（OCR）和基本信息。",
}
STILL_READING = {
    "en": "{name}: {done} of {total} pages are read so far; say that the answer rests on these.",
    "zh": "{name}：目前已读取 {done}/{total} 页，请说明回答仅基于这些页。",
}
PARTLY_COVERED = {
    "en": "Say when summarising it: {coverage}",
    "zh": "总结时请说明：{coverage}",
}
MORE = {
    "en": "... and {n} older ones; list_documents names them.",
    "zh": "……以及更早的 {n} 个，可用 list_documents 查看。",
}
LISTED = 30
"""Most documents that are named in a prompt."""
LIST_CHARS = 4000
"""Most characters of their summaries together."""
NOTE_TOKENS = 400
"""Most tokens of a past picture's or document's digest inside an earlier message."""


def fenced(body: str) -> str:
    """Put `body` inside the fence of material; whatever in it looks like the fence is defused."""
    return f"{OPEN}{_TAG.sub('<' + chr(0x200B), body)}{CLOSE}"


def shortened(text: str, excess: int) -> str:
    """Take about `excess` tokens out of the material in `text`; fence and what follows it stay whole."""
    body, close, rest = text.partition(CLOSE)
    keep = 1 - min(1.0, excess / max(1, count_tokens(body)))
    return body[: max(200, int(len(body) * keep))] + CUT + close + rest


def unfenced(text: str) -> str:
    """Return the body of fenced text."""
    return text.removeprefix(OPEN).removesuffix(CLOSE)


def first_sources(state: State) -> list[Source]:
    """The passages found before the first model call; those that tools find later stand in their own messages."""
    shown = {source["number"] for message in tool_results(state["messages"]) for source in message.artifact or ()}
    return [source for source in state.get("sources", []) if source["number"] not in shown]


def tool_results(messages: Sequence[AnyMessage]) -> list[ToolMessage]:
    """Return the tool results of this turn, oldest first."""
    newest = max((index for index, message in enumerate(messages) if isinstance(message, HumanMessage)), default=0)
    return [message for message in messages[newest:] if isinstance(message, ToolMessage)]


def results_text(messages: Sequence[AnyMessage], most_chars: int) -> str:
    """Return what the tools of this turn returned, oldest first, in all at most `most_chars` characters."""
    found = [unfenced(str(message.text)) for message in tool_results(messages) if message.status == "success"]
    return "\n\n".join(found)[:most_chars]


def material_text(state: State) -> str:
    """Everything that this turn's files, pictures and the first search gave, labelled by origin."""
    language = state["language"]
    summaries = {note["id"]: note["summary"] for note in state.get("documents", [])}
    parts = [
        _attachment_text(attachment, language, summaries.get(attachment["id"], ""))
        for attachment in state.get("attachments", [])
    ]
    sent = {attachment["id"] for attachment in state.get("attachments", [])}
    parts.append(_documents_text([note for note in state.get("documents", []) if note["id"] not in sent], language))
    parts.append(sources_text(first_sources(state)))
    return "\n\n".join(part for part in parts if part)


def sources_text(sources: Sequence[Source]) -> str:
    """Numbered passages, each with its place."""
    return "\n\n".join(f"[{source['number']}] {place(source)}\n{source['text']}" for source in sources)


def place(source: Source) -> str:
    """Name, page and heading of a passage, or its URL."""
    parts = [source["name"]]
    if source.get("label") or source.get("page"):
        parts.append(f"p. {source.get('label') or source.get('page')}")
    if source.get("heading"):
        parts.append(str(source["heading"]))
    if source.get("url"):
        parts.append(str(source["url"]))
    return " · ".join(parts)


def _attachment_text(attachment: Attachment, language: Language, summary: str = "") -> str:
    name = attachment["name"]
    if attachment["status"] == "failed":
        error = attachment["error"]
        return f"File {name} could not be used ({error['code']}): {error['message']} {error['remedy']}"
    if attachment["kind"] == "image":
        return _picture_text(attachment, language)
    lines = [f"File {name} ({attachment.get('pages_total', 1)} p.)"]
    if attachment["status"] == "reading":
        done, total = attachment.get("pages_done", 0), attachment.get("pages_total", 0)
        lines.append(STILL_READING[language].format(name=name, done=done, total=total))
    if summary := attachment.get("summary") or summary:
        lines.append(f"Summary: {summary}")
    if coverage := coverage_text(attachment, language):
        return "\n".join([*lines, PARTLY_COVERED[language].format(coverage=coverage)])
    return "\n".join([*lines, *attachment.get("warnings", [])])


def _picture_text(attachment: Attachment, language: Language) -> str:
    lines = [f"Picture {attachment['name']}"]
    if attachment.get("facts"):
        lines.append(f"Facts: {attachment['facts']}")
    ocr, description = attachment.get("ocr"), attachment.get("description")
    lines.append("Text by OCR: " + (ocr["text"] if ocr and ocr["text"] else "-"))
    if description:
        lines.append(f"Description by {description['model']}: {description['text']}")
    elif not attachment.get("warnings"):
        lines.append(NO_VISION[language])
    return "\n".join([*lines, *attachment.get("warnings", [])])


def _documents_text(notes: Sequence[DocumentNote], language: Language) -> str:
    """The newest documents of the thread, with summaries while there is room; older ones are counted."""
    if not notes:
        return ""
    lines: list[str] = []
    left = LIST_CHARS
    for note in reversed(notes[-LISTED:]):
        summary = note["summary"] if len(note["summary"]) <= left else ""
        left -= len(summary)
        lines.append(f"- {note['name']} ({note['pages_total']} p.)" + (f": {summary}" if summary else ""))
        if "coverage" in note:
            lines.append(PARTLY_COVERED[language].format(coverage=note["coverage"]))
        if note["status"] == "reading":
            lines.append(
                STILL_READING[language].format(name=note["name"], done=note["pages_done"], total=note["pages_total"])
            )
    if len(notes) > LISTED:
        lines.append(MORE[language].format(n=len(notes) - LISTED))
    title = "Documents of this conversation:" if language == "en" else "本会话中的文档："
    return "\n".join([title, *lines])


def digest(attachments: Sequence[Attachment], language: Language) -> str:
    """What later turns are told of the files of this one: summaries, picture texts and descriptions, cut short."""
    parts = []
    for attachment in attachments:
        text = _attachment_text(attachment, language)
        parts.append(text if count_tokens(text) <= NOTE_TOKENS else text[: NOTE_TOKENS * 2] + CUT)
    return "\n\n".join(parts)
