"""The JSON of the HTTP API, as `/docs` shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model, model_validator
from typing_extensions import TypedDict

from domain.agents import AgentRun
from domain.approvals import Approval, ApprovalAnswer
from domain.errors import Unfit
from domain.limits import Spent
from domain.owner import MOST_THREAD_CHARS, THREAD_ID
from domain.runs import ConcurrencyPolicy, RunState
from domain.types import Attachment, AttachmentRef, Citation, MemoryNote, ToolRun, Usage
from turn.options import TurnOptions, option_fields

SessionId = Annotated[str, StringConstraints(min_length=1, max_length=MOST_THREAD_CHARS, pattern=THREAD_ID)]
DisconnectPolicy = Literal["continue", "cancel"]

MOST_ITEMS = 2**31 - 1
"""Largest number of an item, page or event that is asked for: what databases and JSON can count to."""

MOST_FIELDS = 100
"""Most fields of a body; each that is not known costs an error."""
_SESSION = "Conversation to go on with; empty: a new one is made and returned."


class Body(BaseModel):
    """A JSON object of known fields; one that is null counts as left out."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _few_and_given(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        if len(value) > MOST_FIELDS:
            raise Unfit(f"has more than {MOST_FIELDS} fields", f"字段超过 {MOST_FIELDS} 个")
        return {name: given for name, given in value.items() if given is not None}


_Options: Any = create_model("TurnOptions", __base__=Body, **option_fields())


class ChatBody(_Options):  # its fields are those of TurnOptions, wherever that gets a new one
    """A message to the assistant."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"message": "What does the contract say about notice periods?", "session_id": "s-1"},
                {"message": "用一句话介绍你自己", "session_id": "s-2", "system_prompt": "你是一位简洁的助手"},
            ]
        },
    )

    message: str = Field("", description="What the user says. May be empty when files come along.")
    session_id: SessionId | None = Field(None, description=_SESSION)
    attachment_ids: list[str] = Field(
        [], max_length=1000, description="Ids of uploaded files (POST /api/v1/documents)."
    )
    stream: bool = Field(False, description="Answer as Server-Sent Events.")
    speak: bool = Field(False, description="With a stream: `audio` events, sentence by sentence.")
    on_busy: ConcurrencyPolicy = Field(
        "enqueue", description="When the session is still answering: wait, refuse, or stop the answer that runs."
    )
    on_disconnect: DisconnectPolicy = Field("continue", description="What a dropped connection does to the turn.")
    parent_message_id: str | None = Field(
        None,
        max_length=20,
        description="Message that this one follows; `root`: it is the first one. Empty: the last one that is shown. "
        "Without a message: the question there is answered again.",
    )
    replaces: str | None = Field(
        None,
        description="Run whose question gets this one as another version. Without a message: another answer to the "
        "same one.",
    )
    callback_url: str | None = Field(
        None, max_length=2000, pattern=r"^https?://[^\s/?#]", description="Gets the signed result of a background run."
    )

    @property
    def options(self) -> TurnOptions:
        """What the caller chose for this turn."""
        return TurnOptions(**{name: getattr(self, name) for name in option_fields()})


class Answer(TypedDict):
    """The outcome of a turn."""

    session_id: str
    run_id: str
    message_id: NotRequired[str]
    """The answer in the session, for `parent_message_id`; absent where nothing is kept."""
    state: RunState
    answer: str
    citations: list[Citation]
    attachments: list[Attachment]
    memories: list[MemoryNote]
    tools: list[ToolRun]
    agents: list[AgentRun]
    artifacts: list[AttachmentRef]
    usage: Usage
    spent: Spent
    warnings: list[str]
    questions: NotRequired[list[Approval]]
    """What waits for the user's approval, where the state is `waiting`."""


class ErrorDetail(BaseModel):
    """What went wrong, in the client's language."""

    code: str = Field(examples=["password_required"])
    message: str = Field(examples=["report.pdf is protected by a password."])
    remedy: str = Field(examples=["Send it again with the right `password`, or without protection."])
    request_id: str = Field(examples=["0f0c2f6a2b6e4f6f9a63d5d0d3f6c9a1"])


