"""Read one picture: its text by OCR and its content by the vision model, side by side."""

from __future__ import annotations

from langgraph.runtime import Runtime

from domain.words import Words
from turn.context import Context
from turn.progress import emit_attachment, owner_of
from turn.state import ReadInput, Update

TITLE = Words("Read picture", "识别图片")


async def read_image(state: ReadInput, runtime: Runtime[Context]) -> Update:
    """Recognise and describe a picture; both results are kept apart and labelled.

    Without a vision model the description stays empty, and the picture's text and facts have to serve.
    """
    services = runtime.context.services
    attachment = await services.ingestion.read_picture(
        state["attachment"], owner_of(runtime), language=state["language"], question=state["question"]
    )
    emit_attachment(runtime, attachment)
    return Update(attachments=[attachment])
