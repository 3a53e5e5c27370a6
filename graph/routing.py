"""Which node comes next. Pure functions of the state."""

from __future__ import annotations

from typing import Literal

from langchain_core.messages import AIMessage
from langgraph.types import Send

from turn.state import ReadInput, State


def route_by_modality(state: State) -> list[Send] | Literal["recall"]:
    """One branch per file, side by side: pictures to `read_image`, everything else to `ingest_document`."""
    pending = state.get("pending") or []
    if not pending:
        return "recall"
    return [
        Send(
            "read_image" if ref["kind"] == "image" else "ingest_document",
            ReadInput(attachment=ref, language=state["language"], question=state["question"]["text"]),
        )
        for ref in pending
    ]


def route_answer(state: State) -> Literal["run_tools", "verify_citations"]:
    """To the tools when the model asked for some, else to the check of the answer."""
    last = state["messages"][-1]
    return "run_tools" if isinstance(last, AIMessage) and last.tool_calls else "verify_citations"