class Failure(BaseModel):
    """Body of every 4xx and 5xx."""

    error: ErrorDetail


class StoreCount(TypedDict):
    """Items that one store held before and after."""

    before: int
    after: int


class Receipt(BaseModel):
    """What was removed, store by store."""

    session_id: str | None = None
    document_id: str | None = None
    removed: int = Field(description="Items removed in all.")
    stores: dict[str, StoreCount] = Field(
        examples=[{"checkpoints": {"before": 2, "after": 0}, "documents": {"before": 1, "after": 0}}]
    )


class Session(TypedDict):
    """A session as lists show it; times are ISO 8601 UTC, `persona` is that of the last turn that chose one."""

    session_id: str
    title: str
    created_at: str
    last_activity: str
    message_count: int
    pinned: bool
    archived: bool
    persona: str
    memory: bool


class FoundSession(Session):
    """A session of a list; of a search with the newest message that holds a word of it."""

    message_id: NotRequired[str]
    excerpt: NotRequired[str]


class SessionList(TypedDict):
    """Sessions of a user, pinned ones first, then the last active; `total` counts all that fit the query."""

    sessions: list[FoundSession]
    total: int
    offset: int
    next: str | None
    """Cursor of the next page; null on the last."""


class MessagePlace(TypedDict):
    """A message of the tree of a session."""

    message_id: str
    parent_message_id: str | None
    run_id: str | None
    role: str


class Waiting(TypedDict):
    """A run that waits for the user, and its questions."""

    run_id: str
    questions: list[Approval]


class Transcript(Session):
    """A session with a part of the messages that are shown, each with its place in the tree."""

    messages: list[dict[str, Any]]
    offset: int
    total: int
    found: NotRequired[int]
    """Index of the message that `through` named."""
    tree: NotRequired[list[MessagePlace]]
    waiting: Waiting | None
    temporary: NotRequired[bool]
    """Nothing of it is kept: the messages are what it remembers, role and text of each."""


class NewSession(TypedDict):
    """A session that was made; `messages` counts what it begins with."""

    session_id: str
    title: str
    messages: int


class SessionQuery(BaseModel):
    """Which sessions are listed."""

    query: str = Field("", max_length=200, description="Words in title, messages or names of files.")
    archived: bool | None = Field(None, description="Only archived ones; empty: the others, or with a query all.")
    cursor: str = Field("", max_length=200, description="`next` of the page before.")
    offset: int = Field(0, ge=0, le=MOST_ITEMS)
    limit: int = Field(50, ge=1, le=200)


class TranscriptQuery(BaseModel):
    """Which messages of a session are wanted."""

    offset: int = Field(0, ge=0, le=MOST_ITEMS)
    limit: int = Field(100, ge=1, le=1000)
    newest: bool = Field(False, description="Count from the newest message.")
    through: str | None = Field(None, max_length=20, description="Show the newest path through this message instead.")
    tree: bool = Field(False, description="Name the place of every message, shown or not.")


class SessionBody(Body):
    """Names a session."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"session_id": "s-1"}]})

    session_id: Annotated[str, StringConstraints(min_length=1, max_length=MOST_THREAD_CHARS)]


class SessionChange(Body):
    """What is to be changed of a session."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = None
    pinned: bool | None = Field(None, description="Whether it stands before the others.")
    archived: bool | None = Field(None, description="Whether it is left out of the list.")
    memory: bool | None = Field(None, description="Whether its turns use and fill long-term memory.")
    persona: str | None = Field(None, max_length=100, description="Persona that it goes on with; empty: none.")
    current_message_id: str | None = Field(
        None, max_length=20, description="Message to be shown, with the newest of what came after it."
    )


class EditBody(Body):
    """A past message, said otherwise: another version of it, with a path of its own."""

    run_id: str = Field(description="The run whose message gets another version.")
    message: Annotated[str, StringConstraints(min_length=1)]
    stream: bool = False


