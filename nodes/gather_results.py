"""Gather what the calls of one round gave: in the order of the calls, with their passages numbered."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage, ToolCall, ToolMessage
from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from domain.agents import AgentRun
from domain.citations import renumbered
from domain.fence import fenced
from domain.types import Source, ToolFindings, ToolRun
from domain.words import Words
from tools.read_result import READ_RESULT
from tools.selection import FIND_TOOLS
from turn.answer import with_usage_of
from turn.context import Context
from turn.material import sources_text
from turn.progress import emit
from turn.state import CallResult, State, Update
from turn.texts import NEEDS_APPROVAL, UNKNOWN_EFFECT

TITLE = Words("Gather results", "汇总结果")
TOLD = {"unknown_effect": UNKNOWN_EFFECT, "needs_approval": NEEDS_APPROVAL}
"""What the user is told of a call, by the code that it ended with."""


async def gather_results(state: State, runtime: Runtime[Context]) -> Update:
    """Answer each call of the newest message with its result, and offer the tools that the results call for.

    These are what `find_tools` found, and `read_result` where a result was too long. Of a call that may or may not have
    taken effect, or that nobody could be asked to approve, the user is warned.

    A model that makes only calls that it has made before in this turn gets their results and no further round.
    """
    message = state["messages"][-1]
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    made = [(run["name"], run["arguments"]) for run in state.get("tool_runs", [])]
    repeats = all((call["name"], call["args"]) in made for call in calls)
    sources = [*state.get("sources", [])]
    messages: list[AnyMessage] = []
    usage = state["usage"]
    results = sorted(state["call_results"], key=lambda result: result["index"])
    for result in results:
        found: list[Source] = [
            {**source, "number": number} for number, source in enumerate(result["sources"], len(sources) + 1)
        ]
        messages.append(_message(calls[result["index"]], result, found))
        sources.extend(found)
        usage = with_usage_of(usage, result.get("agent"))
    tools = runtime.context.services.tools
    wanted = [
        name for result in results if result["run"]["name"] == FIND_TOOLS for name in result["data"].get("tools", ())
    ]
    offered = tools.narrowed([FIND_TOOLS, *wanted, *state["offered_tools"]]) if wanted else state["offered_tools"]
    warnings = [*state.get("warnings", [])]
    runs = [run for result in results for run in _tool_runs(result)]
    for run in runs:
        if run.get("result_id") and READ_RESULT not in offered and runtime.context.allows(READ_RESULT):
            offered = [*offered, READ_RESULT]
        code = str(run.get("code"))
        if code in TOLD:
            warnings.append(TOLD[code].text(state["language"]).format(name=run["name"]))
            emit(runtime, "warning", {"code": code, "message": warnings[-1]})
    return Update(
        messages=messages,
        sources=sources,
        offered_tools=offered,
        warnings=warnings,
        tool_runs=[*state.get("tool_runs", []), *runs],
        agent_runs=[*state.get("agent_runs", []), *(run for result in results for run in _agent_runs(result))],
        artifacts=[*state.get("artifacts", []), *(file for result in results for file in result.get("artifacts", []))],
        usage=usage,
        tool_rounds=runtime.context.services.settings.max_tool_rounds if repeats else state["tool_rounds"] + 1,
        call_results=Overwrite([]),  # type: ignore[typeddict-item]  # passes the reducer by
    )


def _tool_runs(result: CallResult) -> Sequence[ToolRun]:
    """The call of a tool; of a specialist, the calls that it made."""
    return result["agent"]["tool_runs"] if "agent" in result else [result["run"]]


def _agent_runs(result: CallResult) -> Sequence[AgentRun]:
    return [result["agent"]["run"], *result["agent"]["inner"]] if "agent" in result else []


def _message(call: ToolCall, result: CallResult, sources: list[Source]) -> ToolMessage:
    text, data = result["text"], result["data"]
    if "agent" in result:
        numbers = {number: source["number"] for number, source in enumerate(sources, 1)}
        text = renumbered(text, numbers)
        data = {**data, "answer": text, "direct": bool(call["args"].get("direct"))}
    body = "\n\n".join(part for part in (text, sources_text(sources)) if part)
    found = ToolFindings(sources=sources, data=data, code=result["code"])
    if "label" in result:
        found["label"] = result["label"]
    return ToolMessage(
        fenced(body),
        tool_call_id=str(call["id"]),
        name=call["name"],
        status="success" if result["run"]["status"] == "ok" else "error",
        artifact=found,
    )
