"""Stand-ins for the services of a node: small, scripted, and strict about what they are asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Literal, cast

import pytest
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langgraph.runtime import Runtime
from pydantic import Field

from agents.crew import Crew
from domain.errors import AppError, UnknownAttachment, UnknownDocument
from domain.language import language_of
from domain.owner import Owner
from domain.types import Attachment, AttachmentRef, Source
from domain.words import Words
from models.chat.interface import Chat
from readers.detect import detect
from settings import Settings
from stores.memories.items import Memory, MemoryScope
from stores.memories.rows import Written
from stores.people.profiles import Profile
from tools.interface import ToolSpec
from tools.permissions import Permissions
from tools.registry import Note, ToolRegistry
from turn.background import Background
from turn.context import Context, Services
from turn.question import question_of
from turn.state import State, new_turn


class ScriptedModel(BaseChatModel):
    """Answers from a script; an unexpected call and an unused step both fail the test."""

    steps: list[AIMessage | AppError]
    prompts: list[list[BaseMessage]]
    bound: list[list[str]]
    options: list[dict[str, Any]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        self.bound.append([tool["function"]["name"] for tool in tools])
        return self

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        raise AssertionError("nodes stream")

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, *args, **kwargs))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        self.prompts.append(messages)
        self.options.append(kwargs)
        assert self.steps, "an unexpected model call"
        step = self.steps.pop(0)
        if isinstance(step, AppError):
            raise step
        chunk = AIMessageChunk(
            content=step.content,
            tool_calls=step.tool_calls,
            usage_metadata=step.usage_metadata,
            additional_kwargs=step.additional_kwargs,
            response_metadata=step.response_metadata,
        )
        yield ChatGenerationChunk(message=chunk)


@dataclass
class FakeAttachments:
    """Keeps files in memory."""

    files: dict[str, tuple[AttachmentRef, bytes]] = field(default_factory=dict)

    async def put(self, data: bytes, *, name: str, owner: Owner) -> AttachmentRef:
        kind, media_type = detect(data[:4096], name)
        number = f"a{len(self.files) + 1}"
        ref = AttachmentRef(id=number, name=name, kind=kind, media_type=media_type, size=len(data), sha256=number)
        self.files[number] = (ref, data)
        return ref

    async def get(self, attachment_id: str, owner: Owner) -> AttachmentRef:
        if attachment_id not in self.files:
            raise UnknownAttachment(id=attachment_id)
        return self.files[attachment_id][0]

    async def read(self, ref: AttachmentRef) -> bytes:
        return self.files[ref["id"]][1]


@dataclass
class FakeDocuments:
    """Documents with fixed passages and pages."""

    listed: list[Attachment] = field(default_factory=list)
    found: list[Source] = field(default_factory=list)
    pages: dict[tuple[str, int], str] = field(default_factory=dict)
    asked: list[tuple[str, tuple[str, ...] | None]] = field(default_factory=list)

    async def get(self, document_id: str, owner: Owner) -> Attachment:
        return next(document for document in self.listed if document["id"] == document_id)

    async def sources(
        self, query: str, owner: Owner, *, token_budget: int, document_ids: Sequence[str] | None = None
    ) -> list[Source]:
        self.asked.append((query, tuple(document_ids) if document_ids is not None else None))
        return [s for s in self.found if document_ids is None or s.get("document_id") in document_ids]

    async def page_text(self, document_id: str, page: int, owner: Owner) -> str:
        if (document_id, page) not in self.pages:
            raise UnknownDocument(id=document_id)
        return self.pages[document_id, page]

    async def list(self, owner: Owner, *, library: bool = True) -> list[Attachment]:
        return self.listed


@dataclass
class FakeSummaries:
    """Prepared summaries by memory key."""

    prepared: dict[str, tuple[str, list[str]]] = field(default_factory=dict)

    async def get(self, memory_key: str) -> tuple[str, list[str]] | None:
        return self.prepared.get(memory_key)

    async def put(self, memory_key: str, summary: str, covered: Sequence[str]) -> None:
        self.prepared[memory_key] = (summary, list(covered))


@dataclass
class FakeMemories:
    """What is remembered of the only user, all of which fits every question."""

    kept: list[Memory] = field(default_factory=list)
    on: bool = True

    async def any(self, user_id: str) -> bool:
        return bool(self.kept)

    async def enabled(self, user_id: str) -> bool:
        return self.on

    async def recall(
        self, user_id: str, question: str, scope: MemoryScope, *, past: bool = False, slots: Collection[str] = ()
    ) -> list[Memory]:
        return [item for item in self.kept if item.persona in scope.sees and (past or not item.valid_to)]

    async def write(self, memory: Memory, *, said_before: bool = False) -> Written:
        self.kept.append(memory)
        return Written(memory)


@dataclass
class FakeProfiles:
    """The profile of the only user."""

    profile: Profile = field(default_factory=lambda: Profile())

    learnt: list[Mapping[str, str]] = field(default_factory=list)

    async def get(self, user_id: str) -> Profile:
        return self.profile

    async def time_zone(self, user_id: str, device: str) -> str:
        return self.profile.get("time_zone", device)

    async def learn(self, user_id: str, found: Sequence[Mapping[str, str]]) -> list[Any]:
        self.learnt += found
        return []


@dataclass
class FakeUsage:
    """Notes what is counted beside turns."""

    counted: list[str] = field(default_factory=list)

    def add_answer(self, answer: AIMessage, model: str) -> None:
        self.counted.append(model)


class FakeActions:
    """An action log that nobody reads."""

    def append(self, kind: str, owner: Owner, **facts: object) -> None:
        assert kind and owner.user_id


CREW = Crew()


class FakeChanges:
    """What votes have shown of the only user."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    async def in_force(self, user_id: str) -> dict[str, str]:
        return self.values


