"""Events that nodes emit while they work, and the owner of the turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from langgraph.runtime import Runtime

from domain.owner import Owner
from domain.types import Attachment
from turn.context import Context

Event = Literal["attachment", "tool", "agent", "citation", "usage", "warning"]


def owner_of(runtime: Runtime[Context]) -> Owner:
    """Return the user and thread of this turn; in LangGraph Studio the checkpointer's id names the thread."""
    context, execution = runtime.context, runtime.execution_info
    thread_id = context.thread_id or (execution.thread_id if execution else None)
    return Owner(context.user_id, thread_id, temporary=context.temporary)


def memory_key_of(runtime: Runtime[Context]) -> str:
    """Return the checkpointer's thread id of this turn, or an empty string without memory."""
    execution = runtime.execution_info
    return (execution.thread_id if execution else None) or ""


def emit(runtime: Runtime[Context], event: Event, data: Mapping[str, Any]) -> None:
    """Send one custom stream event; of a specialist, what it calls, marked with its run.

    Its usage and warnings are told with its result.
    """
    agent = runtime.context.agent_run
    if not agent:
        runtime.stream_writer({"event": event, "data": data})
    elif event in ("tool", "agent"):
        runtime.stream_writer({"event": event, "data": {"parent" if event == "agent" else "agent": agent, **data}})


def emit_attachment(runtime: Runtime[Context], attachment: Attachment) -> None:
    """Report the state of one file, without its recognised lines."""
    emit(runtime, "attachment", {key: value for key, value in attachment.items() if key != "ocr"})
