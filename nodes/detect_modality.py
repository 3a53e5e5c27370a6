"""First step: find out what the turn brought, and move every file out of the conversation."""

from __future__ import annotations

from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from domain.errors import AppError, BadInput, ErrorBody, TooManyFiles, TooMuchText
from domain.language import language_of
from domain.owner import Owner
from domain.tokens import count_tokens
from domain.types import Attachment, AttachmentRef, Usage
from domain.words import Language
from turn.content import InlinePart, has_parts, split_content
from turn.context import Context, Services
from turn.progress import emit_attachment, owner_of
from turn.state import State, Update

PASTE_SHARE = 0.25
"""A pasted text that would fill more than this share of the model's window is kept as a document instead."""
HEAD_CHARS, TAIL_CHARS = 1500, 500

DEFAULT_QUESTION = {
    "en": "What is in the files I sent?",
    "zh": "请介绍我发送的文件的内容。",
}
PASTED = {
    "en": "[... {n} characters, kept as the document {name} ...]",
    "zh": "[…… 共 {n} 个字符，已存为文档 {name} ……]",
}


async def detect_modality(state: State, runtime: Runtime[Context]) -> Update:
    """Store every file by content, keep its reference, and start the turn with clean books."""
    services, owner = runtime.context.services, owner_of(runtime)
    messages = state["messages"]
    if not messages or not isinstance(messages[-1], HumanMessage):
        raise BadInput(reason="the last message must be the user's")
    moved: list[AnyMessage] = []
    refs: list[AttachmentRef] = []
    failed: list[Attachment] = []
    question, language, files = "", _chosen_language(runtime, state.get("language", "en")), 0
    for message in messages:
        newest = message is messages[-1]
        if not (newest or has_parts(message)):
            continue
        text, parts = split_content(message.content)
        files += len(parts)
        _check_size(text, files, services)
        language = _chosen_language(runtime, language_of(text, language))
        kept, unusable = await _store(parts, services, owner, language)
        if newest:
            text, kept, unheard = await _spoken(text, kept, services, language)
            unusable += unheard
            language = _chosen_language(runtime, language_of(text, language))
            text, kept = await _long_paste(text, kept, services, owner, language)
            question = text.strip() or (DEFAULT_QUESTION[language] if kept or unusable else "")
        refs, failed = refs + kept, failed + unusable
        moved.append(_plain(message, text or question, kept))
    if not question:
        raise BadInput(reason="the message is empty")
    for attachment in failed:
        emit_attachment(runtime, attachment)
    return Update(
        messages=moved,
        language=language,
        question=question,
        pending=refs,
        attachments=Overwrite(failed),  # type: ignore[typeddict-item]  # replaces the last turn's files
        documents=[],
        sources=[],
        offered_tools=[],
        tool_rounds=0,
        tool_runs=[],
        answer="",
        reasoning="",
        citations=[],
        usage=Usage(input_tokens=0, output_tokens=0, model=""),
        warnings=[],
    )


def _chosen_language(runtime: Runtime[Context], detected: Language) -> Language:
    chosen = runtime.context.language
    return detected if chosen == "auto" else chosen


def _check_size(text: str, files: int, services: Services) -> None:
    if len(text) > services.settings.max_message_chars:
        raise TooMuchText(limit=services.settings.max_message_chars)
    if files > services.settings.max_files:
        raise TooManyFiles(limit=services.settings.max_files)


async def _store(
    parts: list[InlinePart], services: Services, owner: Owner, language: Language
) -> tuple[list[AttachmentRef], list[Attachment]]:
    """Put each part into the attachment store; a part that cannot be had becomes a failed attachment."""
    refs: list[AttachmentRef] = []
    failed: list[Attachment] = []
    for part in parts:
        try:
            refs.append(await _store_one(part, services, owner))
        except AppError as exc:
            failed.append(_failed(part, exc.body(language)))
    return refs, failed


def _failed(part: InlinePart, error: ErrorBody) -> Attachment:
    return Attachment(
        id="",
        name=part.name,
        kind="document",
        media_type=part.media_type,
        size=len(part.data or b""),
        sha256="",
        status="failed",
        error=error,
    )


async def _store_one(part: InlinePart, services: Services, owner: Owner) -> AttachmentRef:
    if part.attachment_id is not None:
        return await services.attachments.get(part.attachment_id, owner)
    data, name = part.data, part.name
    if part.url is not None:
        fetched = await services.http.fetch(part.url, max_bytes=services.settings.max_file_bytes)
        data = fetched.body
    return await services.attachments.put(data or b"", name=name, owner=owner)


async def _spoken(
    text: str, refs: list[AttachmentRef], services: Services, language: Language
) -> tuple[str, list[AttachmentRef], list[Attachment]]:
    """A recording without any text beside it is the user's message, spoken."""
    if text.strip() or services.listener is None or not refs or any(ref["kind"] != "audio" for ref in refs):
        return text, refs, []
    heard: list[str] = []
    failed: list[Attachment] = []
    for ref in refs:
        try:
            heard.append((await services.listener.transcribe(await services.attachments.read(ref)))[0])
        except AppError as exc:
            failed.append(Attachment(**ref, status="failed", error=exc.body(language)))  # type: ignore[typeddict-item]
    return "\n".join(heard), [], failed


async def _long_paste(
    text: str, refs: list[AttachmentRef], services: Services, owner: Owner, language: Language
) -> tuple[str, list[AttachmentRef]]:
    """Keep a paste that would crowd the window as a document; its head and tail stay in the message."""
    if len(text) < HEAD_CHARS + TAIL_CHARS or count_tokens(text) < PASTE_SHARE * services.chat.context_tokens:
        return text, refs
    name = "pasted-text.txt" if language == "en" else "粘贴的文本.txt"
    ref = await services.attachments.put(text.encode(), name=name, owner=owner)
    note = PASTED[language].format(n=len(text), name=name)
    return f"{text[:HEAD_CHARS]}\n{note}\n{text[-TAIL_CHARS:]}", [*refs, ref]


def _plain(message: AnyMessage, text: str, refs: list[AttachmentRef]) -> HumanMessage:
    """The same message, text only; `add_messages` replaces the original by its id."""
    extra = {"attachments": refs} if refs else {}
    return HumanMessage(content=text, id=message.id, additional_kwargs=extra)
