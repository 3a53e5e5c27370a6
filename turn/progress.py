"""Events that nodes emit while they work, and the owner of the turn."""

from __future__ import annotations

from typing import Literal

from langgraph.runtime import Runtime

from domain.owner import Owner
from domain.types import Attachment
from turn.context import Context

Event = Literal["attachment", "tool", "citation", "usage", "warning"]


def owner_of(runtime: Runtime[Context]) -> Owner:
    """Return the user and thread of this turn; in LangGraph Studio the checkpointer's id names the thread."""
    context, execution = runtime.context, runtime.execution_info
    return Owner(context.user_id, context.thread_id or (execution.thread_id if execution else None))


def memory_key_of(runtime: Runtime[Context]) -> str:
    """Return the checkpointer's thread id of this turn, or an empty string without memory."""
    execution = runtime.execution_info
    return (execution.thread_id if execution else None) or ""


def emit(runtime: Runtime[Context], event: Event, data: object) -> None:
    """Send one custom stream event."""
    runtime.stream_writer({"event": event, "data": data})


def emit_attachment(runtime: Runtime[Context], attachment: Attachment) -> None:
    """Report the state of one file, without its recognised lines."""
    emit(runtime, "attachment", {key: value for key, value in attachment.items() if key != "ocr"})
