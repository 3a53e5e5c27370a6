"""What files, pictures, pages and tools said, written for the model: labelled by origin, fenced, never instructions."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

from domain.fence import CLOSE, unfenced
from domain.owner import Owner
from domain.tokens import count_tokens
from domain.types import Attachment, DocumentNote, MemoryNote, Place, Source, ToolFindings
from domain.unread import coverage_text
from domain.words import Language
from turn.context import Services
from turn.state import State
from turn.texts import (
    DESCRIPTION,
    DOCUMENT,
    DOCUMENTS,
    FACTS,
    FAILED_FILE,
    FILE,
    MORE_DOCUMENTS,
    NO_LONGER,
    NO_VISION,
    OCR_TEXT,
    PARTLY_COVERED,
    PICTURE,
    REMEMBERED,
    REMEMBERED_ITEM,
    STILL_READING,
    SUMMARY,
)

CUT = " […]"

SUMMARY_CHARS = 1200
"""Most characters of the summary of a document of the thread."""
LISTED = 30
"""Most documents that are named in a prompt."""
LIST_CHARS = 4000
"""Most characters of their summaries together."""
NOTE_TOKENS = 400
"""Most tokens of a past picture's or document's digest inside an earlier message."""


def shortened(text: str, excess: int) -> str:
    """Take about `excess` tokens out of the material in `text`; fence and what follows it stay whole."""
    body, close, rest = text.partition(CLOSE)
    keep = 1 - min(1.0, excess / max(1, count_tokens(body)))
    return body[: max(200, int(len(body) * keep))] + CUT + close + rest


def findings(result: ToolMessage) -> ToolFindings:
    """Return what `gather_results` put beside a result; nothing beside one that a client sent."""
    return result.artifact or ToolFindings(sources=[], data={}, code="")


def first_sources(state: State) -> list[Source]:
    """The passages found before the first model call; those that tools find later stand in their own messages."""
    shown = {source["number"] for message in tool_results(state["messages"]) for source in findings(message)["sources"]}
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
    parts = [recollections_text(state.get("memories", []), language)]
    parts += [
        _attachment_text(attachment, language, summaries.get(attachment["id"], ""))
        for attachment in state.get("attachments", [])
    ]
    if state["question"]["kind"] != "social":
        sent = {attachment["id"] for attachment in state.get("attachments", [])}
        parts.append(_documents_text([note for note in state.get("documents", []) if note["id"] not in sent], language))
    parts.append(sources_text(first_sources(state)))
    return "\n\n".join(part for part in parts if part)


def recollections_text(memories: Sequence[MemoryNote], language: Language) -> str:
    """What the user said in earlier conversations, each with its day."""
    lines = [
        REMEMBERED_ITEM.text(language).format(
            text=one["text"], date=one["said"] + ("" if one["holds"] else NO_LONGER.text(language))
        )
        for one in memories
    ]
    return REMEMBERED.text(language).format(items="\n".join(lines)) if lines else ""


def sources_text(sources: Sequence[Source]) -> str:
    """Numbered passages, each with its place."""
    return "\n\n".join(f"[{source['number']}] {place(source)}\n{source['text']}" for source in sources)


def place(source: Place) -> str:
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
        return FAILED_FILE.text(language).format(name=name, **attachment["error"])
    if attachment["kind"] == "image":
        return _picture_text(attachment, language)
    lines = [FILE.text(language).format(name=name, pages=attachment.get("pages_total", 1))]
    if attachment["status"] == "reading":
        done, total = attachment.get("pages_done", 0), attachment.get("pages_total", 0)
        lines.append(STILL_READING.text(language).format(name=name, done=done, total=total))
    if summary := attachment.get("summary") or summary:
        lines.append(SUMMARY.text(language).format(text=summary))
    if coverage := coverage_text(attachment, language):
        return "\n".join([*lines, PARTLY_COVERED.text(language).format(coverage=coverage)])
    return "\n".join([*lines, *attachment.get("warnings", [])])


async def document_notes(services: Services, owner: Owner, language: Language) -> list[DocumentNote]:
    """Return what a prompt tells of the documents that a turn of `owner` can search, oldest first."""
    return [document_note(document, language) for document in await services.documents.list(owner)]


def document_note(document: Attachment, language: Language) -> DocumentNote:
    """Return what a prompt tells of a document of the thread."""
    note = DocumentNote(
        id=document["id"],
        name=document["name"],
        kind=document["kind"],
        status=document["status"],
        pages_total=document.get("pages_total", 1),
        pages_done=document.get("pages_done", 0),
        summary=document.get("summary", "")[:SUMMARY_CHARS],
    )
    if "language" in document:
        note["language"] = document["language"]
    if "hidden" in document:
        note["hidden"] = document["hidden"]
    if coverage := coverage_text(document, language):
        note["coverage"] = coverage
    return note


def _picture_text(attachment: Attachment, language: Language) -> str:
    lines = [PICTURE.text(language).format(name=attachment["name"])]
    if attachment.get("facts"):
        lines.append(FACTS.text(language).format(text=attachment["facts"]))
    ocr, description = attachment.get("ocr"), attachment.get("description")
    lines.append(OCR_TEXT.text(language).format(text=ocr["text"] if ocr and ocr["text"] else "-"))
    if description:
        lines.append(DESCRIPTION.text(language).format(**description))
    elif not attachment.get("warnings"):
        lines.append(NO_VISION.text(language))
    return "\n".join([*lines, *attachment.get("warnings", [])])


def _documents_text(notes: Sequence[DocumentNote], language: Language) -> str:
    """The newest documents of the thread, with summaries while there is room; older ones are counted."""
    if not notes:
        return ""
    lines = [DOCUMENTS.text(language)]
    left = LIST_CHARS
    for note in reversed(notes[-LISTED:]):
        summary = note["summary"] if len(note["summary"]) <= left else ""
        left -= len(summary)
        line = DOCUMENT.text(language).format(name=note["name"], pages=note["pages_total"])
        lines.append(f"{line}: {summary}" if summary else line)
        if "coverage" in note:
            lines.append(PARTLY_COVERED.text(language).format(coverage=note["coverage"]))
        if note["status"] == "reading":
            lines.append(
                STILL_READING.text(language).format(
                    name=note["name"], done=note["pages_done"], total=note["pages_total"]
                )
            )
    if len(notes) > LISTED:
        lines.append(MORE_DOCUMENTS.text(language).format(n=len(notes) - LISTED))
    return "\n".join(lines)


def digest(attachments: Sequence[Attachment], language: Language) -> str:
    """What later turns are told of the files of this one: summaries, picture texts and descriptions, cut short."""
    parts = []
    for attachment in attachments:
        text = _attachment_text(attachment, language)
        parts.append(text if count_tokens(text) <= NOTE_TOKENS else text[: NOTE_TOKENS * 2] + CUT)
    return "\n\n".join(parts)
