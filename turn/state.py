"""What flows through one turn. JSON-native throughout: a checkpoint holds text and references, never bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import add
from typing import Annotated, Any, Literal, NotRequired, cast, get_args, get_origin, get_type_hints

from langchain_core.messages import AnyMessage, ToolCall
from langgraph.graph.message import add_messages
from langgraph.types import Overwrite
from typing_extensions import TypedDict, is_typeddict

from domain.agents import AgentResult, AgentRun
from domain.approvals import Decision, Evidence
from domain.labels import Label
from domain.limits import Spent
from domain.types import (
    Attachment,
    AttachmentRef,
    Citation,
    DocumentNote,
    MemoryNote,
    Question,
    Source,
    ToolRun,
    Usage,
)
from domain.words import Language


class CallResult(TypedDict):
    """What one call of a round gave; `index` is its place among the calls of the message.

    The numbers of `sources` are 0; `data` holds values, JSON-native; `code` says why a call failed, else "".
    """

    index: int
    text: str
    sources: list[Source]
    run: ToolRun
    data: dict[str, Any]
    code: str
    label: NotRequired[Label]
    """That of what the tool found."""
    artifacts: NotRequired[list[AttachmentRef]]
    """Files that the call made."""
    agent: NotRequired[AgentResult]
    """What a specialist found, where one was called; the citations of `text` name `sources`, numbered from 1."""


class InputState(TypedDict):
    """What a caller may send: messages, nothing else."""

    messages: Annotated[list[AnyMessage], add_messages]


class TurnState(TypedDict, total=False):
    """What belongs to one turn; every key starts empty in the next."""

    language: Language
    """Language of the user's newest message."""
    question: Question
    """What the user's newest message asks."""
    pending: list[AttachmentRef]
    """Files of this turn, still to be read."""
    attachments: Annotated[list[Attachment], add]
    """Files of this turn, read or failed."""
    documents: list[DocumentNote]
    """Documents that this thread can search."""
    sources: list[Source]
    """Passages of this turn that may be cited, numbered from 1."""
    missing_tools: list[str]
    """What the model is told of tools that are not there now, in the language of the turn."""
    profile: str
    """How the user wants to be answered, in the language of the turn."""
    remembers: bool
    """Whether anything is remembered of the user that this turn may use."""
    memories: list[MemoryNote]
    """What the user said in other conversations that fits this turn."""
    offered_tools: list[str]
    """Names of the tools that fit this turn."""
    tool_rounds: int
    """Rounds of tool calls so far in this turn."""
    tool_runs: list[ToolRun]
    """Tool calls of this turn."""
    agent_runs: list[AgentRun]
    """What specialists did in this turn."""
    artifacts: list[AttachmentRef]
    """Files that were made in this turn."""
    call_results: Annotated[list[CallResult], add]
    """What the calls of the round that is running gave so far, in any order; `gather_results` empties it."""
    answer: str
    """The answer of this turn, citations checked."""
    reasoning: str
    """Reasoning content of the model, kept apart from the answer."""
    citations: list[Citation]
    """Checked citations of the answer."""
    cited: list[Citation]
    """Those of the answer before: "Which page is that on?" asks for them."""
    usage: Usage
    """Tokens of this turn."""
    spent: Spent
    """What the request has used of its budget, agents included; kept over a pause."""
    warnings: list[str]
    """Things the user should know about this answer."""


class Update(TurnState, total=False):
    """What a node may write."""

    messages: Annotated[list[AnyMessage], add_messages]
    """The window of the conversation: recent messages verbatim."""
    summary: str
    """Running summary of the messages that left the window."""


class State(InputState, Update, total=False):  # type: ignore[misc]
    """Everything a turn keeps."""


class ReadInput(TypedDict):
    """What `Send` hands to `ingest_document` and `read_image`: one attachment."""

    attachment: AttachmentRef
    language: Language
    question: str


class CallReview(TypedDict):
    """What the state of a turn says of a call; `decision` and `reasons` (in both languages) are those of the guards."""

    evidence: Evidence
    decision: Decision
    reasons: list[list[str]]


class CallInput(TypedDict):
    """What `Send` hands to `run_tool`: one call of the newest message.

    `index` is its place among them; `offered` tells whether the turn offers the tool and the round has room for it.
    """

    call: ToolCall
    index: int
    offered: bool
    review: CallReview
    language: Language


class AgentInput(CallInput):
    """What `Send` hands to the node of a specialist: a call of `delegate`, and what the specialist may look at.

    `said` are the user's own words, `share` is its part of what is left of the budget, 0..1.
    """

    documents: list[DocumentNote]
    said: str
    spent: Spent
    share: float


class OutputState(TypedDict, total=False):
    """What callers get back."""

    messages: list[AnyMessage]
    answer: str
    citations: list[Citation]
    attachments: list[Attachment]
    memories: list[MemoryNote]
    tool_runs: list[ToolRun]
    agent_runs: list[AgentRun]
    artifacts: list[AttachmentRef]
    usage: Usage
    spent: Spent
    warnings: list[str]


def new_turn() -> Update:
    """Return every key of a turn, empty: an update with it forgets what the last turn left."""
    return cast("Update", _emptier(TurnState)())


@cache
def _emptier(kind: Any) -> Callable[[], object]:
    """Return what makes an empty value of this kind."""
    if get_origin(kind) is Annotated:  # it has a reducer, which is passed by
        empty = _emptier(get_args(kind)[0])
        return lambda: Overwrite(empty())
    if get_origin(kind) is Literal:
        first = get_args(kind)[0]
        return lambda: first
    if is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        emptiers = {key: _emptier(inner) for key, inner in hints.items()}
        return lambda: {key: empty() for key, empty in emptiers.items()}
    return cast("Callable[[], object]", get_origin(kind) or kind)
