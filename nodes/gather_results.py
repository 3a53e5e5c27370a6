"""Gather what the calls of one round gave: in the order of the calls, with their passages numbered."""

from __future__ import annotations

from langchain_core.messages import AIMessage, AnyMessage, ToolCall, ToolMessage
from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from domain.fence import fenced
from domain.types import Source, ToolFindings
from domain.words import Words
from tools.selection import FIND_TOOLS
from turn.context import Context
from turn.material import sources_text
from turn.state import CallResult, State, Update

TITLE = Words("Gather results", "汇总结果")


async def gather_results(state: State, runtime: Runtime[Context]) -> Update:
    """Answer each call of the newest message with its result, and offer the tools that `find_tools` found.

    A model that makes only calls that it has made before in this turn gets their results and no further round.
    """
    message = state["messages"][-1]
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    made = [(run["name"], run["arguments"]) for run in state.get("tool_runs", [])]
    repeats = all((call["name"], call["args"]) in made for call in calls)
    sources = [*state.get("sources", [])]
    messages: list[AnyMessage] = []
    results = sorted(state["call_results"], key=lambda result: result["index"])
    for result in results:
        found: list[Source] = [
            {**source, "number": number} for number, source in enumerate(result["sources"], len(sources) + 1)
        ]
        messages.append(_message(calls[result["index"]], result, found))
        sources.extend(found)
    tools = runtime.context.services.tools
    wanted = [
        name for result in results if result["run"]["name"] == FIND_TOOLS for name in result["data"].get("tools", ())
    ]
    offered = state["offered_tools"]
    return Update(
        messages=messages,
        sources=sources,
        offered_tools=tools.narrowed([FIND_TOOLS, *wanted, *offered]) if wanted else offered,
        tool_runs=[*state.get("tool_runs", []), *(result["run"] for result in results)],
        tool_rounds=runtime.context.services.settings.max_tool_rounds if repeats else state["tool_rounds"] + 1,
        call_results=Overwrite([]),  # type: ignore[typeddict-item]  # passes the reducer by
    )


def _message(call: ToolCall, result: CallResult, sources: list[Source]) -> ToolMessage:
    body = "\n\n".join(part for part in (result["text"], sources_text(sources)) if part)
    return ToolMessage(
        fenced(body),
        tool_call_id=str(call["id"]),
        name=call["name"],
        status="success" if result["run"]["status"] == "ok" else "error",
        artifact=ToolFindings(sources=sources, data=result["data"], code=result["code"]),
    )
