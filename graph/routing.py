"""Which nodes come next. Pure functions of state and context; a node that would find nothing to do is passed by."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage
from langgraph.graph import END
from langgraph.types import Send

from domain.citations import Marker, scan
from stores.memories.statements import may_state
from turn.calls import call_tasks
from turn.compaction import window_is_full
from turn.context import Context
from turn.state import ReadInput, State

Next = Sequence[Send | str]


def route_by_modality(state: State, context: Context) -> Next:
    """One branch per file, side by side: pictures to `read_image`, everything else to `ingest_document`.

    A turn without files goes on to the tools, and to `recall` when there are documents or memories to search or the
    window is full, so that a summary may be waiting.
    """
    branches = [
        Send(
            "read_image" if ref["kind"] == "image" else "ingest_document",
            ReadInput(attachment=ref, language=state["language"], question=state["question"]["text"]),
        )
        for ref in state["pending"]
    ]
    if branches:
        return branches
    recalls = state["documents"] or state["remembers"] or _window_is_full(state, context)
    return ["recall", "select_tools"] if recalls else ["select_tools"]


def route_answer(state: State, context: Context) -> Next:
    """To the tools when the model asked for some, else to the check of the answer.

    Where nothing can be cited and nothing in the answer looks like a citation, past the check; where the turn also
    leaves nothing to trim, to the end. Calls of the caller's own tools end the turn; JSON is left as it is.
    """
    last = state["messages"][-1]
    if isinstance(last, AIMessage) and last.tool_calls:
        return [END] if context.model_options.ends_turn(last) else call_tasks(state, context)
    if context.model_options.response_format is not None:
        return ["remember"]
    citable = any(state.get(key) for key in ("sources", "documents", "attachments", "tool_runs"))
    if citable or any(isinstance(piece, Marker) for piece in scan(state["answer"])):
        return ["verify_citations"]
    stated = context.memory and may_state(state["question"]["text"])
    return ["remember"] if stated or last.additional_kwargs or _window_is_full(state, context) else [END]


def _window_is_full(state: State, context: Context) -> bool:
    return window_is_full(state["messages"], context.services.chat.context_tokens)
