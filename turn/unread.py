"""What becomes of a file whose reading went wrong: a note on it, and the turn goes on."""

from __future__ import annotations

from typing import Literal

from langgraph.errors import NodeError
from langgraph.runtime import Runtime
from langgraph.types import Command

from domain.errors import AppError, ReadingTimedOut
from turn.context import Context
from turn.intake import failed_file
from turn.progress import emit_attachment
from turn.state import ReadInput, Update


async def note_unread(
    state: ReadInput, runtime: Runtime[Context], error: NodeError
) -> Command[Literal["recall", "select_tools"]]:
    """Record the file as failed, with the error's texts when they are fit to show, and go on."""
    ref, cause = state["attachment"], error.error
    known = cause if isinstance(cause, AppError) else ReadingTimedOut(name=ref["name"])
    attachment = failed_file(ref, known, state["language"])
    emit_attachment(runtime, attachment)
    return Command(update=Update(attachments=[attachment]), goto=["recall", "select_tools"])
