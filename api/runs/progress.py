"""From chunks that the graph streams to events that clients see."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, TypedDict, cast

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage

from api.edge.instruments import FIRST_TOKEN_SECONDS
from api.runs.log import RunLog
from domain.approvals import Approval
from domain.runs import Event, is_takeover
from domain.types import Usage
from turn.citation_check import UNSUPPORTED
from turn.shown_answer import ShownAnswer
from turn.state import OutputState

STREAM_MODES = ("messages", "custom", "tasks", "values")
OUTPUT_KEYS = [*OutputState.__annotations__, "reasoning", "summary"]
INTERRUPT = "__interrupt__"
ANSWERING_NODE = "generate_answer"
_INNER = {"tool": "agent", "agent": "parent"}
"""What names the specialist that an event is of."""
_CUSTOM = frozenset({"attachment", "tool", "agent", "citation", "usage", "warning"})


class TurnOutput(OutputState, total=False):
    """What callers get back, and what the transcript keeps beside it."""

    reasoning: str
    summary: str


class Step(TypedDict):
    """A call of the model that ended with calls of tools.

    Attributes:
        text: What it said before them.
        reasoning: What it thought.
        reasoning_seconds: How long it thought.
        tools: Calls of tools of this turn, up to its own, those of specialists left out.
        agents: Specialists that were asked so far.
    """

    text: str
    reasoning: str
    reasoning_seconds: float
    tools: int
    agents: int


class Stand(TypedDict):
    """How far a turn has come, for a process that goes on with it; see the attributes of `TurnProgress`."""

    partial: str
    reasoning: str
    reasoning_seconds: float
    steps: list[Step]
    nodes: list[dict[str, Any]]
    begun: dict[str, list[str]]
    summary_before: str | None


class TurnProgress:
    """Writes the events of one turn to its log, and keeps what is needed when it is cut short.

    Args:
        log: Where the events go.
        detailed: Calls of the caller's tools are events too.
        literal: The answer is shown letter by letter, without a look for citations: it is JSON.
    """

    def __init__(self, log: RunLog, *, detailed: bool = False, literal: bool = False) -> None:
        self._log = log
        self._detailed, self._literal = detailed, literal
        self._started = time.perf_counter()
        self._nodes: dict[str, float] = {}
        self._over: frozenset[str] = frozenset()
        """Steps that had ended on another process; the graph begins them once more in its stream."""
        self._streamed = False
        self._seen_token = False
        self._shown = ShownAnswer([], "")
        self._thought_from = 0.0
        self._begun: dict[str, dict[str, None]] = {"tool": {}, "agent": {}}
        self.steps: list[Step] = []
        self.reasoning, self.reasoning_seconds = "", 0.0
        self.nodes: list[dict[str, Any]] = []
        """Steps of the graph that are over: `name`, `id`, `state`, `seconds`."""
        self.partial = ""
        self.usage = Usage(input_tokens=0, output_tokens=0, model="")
        self.output: TurnOutput = {}
        self.summary_before: str | None = None
        """The running summary that the turn began with; None before it began."""
        self.questions: dict[str, Approval] = {}
        """What waits for a person, by the ids of the graph's interrupts."""

    def stand(self) -> Stand:
        """Return how far the turn has come."""
        return Stand(
            partial=self.partial, reasoning=self.reasoning, reasoning_seconds=self.reasoning_seconds,
            steps=self.steps, nodes=self.nodes, begun={name: list(ids) for name, ids in self._begun.items()},
            summary_before=self.summary_before,
        )  # fmt: skip

    def go_on(self, stand: Stand) -> None:
        """Take up a turn where another process left it."""
        self.partial, self.reasoning = stand["partial"], stand["reasoning"]
        self.reasoning_seconds, self.summary_before = stand["reasoning_seconds"], stand["summary_before"]
        self.steps, self.nodes = list(stand["steps"]), list(stand["nodes"])
        self._begun = {name: dict.fromkeys(ids) for name, ids in stand["begun"].items()}
        self._over = frozenset(node["id"] for node in self.nodes)

    def take(self, mode: str, chunk: Any) -> None:
        """Handle one (stream mode, chunk) pair of the graph."""
        if mode == "messages":
            self._message(*chunk)
        elif mode == "custom":
            if isinstance(chunk, Mapping) and chunk.get("event") in _CUSTOM:
                self._told(chunk["event"], chunk["data"])
        elif mode == "tasks":
            self._task(chunk)
        else:
            for waiting in chunk.get(INTERRUPT, ()):
                self.questions[waiting.id] = cast("Approval", {**waiting.value, "id": waiting.id})
            self.output = cast("TurnOutput", {name: value for name, value in chunk.items() if name != INTERRUPT})
            if self.summary_before is None:
                self.summary_before = self.output.get("summary", "")

    def _told(self, event: str, data: Any) -> None:
        """Pass on what a node tells of itself."""
        self._log.append(event, data)
        if event == "usage":
            self.usage = data
        elif event in _INNER and not data.get(_INNER[event]):
            # One that is refused never runs; only an id tells whether the end of one was seen to begin.
            name = data.get("call_id") or data.get("id")
            if name or data["status"] == "running":
                self._begun[event][name or str(len(self._begun[event]))] = None

    def _message(self, message: AnyMessage, metadata: Mapping[str, object]) -> None:
        if metadata.get("langgraph_node") != ANSWERING_NODE or not isinstance(message, AIMessage):
            return
        is_chunk = isinstance(message, AIMessageChunk)
        if isinstance(message, AIMessageChunk):
            self._detail(message)
        text = str(message.text)
        if not text or (not is_chunk and self._streamed):
            return
        self._streamed = True
        self._show(text if self._literal else self._shown.add(text))

    def _detail(self, message: AIMessageChunk) -> None:
        if reasoning := message.additional_kwargs.get("reasoning_content"):
            self._thought_from = self._thought_from or time.perf_counter()
            self.reasoning += reasoning
            self._log.append("reasoning", {"text": reasoning})
        elif message.content or message.tool_call_chunks:
            self._stop_thinking()
        for call in message.tool_call_chunks if self._detailed else ():
            self._log.append("call", dict(call))

    def _stop_thinking(self) -> None:
        if self._thought_from:
            self.reasoning_seconds += time.perf_counter() - self._thought_from
            self._thought_from = 0.0

    def _show(self, text: str) -> None:
        if not text:
            return
        self.partial += text
        if not self._seen_token:
            self._seen_token = True
            FIRST_TOKEN_SECONDS.observe(time.perf_counter() - self._started)
        self._log.append("token", {"text": text})

    def _task(self, task: Mapping[str, Any]) -> None:
        name, number = task["name"], task["id"]
        if number in self._over:
            return
        if "input" in task:
            self._nodes[number] = time.perf_counter()
            if name == ANSWERING_NODE:
                self._next_step()
                self.partial, self._streamed = "", False
                given = task["input"]
                self._shown = ShownAnswer(given.get("sources", []), UNSUPPORTED.text(given.get("language", "en")))
            self._log.append("node", {"name": name, "id": number, "state": "start"})
            return
        seconds = time.perf_counter() - self._nodes.pop(number, time.perf_counter())
        state = "error" if task.get("error") else "end"
        if name == ANSWERING_NODE:
            self._show(self._shown.rest())
            self._stop_thinking()
        over = {"name": name, "id": number, "state": state, "seconds": round(seconds, 4)}
        if not task.get("interrupts"):  # one that asks somebody is not over: it is begun again with the answer
            self.nodes.append(over)
        self._log.append("node", over)

    def _next_step(self) -> None:
        if self.partial or self.reasoning or any(self._begun.values()):
            seconds = round(self.reasoning_seconds, 1)
            self.steps.append(
                Step(
                    text=self.partial, reasoning=self.reasoning, reasoning_seconds=seconds,
                    tools=len(self._begun["tool"]), agents=len(self._begun["agent"]),
                )
            )  # fmt: skip
        self.reasoning, self.reasoning_seconds = "", 0.0


def begins_answer(event: Event) -> bool:
    """Tell whether a model call begins: text before this event came before tool calls, or is said again."""
    _, name, data = event
    return is_takeover(event) or bool(name == "node" and data["name"] == ANSWERING_NODE and data["state"] == "start")
