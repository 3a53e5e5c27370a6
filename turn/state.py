"""What flows through one turn. JSON-native throughout: a checkpoint holds text and references, never bytes."""

from __future__ import annotations

from operator import add
from typing import Annotated

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from domain.types import Attachment, AttachmentRef, Citation, DocumentNote, Source, ToolRun, Usage
from domain.words import Language


class InputState(TypedDict):
    """What a caller may send: messages, nothing else."""

    messages: Annotated[list[AnyMessage], add_messages]


class Update(TypedDict, total=False):
    """What a node may write."""

    messages: Annotated[list[AnyMessage], add_messages]
    """The window of the conversation: recent messages verbatim."""
    summary: str
    """Running summary of the messages that left the window."""
    language: Language
    """Language of the user's newest message."""
    question: str
    """Text of the user's newest message."""
    pending: list[AttachmentRef]
    """Files of this turn, still to be read."""
    attachments: Annotated[list[Attachment], add]
    """Files of this turn, read or failed."""
    documents: list[DocumentNote]
    """Documents that this thread can search."""
    sources: list[Source]
    """Passages of this turn that may be cited, numbered from 1."""
    offered_tools: list[str]
    """Names of the tools that fit this turn."""
    tool_rounds: int
    """Rounds of tool calls so far in this turn."""
    tool_runs: list[ToolRun]
    """Tool calls of this turn."""
    answer: str
    """The answer of this turn, citations checked."""
    reasoning: str
    """Reasoning content of the model, kept apart from the answer."""
    citations: list[Citation]
    """Checked citations of the answer."""
    usage: Usage
    """Tokens of this turn."""
    warnings: list[str]
    """Things the user should know about this answer."""


class State(InputState, Update, total=False):  # type: ignore[misc]
    """Everything a turn keeps."""


class ReadInput(TypedDict):
    """What `Send` hands to `ingest_document` and `read_image`: one attachment."""

    attachment: AttachmentRef
    language: Language
    question: str


class OutputState(TypedDict, total=False):
    """What callers get back."""

    messages: list[AnyMessage]
    answer: str
    citations: list[Citation]
    attachments: list[Attachment]
    tool_runs: list[ToolRun]
    usage: Usage
    warnings: list[str]
