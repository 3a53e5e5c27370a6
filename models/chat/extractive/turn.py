"""What the bundled reader knows of a turn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from langchain_core.messages import BaseMessage, HumanMessage

from domain.types import Attachment, DocumentNote, Source
from domain.words import Language
from models.chat.extractive.text import is_chinese
from models.chat.interface import ToolResult, TurnInput

SUMMARY_LINE = re.compile(r"^(?:User|用户)\s*[:：]\s*(.+)$", re.MULTILINE)
_ID = re.compile(r" ?\((?:id )?[0-9a-f]{32}\)")
"""Ids in tool results are for models that call tools with them."""
DEFAULT_TOKENS = 400


@dataclass(frozen=True, slots=True)
class Turn:
    """One call of the reader.

    Attributes:
        task: `answer`, `summarize_document` or `summarize_conversation`.
        text: What to summarise.
        follows: Earlier questions that the newest one leans on ("And in which room?").
        said: What the user said before, oldest first.
        results: Tool results of this turn.
        persona: The caller's own part of the system prompt.
        max_tokens: Most tokens of a summary.
    """

    task: str
    text: str
    question: str
    language: Language
    sources: list[Source] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    documents: list[DocumentNote] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    results: list[ToolResult] = field(default_factory=list)
    follows: str = ""
    persona: str = ""
    max_tokens: int = DEFAULT_TOKENS

    @property
    def pictures(self) -> list[Attachment]:
        """The pictures of this turn that were read."""
        return [item for item in self.attachments if item["kind"] == "image" and item["status"] != "failed"]

    @property
    def failed(self) -> list[Attachment]:
        """The files of this turn that could not be used."""
        return [item for item in self.attachments if item["status"] == "failed"]


def turn_of(given: TurnInput) -> Turn:
    """Return a turn as the reader works on it."""
    said = [*SUMMARY_LINE.findall(given.summary), *(text.strip() for text in given.earlier)]
    return Turn(
        task=given.task,
        text=given.text,
        question=given.question,
        language=given.language,
        sources=[*given.sources, *(source for result in given.results for source in result.sources)],
        attachments=list(given.attachments),
        documents=list(given.documents),
        said=[text for text in said if text],
        results=list(given.results),
        follows=given.follows,
        persona=given.persona,
        max_tokens=given.max_tokens,
    )


def plain_turn(messages: Sequence[BaseMessage]) -> TurnInput:
    """Return what the messages of a caller of the bare model say: its newest question, and those before it."""
    asked = [str(message.text).strip() for message in messages if isinstance(message, HumanMessage)] or [""]
    return TurnInput("answer", "zh" if is_chinese(asked[-1]) else "en", question=asked[-1], earlier=asked[:-1])


def result_text(result: ToolResult) -> str:
    """Return what a tool said, for people."""
    return _ID.sub("", result.text).strip()
