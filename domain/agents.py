"""What specialists hand back: typed results, which the turn reads, cites and shows."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from domain.types import AttachmentRef, Source, ToolRun, Usage

AgentStatus = Literal["ok", "partial", "failed"]
"""It did its task; its time or budget ended before; it has nothing."""


class AgentRun(TypedDict):
    """What one specialist did in a turn, as clients see it. `parent` is the run of the agent that asked it."""

    id: str
    agent: str
    task: str
    status: Literal["running"] | AgentStatus
    seconds: float
    code: str
    parent: NotRequired[str]


class AgentResult(TypedDict):
    """What one specialist found.

    `text` is Markdown; its citations name `sources`, numbered from 1. `code` says why it is partial or failed, else "".
    `inner` are the runs of agents that it asked; `tool_runs` are its own calls and theirs.
    """

    run: AgentRun
    text: str
    sources: list[Source]
    artifacts: list[AttachmentRef]
    data: dict[str, Any]
    tool_runs: list[ToolRun]
    inner: list[AgentRun]
    usage: Usage
