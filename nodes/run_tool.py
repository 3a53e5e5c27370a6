"""Run one tool that the model asked for: a task of its own for every call of a round."""

from __future__ import annotations

from dataclasses import replace

from langgraph.runtime import Runtime

from domain.words import Words
from tools.interface import Caller, ToolOutcome
from turn.approval import permitted
from turn.context import Context
from turn.profile import time_zone_of
from turn.progress import emit, owner_of
from turn.state import CallInput, CallResult, Update

TITLE = Words("Run a tool", "调用工具")


async def run_tool(state: CallInput, runtime: Runtime[Context]) -> Update:
    """Run one call; a failing one becomes an error message for the model, and one that is not permitted as well."""
    call, tools, meter = state["call"], runtime.context.services.tools, runtime.context.meter
    caller = Caller(
        owner=owner_of(runtime), language=state["language"], run_id=runtime.context.run_id, call_id=str(call["id"]),
        seconds=meter.working_seconds(), tools=runtime.context.tools, time_zone=await time_zone_of(runtime),
        memory_scope=runtime.context.memory_scope, said_before=runtime.context.said_before,
    )  # fmt: skip
    granted = await permitted(state, runtime, caller)
    if isinstance(granted, ToolOutcome):
        return _update(await tools.not_permitted(granted, caller), state, runtime)
    arguments, approved = granted
    emit(runtime, "tool", {"name": call["name"], "arguments": arguments, "status": "running", "call_id": call["id"]})
    meter.add_call()
    outcome = await tools.call(call["name"], arguments, caller, refused=not state["offered"])
    if approved is not None:
        outcome = replace(outcome, run={**outcome.run, "approved": approved})
    return _update(outcome, state, runtime)


def _update(outcome: ToolOutcome, state: CallInput, runtime: Runtime[Context]) -> Update:
    emit(runtime, "tool", outcome.run)
    result = CallResult(
        index=state["index"], text=outcome.text, sources=outcome.sources, run=outcome.run, data=dict(outcome.data),
        code=outcome.code,
    )  # fmt: skip
    if outcome.label is not None:
        result["label"] = outcome.label
    return Update(call_results=[result])
