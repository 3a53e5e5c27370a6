"""The calls of a round as tasks of the graph: tools side by side, and specialists at nodes of their own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall, ToolMessage
from langgraph.types import Send

from tools.delegate import NAME as DELEGATE
from turn.approval import review
from turn.context import Context
from turn.labelled import users_words
from turn.material import findings
from turn.state import AgentInput, CallInput, State

RUN_TOOL = "run_tool"
MAX_CALLS = 8
"""Most calls of one round that are run; the others are refused with a message to the model."""

Step = Callable[[ToolCall], str | None]


def call_tasks(state: State, context: Context, own_step: Step = lambda _: None) -> list[Send]:
    """Return one task for every call of the newest message, so that none is run again for the sake of another.

    Calls for which the budget has no room, beside that of the answer, are refused.

    Args:
        state: A turn, or a specialist's work.
        context: Of the same.
        own_step: The node that takes a call itself, for a call that is not of a tool.
    """
    message = state["messages"][-1]
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    agents = [index for index, call in enumerate(calls) if _agent_of(call, context)]
    room = min(MAX_CALLS, context.meter.left("calls") - 1)
    tasks = []
    for index, call in enumerate(calls):
        known = call["name"] in state["offered_tools"] or is_forced(call, context) or own_step(call) is not None
        given = CallInput(
            call=call, index=index, offered=index < room and known, review=review(call, state, context),
            language=state["language"],
        )  # fmt: skip
        agent = _agent_of(call, context) if given["offered"] else ""
        if agent:
            asked = AgentInput(
                **given, documents=state.get("documents", []), said=users_words(state, context),
                spent=context.meter.spent(), share=1 / len(agents),
            )  # fmt: skip
            tasks.append(Send(agent, asked))
        else:
            tasks.append(Send((own_step(call) if given["offered"] else None) or RUN_TOOL, given))
    return tasks


def _agent_of(call: ToolCall, context: Context) -> str:
    """Return the specialist that a call hands a task to, empty where it is none that there is."""
    if call["name"] != DELEGATE or context.agent_run:
        return ""
    agent, task = call["args"].get("agent"), call["args"].get("task")
    names = context.services.agents.names
    return agent if agent in names and isinstance(task, str) and task.strip() else ""


def is_forced(call: ToolCall, context: Context) -> bool:
    """Whether the caller chose the specialist whose call this is."""
    return bool(context.agent) and call["name"] == DELEGATE and call["args"].get("agent") == context.agent


def ready_answer(state: State, context: Context) -> AIMessage | None:
    """Return the answer of a step for which no model has to be asked; None where it has to be.

    That is a call of the specialist whom the caller chose, and the result of one that was to be the answer itself.
    """
    if context.agent and not state["tool_rounds"]:
        arguments = {"agent": context.agent, "task": state["question"]["text"], "direct": True}
        return AIMessage("", tool_calls=[ToolCall(name=DELEGATE, args=arguments, id=f"call_{uuid.uuid4().hex[:24]}")])
    result = _only_result(state["messages"])
    if result is None or context.model_options.response_format is not None:
        return None
    given: dict[str, Any] = findings(result)["data"]
    return AIMessage(given["answer"]) if given.get("direct") and result.status == "success" else None


def _only_result(messages: Sequence[AnyMessage]) -> ToolMessage | None:
    """Return the result of a round of one call, the newest message."""
    last, before = messages[-1], messages[-2] if len(messages) > 1 else HumanMessage("")
    alone = isinstance(before, AIMessage) and len(before.tool_calls) == 1
    return last if isinstance(last, ToolMessage) and alone else None