class RegenerateBody(Body):
    """A past answer to be given again, beside the first one; a question whose server was killed, too."""

    run_id: str | None = Field(None, description="The run to answer again; empty: the last one.")
    message_id: str | None = Field(None, max_length=20, description="The question or answer instead.")
    stream: bool = False


class ImportedMessage(BaseModel):
    """One message of an exported transcript."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["user", "assistant"]
    message_id: str | None = Field(None, max_length=64)
    parent_message_id: str | None = Field(None, max_length=64)
    text: Annotated[str, StringConstraints(max_length=200_000)] = ""
    created: str | None = Field(None, max_length=40)
    citations: Annotated[list[dict[str, Any]], Field(fail_fast=True)] | None = None
    tools: Annotated[list[dict[str, Any]], Field(fail_fast=True)] | None = None
    run_id: Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}$")] | None = None


class ImportBody(BaseModel):
    """An exported transcript."""

    model_config = ConfigDict(extra="ignore")

    title: Annotated[str, StringConstraints(max_length=200)] = ""
    current_message_id: str | None = Field(None, max_length=64)
    messages: Annotated[list[ImportedMessage], Field(min_length=1, max_length=20_000, fail_fast=True)]


class BranchBody(Body):
    """A point of a session from which another one goes on."""

    run_id: str | None = Field(None, description="The last run that the new session keeps; empty: all that is shown.")
    message_id: str | None = Field(None, max_length=20, description="The last message that it keeps instead.")
    session_id: SessionId | None = Field(None, description="Id of the new session; empty: one is made.")


class RunStatus(BaseModel):
    """A run and, once it is over, what came of it."""

    run_id: str
    session_id: str
    state: RunState
    created_at: datetime | None = None
    result: Answer | None = None
    error: ErrorDetail | None = None


class AnswersBody(Body):
    """Answers to the questions of a run that waits, by their ids; `*` stands for all of them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"answers": {"*": {"decision": "approve"}}}]})

    answers: Annotated[dict[str, ApprovalAnswer], Field(min_length=1, max_length=100)]
    stream: bool = Field(False, description="Answer as Server-Sent Events: what follows.")


class PermissionRule(TypedDict):
    """A rule that the user made by an answer; `session_id` is empty where it holds everywhere."""

    id: int
    rule: dict[str, Any]
    session_id: str
    created: str


class PermissionList(TypedDict):
    """The rules of the user: lasting ones, and those of a session where one is named."""

    rules: list[PermissionRule]


class DocumentChange(Body):
    """What is to be changed of a document."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class SearchBody(Body):
    """A search in documents."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "notice period", "session_id": "s-1", "top_k": 5}]}
    )

    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    session_id: SessionId | None = Field(None, description="Session whose documents are searched; empty: the library.")
    document_ids: list[str] | None = Field(None, max_length=1000, description="Look only in these of them.")
    top_k: int = Field(8, ge=1, le=50)
    mode: Literal["hybrid", "dense", "keyword"] = "hybrid"


class SpeechBody(Body):
    """A text to be spoken."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "Good morning.", "format": "mp3"}]})

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
    voice: str | None = Field(None, max_length=100)
    format: Literal["mp3", "wav", "opus"] = "mp3"
    speed: float = Field(1.0, ge=0.5, le=2.0)
    stream: bool = Field(True, description="Send the sound in pieces as it is made; off: whole, with its length.")


class Transcription(BaseModel):
    """A recording, written down."""

    text: str
    language: str


ERRORS: dict[int | str, dict[str, object]] = {
    code: {"model": Failure, "description": text}
    for code, text in (
        (401, "No valid API key"),
        (403, "Not allowed from there"),
        (404, "No such thing of this user"),
        (409, "The session is still answering"),
        (413, "Too large"),
        (422, "Not a valid request"),
        (429, "Too many requests"),
        (503, "A needed part does not answer"),
    )
}
EXPIRED: dict[int | str, dict[str, object]] = {410: {"model": Failure, "description": "The question has expired"}}
