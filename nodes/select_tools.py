"""Offer the tools that fit this turn, and no others."""

from __future__ import annotations

from langgraph.runtime import Runtime

from turn.context import Context
from turn.state import State, Update


async def select_tools(state: State, runtime: Runtime[Context]) -> Update:
    """Offer what is set up, what the request allows, and what fits what the turn holds; never by the words of it."""
    tools = runtime.context.services.tools
    return Update(offered_tools=tools.offered(documents=bool(state.get("documents")), names=runtime.context.tools))
