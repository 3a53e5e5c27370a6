"""Processes a new message: files go to the attachment store, a recording becomes text, a long paste a document."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from langchain_core.messages import AnyMessage

from domain.errors import AppError, TooManyFiles, TooMuchText
from domain.invisible import seen
from domain.owner import Owner
from domain.tokens import count_tokens
from domain.types import Attachment, AttachmentRef
from domain.words import Language
from settings import Settings
from turn.content import InlinePart, split_content
from turn.context import Services
from turn.prompts import newest_turn
from turn.texts import PASTED, PASTED_NAME

PASTE_SHARE = 0.25
"""A pasted text that would fill more than this share of the model's window is kept as a document instead."""
HEAD_CHARS, TAIL_CHARS = 1500, 500
"""What of it stays in the message."""

Stored = tuple[list[AttachmentRef], list[Attachment]]
"""References to stored files, and the files that failed."""


def check_lengths(texts: Iterable[str], settings: Settings) -> None:
    """Refuse a text of more than MAX_MESSAGE_CHARS: before a turn begins, and before a file that came with it is kept.

    Raises:
        TooMuchText: One is longer.
    """
    if any(len(text) > settings.max_message_chars for text in texts):
        raise TooMuchText(limit=settings.max_message_chars)


async def take_apart(
    messages: Sequence[AnyMessage], settings: Settings
) -> list[tuple[AnyMessage, str, list[InlinePart]]]:
    """Return text and files of each message that still carries files or hidden text, and of the newest in any case.

    Raises:
        BadInput: A block of a message is of no known form, or its base64 is broken.
        TooManyFiles: They carry more than MAX_FILES together.
    """
    newest = messages[newest_turn(messages)]
    taken = [
        (message, *split_content(message.content))
        for message in messages
        if message is newest
        or (message.type == "human" and (not isinstance(message.content, str) or seen(message.content).spelt))
    ]
    if sum(len(parts) for _, _, parts in taken) > settings.max_files:
        raise TooManyFiles(limit=settings.max_files)
    if not any(parts for _, _, parts in taken):
        return taken
    return await asyncio.to_thread(
        lambda: [(message, said, [part.decoded() for part in parts]) for message, said, parts in taken]
    )


async def store_files(parts: Sequence[InlinePart], services: Services, owner: Owner, language: Language) -> Stored:
    """Put each file into the attachment store; one that cannot be fetched or stored becomes a failed attachment."""
    refs: list[AttachmentRef] = []
    failed: list[Attachment] = []
    for part in parts:
        try:
            refs.append(await _store(part, services, owner))
        except AppError as exc:
            size = len(part.data or b"")
            ref = AttachmentRef(
                id="",
                name=part.name or part.attachment_id or "",
                kind="document",
                media_type=part.media_type,
                size=size,
                sha256="",
            )
            failed.append(failed_file(ref, exc, language))
    return refs, failed


async def _store(part: InlinePart, services: Services, owner: Owner) -> AttachmentRef:
    if part.attachment_id is not None:
        return await services.attachments.get(part.attachment_id, owner)
    data = part.data or b""
    if part.url is not None:
        data = (await services.http.fetch(part.url, max_bytes=services.settings.max_file_bytes)).body
    return await services.attachments.put(data, name=part.name, owner=owner)


async def transcribe(refs: Sequence[AttachmentRef], services: Services, language: Language) -> tuple[str, Stored]:
    """Return what is said in files that are all recordings, and the files that are left; of other files, nothing."""
    if services.listener is None or not refs or any(ref["kind"] != "audio" for ref in refs):
        return "", (list(refs), [])
    heard: list[str] = []
    failed: list[Attachment] = []
    for ref in refs:
        try:
            heard.append((await services.listener.transcribe(await services.attachments.read(ref)))[0])
        except AppError as exc:
            failed.append(failed_file(ref, exc, language))
    return "\n".join(heard), ([], failed)


async def shorten_paste(
    text: str, services: Services, owner: Owner, language: Language
) -> tuple[str, list[AttachmentRef]]:
    """Keep a text that would crowd the model's window as a document; its head and tail stay in the message."""
    if len(text) < HEAD_CHARS + TAIL_CHARS or count_tokens(text) < PASTE_SHARE * services.chat.context_tokens:
        return text, []
    name = PASTED_NAME.text(language)
    ref = await services.attachments.put(text.encode(), name=name, owner=owner)
    note = PASTED.text(language).format(n=len(text), name=name)
    return f"{text[:HEAD_CHARS]}\n{note}\n{text[-TAIL_CHARS:]}", [ref]


def failed_file(ref: AttachmentRef, error: AppError, language: Language) -> Attachment:
    """Return a file as one that could not be used, and why."""
    return Attachment(**ref, status="failed", error=error.body(language))  # type: ignore[typeddict-item]
