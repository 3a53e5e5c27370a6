"""Close the turn: keep in memory what later turns need, and start the summary of old messages in the background."""

from __future__ import annotations

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.runtime import Runtime

from domain.fence import CLOSE
from domain.words import Words
from turn.compaction import compact, window_excess
from turn.context import Context
from turn.material import CUT, digest
from turn.progress import memory_key_of, owner_of
from turn.prompts import newest_turn
from turn.remembering import Said, keep, keeping
from turn.state import State, Update

TITLE = Words("Remember", "记忆")
TOOL_CHARS = 1200
"""Most characters of a tool result that later turns see."""


async def remember(state: State, runtime: Runtime[Context]) -> Update:
    """Trim tool results, note the files on the user's message, and start a compaction when the window is full."""
    start = newest_turn(state["messages"])
    changed: list[AnyMessage] = [
        message.model_copy(update={"content": _short(str(message.text)), "artifact": None})
        for message in state["messages"][start:]
        if isinstance(message, ToolMessage) and (len(str(message.text)) > TOOL_CHARS or message.artifact)
    ]
    question = state["messages"][start]
    if state.get("attachments") and isinstance(question, HumanMessage):
        notes = digest(state["attachments"], state["language"])
        changed.append(
            question.model_copy(update={"additional_kwargs": {**question.additional_kwargs, "notes": notes}})
        )
    last = state["messages"][-1]
    if isinstance(last, AIMessage) and last.additional_kwargs:
        changed.append(last.model_copy(update={"additional_kwargs": {}}))
    _start_compaction(state, runtime)
    _keep_statements(state, runtime)
    return Update(messages=changed, pending=[], sources=[])


def _short(text: str) -> str:
    return text if len(text) <= TOOL_CHARS else text[:TOOL_CHARS] + CUT + CLOSE


def _keep_statements(state: State, runtime: Runtime[Context]) -> None:
    """Look in the background for what the user stated, in conversations that are remembered themselves."""
    context = runtime.context
    if not context.memory or not memory_key_of(runtime):
        return
    text = str(state["messages"][newest_turn(state["messages"])].text)
    said = Said(
        text=text, language=state["language"], owner=owner_of(runtime), run_id=context.run_id,
        persona=context.memory_scope.keeps, wishes=context.profile and not context.persona,
        time_zone=context.time_zone if context.profile else "", before=context.said_before,
    )  # fmt: skip
    context.services.background.spawn(keeping(context.run_id or str(id(said))), keep(context.services, said))


def _start_compaction(state: State, runtime: Runtime[Context]) -> None:
    services, memory_key = runtime.context.services, memory_key_of(runtime)
    if not memory_key:
        return
    old = window_excess(state["messages"], services.chat.context_tokens)
    if old:
        work = compact(services, memory_key, state.get("summary", ""), old, state["language"])
        services.background.spawn(f"compact {memory_key}", work)
