"""Read one document, as far as it is ready when the turn wants to go on."""

from __future__ import annotations

import asyncio
from contextvars import copy_context

from langgraph.runtime import Runtime

from domain.types import Attachment
from domain.words import Words
from turn.context import Context
from turn.progress import emit_attachment, owner_of
from turn.state import ReadInput, Update

TITLE = Words("Read document", "读取文档")


async def ingest_document(state: ReadInput, runtime: Runtime[Context]) -> Update:
    """Read, chunk and index a document; one that takes longer than `read_wait` is read on in the background.

    Its text is searchable by keyword when this returns, its vectors and summary follow. A document that cannot be used
    becomes a failed attachment with code, message and remedy; it never fails the turn.
    """
    services, owner, ref = runtime.context.services, owner_of(runtime), state["attachment"]
    context = copy_context()

    def report(attachment: Attachment) -> None:
        """Report progress from another task: the stream writer finds the run in the node's context variables."""
        context.run(emit_attachment, runtime, attachment)

    try:
        async with asyncio.timeout(services.settings.read_wait):
            attachment = await services.ingestion.read_document(
                ref, owner, language=state["language"], on_progress=report
            )
    except TimeoutError:
        attachment = await services.documents.get(ref["id"], owner)
    emit_attachment(runtime, attachment)
    return Update(attachments=[attachment])
