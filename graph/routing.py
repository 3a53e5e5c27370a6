"""Which nodes come next. Pure functions of the state."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage
from langgraph.types import Send

from domain.citations import Marker, scan
from turn.state import ReadInput, State

Next = Sequence[Send | str]


def route_by_modality(state: State) -> Next:
    """One branch per file, side by side: pictures to `read_image`, everything else to `ingest_document`."""
    return [
        Send(
            "read_image" if ref["kind"] == "image" else "ingest_document",
            ReadInput(attachment=ref, language=state["language"], question=state["question"]["text"]),
        )
        for ref in state["pending"]
    ] or ["recall", "select_tools"]


def route_answer(state: State) -> Next:
    """To the tools when the model asked for some, else to the check of the answer; past it when nothing can be cited.

    What looks like a citation is checked in any case.
    """
    last = state["messages"][-1]
    if isinstance(last, AIMessage) and last.tool_calls:
        return ["run_tools"]
    citable = any(state.get(key) for key in ("sources", "documents", "attachments", "tool_runs"))
    if citable or any(isinstance(piece, Marker) for piece in scan(state["answer"])):
        return ["verify_citations"]
    return ["remember"]