class FakeSummarizer:
    """Answers with the length of what it was given."""

    async def conversation(self, text: str, language: str, max_tokens: int) -> str:
        return f"summary of {len(text)}"


class FakeGrants:
    """The rules of one user, in memory."""

    def __init__(self) -> None:
        self.rules: list[dict[str, Any]] = []

    async def add(self, owner: Owner, rule: dict[str, Any], *, lasting: bool) -> None:
        self.rules.append(rule)

    async def of(self, owner: Owner) -> list[Any]:
        return [{"rule": rule} for rule in self.rules]


@dataclass
class Parts:
    """What a test scripts and looks at."""

    settings: Settings
    model: ScriptedModel
    attachments: FakeAttachments = field(default_factory=FakeAttachments)
    documents: FakeDocuments = field(default_factory=FakeDocuments)
    profiles: FakeProfiles = field(default_factory=FakeProfiles)
    changes: FakeChanges = field(default_factory=FakeChanges)
    memories: FakeMemories = field(default_factory=FakeMemories)
    summaries: FakeSummaries = field(default_factory=FakeSummaries)
    ingestion: Any = None
    http: Any = None
    listener: Any = None
    background: Background = field(default_factory=Background)
    grants: Any = field(default_factory=FakeGrants)
    events: list[dict[str, Any]] = field(default_factory=list)
    context: dict[str, Any] = field(default_factory=dict)
    usage: FakeUsage = field(default_factory=FakeUsage)
    thread_id: str | None = "t"
    takes_turn: bool = False
    tools: ToolRegistry | None = None
    crew: Crew = CREW
    kind: Literal["hosted", "extractive"] = "hosted"
    foreign: Sequence[ToolSpec] = ()
    notes: Sequence[Note] = ()

    def runtime(self) -> Runtime[Context]:
        tools = self.tools or ToolRegistry(self.settings, self.documents)  # type: ignore[arg-type]
        tools.set_foreign(self.foreign, notes=self.notes)
        services = SimpleNamespace(
            settings=self.settings,
            chat=Chat(
                self.model, "scripted", self.kind, 8000, 500, Words("a script", "脚本"), takes_turn=self.takes_turn
            ),
            summarizer=FakeSummarizer(),
            attachments=self.attachments,
            documents=self.documents,
            summaries=self.summaries,
            memories=self.memories,
            profiles=self.profiles,
            changes=self.changes,
            usage=self.usage,
            actions=FakeActions(),
            ingestion=self.ingestion,
            http=self.http,
            listener=self.listener,
            background=self.background,
            permissions=Permissions(self.settings, self.grants),
            tools=tools,
            agents=self.crew,
        )
        context = Context(services=cast("Services", services), thread_id="s", **self.context)
        return Runtime(
            context=context,
            stream_writer=self.events.append,
            execution_info=cast("Any", SimpleNamespace(thread_id=self.thread_id)),
        )

    def sent(self, event: str) -> list[Any]:
        return [item["data"] for item in self.events if item["event"] == event]


@pytest.fixture
def parts(settings: Settings) -> Any:
    """Services that fail the test when the model's script was not used up."""
    made = Parts(settings=settings, model=ScriptedModel(steps=[], prompts=[], bound=[]))
    yield made
    assert not made.model.steps, "unused steps of the script"


def a_state(*, question: str = "", **changes: Any) -> State:
    """A turn after `detect_modality`; the language is that of the question."""
    messages = changes.get("messages", [])
    language = changes.get("language") or language_of(question)
    earlier = [str(message.text) for message in messages if isinstance(message, HumanMessage)][:-1]
    made = {**new_turn(), "attachments": [], "messages": [], "language": language}
    return cast("State", {**made, "question": question_of(question, language, earlier), **changes})


def a_source(number: int, text: str, **changes: Any) -> Source:
    source = Source(
        number=number, origin="document", document_id=f"d{number}", name=f"{number}.pdf", page=1, start=0,
        end=len(text), text=text,
    )  # fmt: skip
    return cast("Source", {**source, **changes})


__all__ = ["Parts", "ScriptedModel", "a_source", "a_state", "replace"]
