"""Run one tool that the model asked for: a task of its own for every call of a round."""

from __future__ import annotations

from langgraph.runtime import Runtime

from domain.words import Words
from tools.interface import Caller
from turn.context import Context
from turn.progress import emit, owner_of
from turn.state import CallInput, CallResult, Update

TITLE = Words("Run a tool", "调用工具")


async def run_tool(state: CallInput, runtime: Runtime[Context]) -> Update:
    """Run one call; a failing one becomes an error message for the model."""
    call, language = state["call"], state["language"]
    emit(runtime, "tool", {"name": call["name"], "arguments": call["args"], "status": "running", "call_id": call["id"]})
    meter = runtime.context.meter
    meter.add_call()
    caller = Caller(
        owner=owner_of(runtime), language=language, run_id=runtime.context.run_id, call_id=str(call["id"]),
        seconds=meter.working_seconds(), tools=runtime.context.tools,
    )  # fmt: skip
    tools = runtime.context.services.tools
    outcome = await tools.call(call["name"], call["args"], caller, refused=not state["offered"])
    emit(runtime, "tool", outcome.run)
    result = CallResult(
        index=state["index"], text=outcome.text, sources=outcome.sources, run=outcome.run, data=dict(outcome.data),
        code=outcome.code,
    )  # fmt: skip
    return Update(call_results=[result])
