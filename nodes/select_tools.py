"""Offer the tools that fit this turn, and no others."""

from __future__ import annotations

from langchain_core.messages import AIMessage, ToolMessage
from langgraph.runtime import Runtime

from domain.words import Words
from tools.read_result import READ_RESULT
from turn.context import Context
from turn.material import findings
from turn.state import State, Update

TITLE = Words("Choose tools", "选择工具")
MOST_KEPT = 4
"""Most tools of earlier turns that stay offered, the newest first: "And in Tokyo?" needs the one of the turn before."""


async def select_tools(state: State, runtime: Runtime[Context]) -> Update:
    """Offer what is set up, what the request allows, and what fits what the turn holds.

    Of more tools than a prompt should hold, those near the user's words are offered. Where the tools that a caller
    brings replace ours, none is.
    """
    if runtime.context.model_options.replaces_ours:
        return Update(offered_tools=[])
    documents = bool(state["documents"]) or any(file["status"] != "failed" for file in state["attachments"])
    question = state["question"]
    used = [
        call["name"]
        for message in reversed(state["messages"])
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    ]
    offered = await runtime.context.services.tools.selected(
        " ".join(filter(None, (question["text"], question["follows"]))),
        documents=documents,
        names=runtime.context.tools,
        kept=list(dict.fromkeys(used))[:MOST_KEPT],
    )
    kept = any(
        "result_id" in findings(result)["data"] for result in state["messages"] if isinstance(result, ToolMessage)
    )
    if kept and READ_RESULT not in offered and runtime.context.allows(READ_RESULT):
        offered = [*offered, READ_RESULT]
    return Update(offered_tools=offered)
