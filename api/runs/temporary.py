"""Temporary conversations: what a turn of one leaves out, and what was said in one while it lives.

Its row in the database tells that nothing of it is kept; its memory is in Redis alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, HumanMessage

from api.runs.memory import thread_config

if TYPE_CHECKING:
    from api.runs.request import TurnRequest
    from domain.owner import Owner
    from graph.builder import Graph


def without_traces(request: TurnRequest) -> TurnRequest:
    """Return the request of a temporary turn: it neither uses nor keeps what is known of the user."""
    return replace(
        request,
        owner=replace(request.owner, temporary=True),
        options=replace(request.options, temporary=True, memory=False, profile=False),
    )


async def said_in(graph: Graph, owner: Owner) -> list[dict[str, Any]]:
    """Return the questions and answers that a thread remembers: role and text of each, of a turn its last words.

    Raises:
        MemoryUnavailable: Redis failed.
    """
    messages = (await graph.aget_state(thread_config(owner.memory_key))).values.get("messages", [])
    said: list[dict[str, Any]] = []
    for message in messages:
        text = str(message.text)
        if isinstance(message, AIMessage) and text.strip():
            if said and said[-1]["role"] == "assistant":
                said.pop()
            said.append({"role": "assistant", "text": text})
        elif isinstance(message, HumanMessage):
            said.append({"role": "user", "text": text})
    return said
