"""The interface of chat models."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage

from domain.language import language_of
from domain.types import Attachment, Citation, DocumentNote, QuestionKind, Source
from domain.words import Language, Words


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What one tool call of this turn returned.

    Attributes:
        tool: Name of the tool.
        text: What it said, without the fence around material; on failure the reason.
        failed: The call failed or was refused.
        sources: Passages that it found, numbered as in the prompt.
        data: What it said as values; `shown` is its text for people where that for models is another.
        code: Why the call failed, as a stable word; empty when it did not.
    """

    tool: str
    text: str
    failed: bool = False
    sources: Sequence[Source] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""


@dataclass(frozen=True, slots=True)
class TurnInput:
    """What a turn knows, for a model that works on data instead of a prompt.

    Attributes:
        language: Language of the answer.
        question: Text of the user's newest message.
        kind: What kind of question it is.
        page: Number of the one page that the question names, -1 for the last one; 0 without any.
        follows: The earlier questions that this one leans on; empty when it stands by itself.
        sources: Passages of this turn, numbered from 1, without those that tools found.
        attachments: Files of this turn.
        documents: Documents that the conversation can search.
        cited: Citations of the answer before.
        results: Tool calls of this turn, in order.
        told: What the user stated before, in this conversation (newest first) and others.
        known: What of it the question asks for.
        tells: Whether the message asks nothing: it states something of its writer, or asks to remember it.
        persona: The caller's own instructions.
        examples: Of each offered tool, requests that it serves.
    """

    language: Language
    question: str
    kind: QuestionKind = "passages"
    page: int = 0
    follows: str = ""
    sources: Sequence[Source] = ()
    attachments: Sequence[Attachment] = ()
    documents: Sequence[DocumentNote] = ()
    cited: Sequence[Citation] = ()
    results: Sequence[ToolResult] = ()
    told: Sequence[str] = ()
    known: Sequence[str] = ()
    tells: bool = False
    persona: str = ""
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, messages: Sequence[BaseMessage]) -> TurnInput:
        """Return what the messages of a caller of the bare model say: the newest question, and those before it."""
        asked = [str(message.text).strip() for message in messages if isinstance(message, HumanMessage)] or [""]
        return cls(language_of(asked[-1]), asked[-1], told=asked[-2::-1])


@dataclass(frozen=True)
class Chat:
    """The chat model of the process and what a prompt writer must know of it.

    Attributes:
        model: Any LangChain chat model: streams, binds tools, reports usage.
        name: Shown to users as `usage.model`.
        kind: `hosted`, `extractive` (bundled) or `gguf` (a GGUF file).
        context_tokens: Window of the model.
        max_output_tokens: Most tokens of one answer.
        detail: One plain sentence: what it is, why it was chosen, how to change it.
        warm: Loads what the first answer would wait for, given the example requests of all tools; None where there is
            nothing to load.
        aclose: Ends what the model runs in this process, or its connections; None where there is neither.
        named: Gives another model of the same endpoint, by its name; None where there is no other.
        takes_turn: The model takes a `TurnInput` as the call option `turn` (`model.bind(turn=...)`).
    """

    model: BaseChatModel
    name: str
    kind: Literal["hosted", "extractive", "gguf"]
    context_tokens: int
    max_output_tokens: int
    detail: Words
    warm: Callable[[Sequence[str]], Coroutine[object, object, None]] | None = None
    aclose: Callable[[], Coroutine[object, object, None]] | None = None
    takes_turn: bool = False
    named: Callable[[str], BaseChatModel] | None = None
