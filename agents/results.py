"""From what a specialist left to a typed result: its text, and of its sources those that the text cites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from langchain_core.messages import AIMessage, ToolCall

from agents import texts
from agents.interface import Work
from domain.agents import AgentResult, AgentRun
from domain.citations import Marker, renumbered, scan
from domain.types import Source, ToolRun, Usage
from domain.words import Language
from turn.material import results_text
from turn.state import CallResult

MOST_CHARS = 6000
"""Most characters of what its tools returned, where a specialist ended without a text of its own."""


def result_of(work: Work | None, run: AgentRun, language: Language, code: str = "") -> AgentResult:
    """Return what a specialist found.

    Args:
        work: Where its work ended; None where it did not begin.
        run: Its run, with its seconds.
        language: Language of what is said about a failure.
        code: Why its work ended before its time, as a stable word; "" where it did not.
    """
    state: Mapping[str, Any] = work or {}
    last = state.get("messages", [None])[-1]
    told = str(state.get("answer", "")) if isinstance(last, AIMessage) and not last.tool_calls else ""
    found = told or results_text(state.get("messages", []), MOST_CHARS)
    if not code and state.get("warnings"):
        code = "budget_spent"
    text, sources = cited_alone(found, state.get("sources", [])) if told else (found, [])
    done: AgentRun = {**run, "status": "ok" if not code else "partial" if found else "failed", "code": code}
    if code:
        text = "\n\n".join(part for part in (texts.ENDED[code].text(language), text) if part)
    runs: list[ToolRun] = [{"agent": run["id"], **one} for one in state.get("tool_runs", [])]  # type: ignore[typeddict-item]
    return AgentResult(
        run=done, text=text, sources=sources, artifacts=list(state.get("artifacts", [])), data={}, tool_runs=runs,
        inner=list(state.get("agent_runs", [])),
        usage=state.get("usage") or Usage(input_tokens=0, output_tokens=0, model=""),
    )  # fmt: skip


def cited_alone(text: str, sources: Sequence[Source]) -> tuple[str, list[Source]]:
    """Return `text` with its citations numbered from 1, and the sources that they name, in that order."""
    known = {source["number"]: source for source in sources}
    named = [number for piece in scan(text) if isinstance(piece, Marker) for number in piece.numbers]
    numbers = {number: place for place, number in enumerate(dict.fromkeys(n for n in named if n in known), 1)}
    return renumbered(text, numbers), [{**known[number], "number": place} for number, place in numbers.items()]


def call_result(index: int, call: ToolCall, result: AgentResult) -> CallResult:
    """Return a specialist's result as that of the call which asked for it."""
    run = result["run"]
    data = {"agent": run["agent"], "task": run["task"], "status": run["status"]}
    status: Literal["ok", "error"] = "error" if run["status"] == "failed" else "ok"
    made = ToolRun(name=call["name"], arguments=call["args"], status=status, seconds=run["seconds"], cached=False)
    return CallResult(
        index=index, text=result["text"], sources=result["sources"], data=data, code=run["code"], run=made,
        artifacts=result["artifacts"], agent=result,
    )  # fmt: skip
