"""Offer the tools that fit this turn, and no others."""

from __future__ import annotations

from langgraph.runtime import Runtime

from domain.words import Words
from turn.context import Context
from turn.state import State, Update

TITLE = Words("Choose tools", "选择工具")


async def select_tools(state: State, runtime: Runtime[Context]) -> Update:
    """Offer what is set up, what the request allows, and what fits what the turn holds; never by the words of it.

    A caller that brings tools of its own is offered these alone.
    """
    if runtime.context.model_options.tools:
        return Update(offered_tools=[])
    documents = bool(state["documents"]) or any(file["status"] != "failed" for file in state["attachments"])
    tools = runtime.context.services.tools
    return Update(offered_tools=tools.offered(documents=documents, names=runtime.context.tools))
