"""What the bundled reader knows of a turn: read from the messages and from the data that rides along in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage

from domain.types import Attachment, DocumentNote, Source
from domain.words import Language
from models.chat.extractive.text import is_chinese

MATERIAL = re.compile(r"<material>\n?(.*?)\n?</material>", re.DOTALL)
SUMMARY_LINE = re.compile(r"^(?:User|用户)\s*[:：]\s*(.+)$", re.MULTILINE)
_ID = re.compile(r" ?\((?:id )?[0-9a-f]{32}\)")
"""Ids in tool results are for models that call tools with them."""
DEFAULT_TOKENS = 400
SIDE_TASKS = {"last_round"}


@dataclass(frozen=True, slots=True)
class Turn:
    """One call of the reader.

    Attributes:
        task: `answer`, `summarize_document`, `summarize_conversation` or `title`.
        text: The text of the user's newest message, material removed.
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
    results: list[ToolMessage] = field(default_factory=list)
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


def read_turn(messages: Sequence[BaseMessage]) -> Turn:
    """Take a prompt apart. Messages without data (from a caller of the bare model) are read by their text alone."""
    at = _newest_question(messages)
    message = messages[at]
    data = message.additional_kwargs
    text = MATERIAL.sub("", str(message.text)).strip()
    question = str(data.get("question") or text)
    results = [item for item in messages[at + 1 :] if isinstance(item, ToolMessage)]
    system = "\n\n".join(str(item.text) for item in messages if isinstance(item, SystemMessage))
    return Turn(
        task=str(data.get("task") or "answer"),
        text=str(message.text) if data.get("task") in ("summarize_document", "summarize_conversation") else text,
        question=question,
        language=data.get("language") or ("zh" if is_chinese(question) else "en"),
        sources=[*data.get("sources", []), *(s for item in results for s in item.additional_kwargs.get("sources", []))],
        attachments=list(data.get("attachments", [])),
        documents=list(data.get("documents", [])),
        said=_said(messages[:at], system),
        results=results,
        follows=str(data.get("follows") or ""),
        persona=_persona(system),
        max_tokens=int(data.get("max_tokens") or DEFAULT_TOKENS),
    )


def result_text(result: ToolMessage) -> str:
    """Return what a tool said, without the fence around it."""
    text = str(result.text)
    fenced = MATERIAL.search(text)
    return _ID.sub("", fenced.group(1) if fenced else text).strip()


def _persona(system: str) -> str:
    """Return a system prompt without the house rules on material, and without the summary of earlier turns."""
    before = re.split(r"^(?:Earlier in this conversation|此前的对话摘要)", system, maxsplit=1, flags=re.MULTILINE)[0]
    paragraphs = before.strip().split("\n\n")
    rules = max((index for index, text in enumerate(paragraphs) if "<material>" in text), default=-1)
    return "\n\n".join(paragraphs[rules + 1 :])


def _newest_question(messages: Sequence[BaseMessage]) -> int:
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if isinstance(message, HumanMessage) and message.additional_kwargs.get("task") not in SIDE_TASKS:
            return index
    return len(messages) - 1


def _said(earlier: Sequence[BaseMessage], system: str) -> list[str]:
    remembered = SUMMARY_LINE.findall(system)
    spoken = [
        str(message.additional_kwargs.get("question") or MATERIAL.sub("", str(message.text))).strip()
        for message in earlier
        if isinstance(message, HumanMessage)
    ]
    return [text for text in [*remembered, *spoken] if text]
