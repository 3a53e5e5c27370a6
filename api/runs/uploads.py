"""Uploaded files: into the attachment store, and read in the background."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from starlette.datastructures import UploadFile

from domain.errors import AppError
from domain.owner import Owner
from domain.types import Attachment, AttachmentRef
from domain.words import Language
from turn.context import Services

BLOCK_BYTES = 256 * 1024
MOMENT = 2.0
"""Seconds that an upload is waited for, so that a question which follows at once finds what is in it."""


class Refused(NamedTuple):
    """An upload that could not be kept, as the API shows it, and why."""

    attachment: Attachment
    error: AppError


async def store_uploads(
    files: Sequence[UploadFile], owner: Owner, services: Services, language: Language
) -> tuple[list[AttachmentRef], list[Refused]]:
    """Put uploads into the attachment store; one that cannot be kept does not stop the others."""
    refs: list[AttachmentRef] = []
    refused: list[Refused] = []
    for file in files:
        name = file.filename or "file"
        try:
            refs.append(await services.attachments.put(_blocks(file), name=name, owner=owner))
        except AppError as exc:
            attachment = Attachment(
                id="", name=name, kind="document", media_type=file.content_type or "", size=file.size or 0,
                sha256="", status="failed", error=exc.body(language),
            )  # fmt: skip
            refused.append(Refused(attachment, exc))
    return refs, refused


def ref_of(attachment: Attachment) -> AttachmentRef:
    """Return the reference in an attachment."""
    return AttachmentRef(
        id=attachment["id"], name=attachment["name"], kind=attachment["kind"], media_type=attachment["media_type"],
        size=attachment["size"], sha256=attachment["sha256"],
    )  # fmt: skip


async def start_reading(
    services: Services, refs: Sequence[AttachmentRef], owner: Owner, *, language: Language, password: str | None = None
) -> list[Attachment]:
    """Read stored files in the background; return how each stands after a moment, in which a short one is read."""
    for ref in refs:
        await services.ingestion.register(ref, language=language, private=password is not None)
        services.background.spawn(f"read {ref['id']}", _read(services, ref, owner, language, password))
    await services.background.wait([f"read {ref['id']}" for ref in refs], MOMENT)
    return [await services.documents.get(ref["id"], owner) for ref in refs]


async def read_protected(
    services: Services, ref: AttachmentRef, owner: Owner, language: Language, password: str
) -> Attachment:
    """Read a protected document now, so that its password need not go into the conversation."""
    if ref["kind"] == "image":
        return await services.ingestion.read_picture(ref, owner, language=language)
    return await services.ingestion.read_document(ref, owner, language=language, password=password)


async def _read(services: Services, ref: AttachmentRef, owner: Owner, language: Language, password: str | None) -> None:
    if ref["kind"] == "image":
        await services.ingestion.read_picture(ref, owner, language=language)
    else:
        await services.ingestion.read_document(ref, owner, language=language, password=password)


async def _blocks(file: UploadFile) -> AsyncIterator[bytes]:
    while block := await file.read(BLOCK_BYTES):
        yield block
