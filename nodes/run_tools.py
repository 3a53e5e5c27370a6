"""Run the tools that the model asked for, side by side."""

from __future__ import annotations

import asyncio

from langchain_core.messages import AIMessage, AnyMessage, ToolCall, ToolMessage
from langgraph.runtime import Runtime

from domain.fence import fenced
from domain.types import Source, ToolFindings, ToolRun
from domain.words import Words
from tools.interface import Caller, ToolOutcome
from turn.context import Context
from turn.material import sources_text
from turn.progress import emit, owner_of
from turn.state import State, Update

TITLE = Words("Run tools", "调用工具")
MAX_CALLS = 8
"""Most calls of one round that are run; the others are refused with a message to the model."""


async def run_tools(state: State, runtime: Runtime[Context]) -> Update:
    """Run all calls of the newest message concurrently; a failing one becomes an error message for the model.

    A model that makes only calls that it has made before in this turn gets their results and no further round.
    """
    message = state["messages"][-1]
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    made = [(run["name"], run["arguments"]) for run in state.get("tool_runs", [])]
    repeats = all((call["name"], call["args"]) in made for call in calls)
    outcomes = await asyncio.gather(*(_call(call, index, state, runtime) for index, call in enumerate(calls)))
    number = len(state.get("sources", []))
    results: list[AnyMessage] = []
    found: list[Source] = []
    runs: list[ToolRun] = []
    for call, outcome in zip(calls, outcomes, strict=True):
        sources: list[Source] = []
        for source in outcome.sources:
            number += 1
            sources.append({**source, "number": number})
        results.append(_result(call, outcome, sources))
        found.extend(sources)
        runs.append(outcome.run)
    return Update(
        messages=results,
        sources=[*state.get("sources", []), *found],
        tool_runs=[*state.get("tool_runs", []), *runs],
        tool_rounds=runtime.context.services.settings.max_tool_rounds if repeats else state["tool_rounds"] + 1,
    )


async def _call(call: ToolCall, index: int, state: State, runtime: Runtime[Context]) -> ToolOutcome:
    services = runtime.context.services
    emit(runtime, "tool", {"name": call["name"], "arguments": call["args"], "status": "running"})
    name = call["name"] if index < MAX_CALLS and call["name"] in state["offered_tools"] else ""
    caller = Caller(owner=owner_of(runtime), language=state["language"])
    outcome = await services.tools.call(name or call["name"], call["args"], caller, refused=not name)
    emit(runtime, "tool", outcome.run)
    return outcome


def _result(call: ToolCall, outcome: ToolOutcome, sources: list[Source]) -> ToolMessage:
    body = "\n\n".join(part for part in (outcome.text, sources_text(sources)) if part)
    return ToolMessage(
        fenced(body),
        tool_call_id=str(call["id"]),
        name=call["name"],
        status="success" if outcome.run["status"] == "ok" else "error",
        artifact=ToolFindings(sources=sources, data=dict(outcome.data), code=outcome.code),
    )
