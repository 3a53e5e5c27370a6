"""Read one document, as far as it is ready when the turn wants to go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import Literal

from langgraph.errors import NodeError
from langgraph.runtime import Runtime
from langgraph.types import Command

from domain.errors import AppError, ReadingTimedOut
from domain.types import Attachment
from turn.context import Context
from turn.progress import emit_attachment, owner_of
from turn.state import ReadInput, Update


async def ingest_document(state: ReadInput, runtime: Runtime[Context]) -> Update:
    """Read, chunk and index a document; one that takes longer than `read_wait` is read on in the background.

    Its text is searchable by keyword when this returns, its vectors and summary follow. A document that cannot be used
    becomes a failed attachment with code, message and remedy; it never fails the turn.
    """
    services, owner, ref = runtime.context.services, owner_of(runtime), state["attachment"]
    try:
        async with asyncio.timeout(services.settings.read_wait):
            attachment = await services.ingestion.read_document(
                ref, owner, language=state["language"], on_progress=_reporter(runtime)
            )
    except TimeoutError:
        attachment = await services.documents.get(ref["id"], owner)
    emit_attachment(runtime, attachment)
    return Update(attachments=[attachment])


async def note_unread_document(
    state: ReadInput, runtime: Runtime[Context], error: NodeError
) -> Command[Literal["recall"]]:
    """Turn what went wrong with one document into a note on it, and go on."""
    return Command(update=Update(attachments=[failed_attachment(state, runtime, error.error)]), goto="recall")


def _reporter(runtime: Runtime[Context]) -> Callable[[Attachment], None]:
    """What reports progress from another task: the stream writer finds the run in the node's context variables."""
    context = copy_context()
    return lambda attachment: context.run(emit_attachment, runtime, attachment)


def failed_attachment(state: ReadInput, runtime: Runtime[Context], error: BaseException) -> Attachment:
    """Return the attachment as failed, with the error's texts when they are fit to show."""
    known = error if isinstance(error, AppError) else ReadingTimedOut(name=state["attachment"]["name"])
    attachment = Attachment(**state["attachment"], status="failed", error=known.body(state["language"]))  # type: ignore[typeddict-item]
    emit_attachment(runtime, attachment)
    return attachment
