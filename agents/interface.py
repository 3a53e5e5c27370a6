"""What a specialist declares: what it is for, what it may call, and the steps of its own."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from operator import add
from typing import Annotated, Any

from langchain_core.messages import ToolCall
from langgraph.runtime import Runtime
from langgraph.types import Send
from typing_extensions import TypedDict

from domain.agents import AgentResult
from domain.types import AttachmentRef, DocumentNote, Source, ToolRun
from domain.words import Words
from tools.interface import Permission, ToolSpec
from turn.context import Context
from turn.state import CallInput, CallResult, State, Update


class Part(TypedDict):
    """One part of a specialist's work: a document that was read, a section that was written.

    `cells` are its texts, whose citations name `sources`, numbered from 1; `code` says why there are none.
    """

    index: int
    name: str
    cells: list[str]
    sources: list[Source]
    code: str


class Work(State, total=False):
    """What a specialist works on: a task instead of a conversation."""

    parts: Annotated[list[Part], add]
    """Parts of the work that ran side by side, in any order."""


class AskInput(CallInput):
    """What a specialist hands on when it asks another one: the call, and what it has found itself."""

    documents: list[DocumentNote]
    found: AgentResult


class Outcome(Update, total=False):
    """What a step of a specialist may write."""

    parts: Annotated[list[Part], add]


Step = Callable[[Any, Runtime[Context]], Awaitable[Outcome]]


@dataclass(frozen=True, kw_only=True)
class OwnStep:
    """A step that the specialist's model calls like a tool; its result goes back to the model.

    Attributes:
        function: Name, description and arguments, as the model reads them.
        run: The node: takes a `CallInput`, writes `call_results`.
    """

    function: ToolSpec
    run: Callable[[CallInput, Runtime[Context]], Awaitable[Update]]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Work in parts side by side, which the specialist's model calls like a tool; what joins them is the result.

    Attributes:
        function: Name, description and arguments, as the model reads them.
        split: Returns what each part is given; empty where the call cannot be carried out.
        part: The node that does one part.
        join: The node that puts the parts together; the specialist ends with it.
    """

    function: ToolSpec
    split: Callable[[Work, Context, ToolCall], Sequence[Any]]
    part: Step
    join: Step

    def tasks(self, work: Work, context: Context, call: ToolCall) -> list[Send]:
        """Return one task a part."""
        return [Send(node_name(self.part), given) for given in self.split(work, context, call)]


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A specialist.

    Attributes:
        name: What the model calls it, and its node.
        title: Its name for people.
        description: What it is for, as the model reads it.
        prompt: Its instructions.
        tools: Names of the tools that it may use, with `*`; those that the turn may not use are left out.
        permissions: Kinds of tools that it may use.
        model: Another model of the same endpoint; empty: that of the turn.
        context_tokens: Window of that model; 0: that of the turn's.
        seconds: Longest time of its work, where AGENT_TIMEOUT is longer.
        steps: What it does itself, called by its model.
        spread: What it does in parts.
        writes: It needs a model that writes; the bundled one does not.
    """

    name: str
    title: Words
    description: str
    prompt: Words
    tools: Sequence[str] = ()
    permissions: frozenset[Permission] = frozenset({"read", "egress"})
    model: str = ""
    context_tokens: int = 0
    seconds: float = float("inf")
    steps: Sequence[OwnStep] = ()
    spread: Spread | None = None
    writes: bool = False

    @property
    def functions(self) -> list[ToolSpec]:
        """What its model may call beside tools."""
        return [*(step.function for step in self.steps), *([self.spread.function] if self.spread else [])]


def node_name(step: Callable[..., object]) -> str:
    """Return the name of the node that runs a step: that of its function."""
    return str(step.__name__)


def step_result(
    given: CallInput, text: str, started: float, *, code: str = "", files: Sequence[AttachmentRef] = ()
) -> CallResult:
    """Return what a step of a specialist gave.

    Args:
        given: The call.
        text: What the model is told.
        started: `time.perf_counter()` at its start.
        code: Why it failed; "" where it did not.
        files: What it made.
    """
    call = given["call"]
    run = ToolRun(
        name=call["name"], arguments=call["args"], status="error" if code else "ok",
        seconds=round(time.perf_counter() - started, 3), cached=False,
    )  # fmt: skip
    return CallResult(index=given["index"], text=text, sources=[], run=run, data={}, code=code, artifacts=list(files))
