"""What attachments, documents, sources, citations and tool calls look like. JSON-native throughout."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from domain.errors import ErrorBody
from domain.labels import Label

Kind = Literal["document", "image", "audio"]
NESTING = " › "
"""Between the name of a file and that of a file inside it."""
AttachmentStatus = Literal["queued", "reading", "ready", "failed"]
ApprovalScope = Literal["once", "session", "pattern"]
"""How long an approval holds: this call, this session, or lastingly for calls of the pattern."""
QuestionKind = Literal["social", "place", "words", "page", "overview", "files", "picture", "passages"]
"""A greeting, thanks or farewell; where the answer before stands, or in which words; about one page; about files as a
whole; which files there are; about a picture; about anything else."""


class AttachmentRef(TypedDict):
    """A file in the attachment store."""

    id: str
    name: str
    kind: Kind
    media_type: str
    size: int
    sha256: str


class OcrLine(TypedDict):
    """One recognised line: `confidence` 0..1, `box` four [x, y] corners in pixels of the upright picture.

    `page` is there for pictures of several pages (TIFF), counted from 1.
    """

    text: str
    confidence: float
    box: list[list[float]]
    page: NotRequired[int]


class OcrText(TypedDict):
    """What OCR read in one picture or page; `partial` where time ended before all of it was read."""

    text: str
    lines: list[OcrLine]
    rotation: int
    engine: str
    partial: NotRequired[bool]


class Description(TypedDict):
    """What a vision model said of a picture."""

    text: str
    model: str


class PageGap(TypedDict):
    """A page that could not be used, and why."""

    page: int
    reason: str


class Coverage(TypedDict):
    """The coverage ledger of a document: pages read, skipped and failed so far."""

    read: int
    skipped: list[PageGap]
    failed: list[PageGap]


class Attachment(AttachmentRef):
    """An attachment as the API shows it."""

    status: AttachmentStatus
    created: NotRequired[float]
    """Unix time at which it was stored."""
    pages_total: NotRequired[int]
    pages_done: NotRequired[int]
    language: NotRequired[str]
    summary: NotRequired[str]
    ocr: NotRequired[OcrText | None]
    description: NotRequired[Description | None]
    facts: NotRequired[str]
    agreement: NotRequired[float]
    indexed: NotRequired[float]
    """Share of the chunks that have vectors, 0..1; search by keyword covers every page that is read."""
    coverage: NotRequired[Coverage]
    warnings: NotRequired[list[str]]
    hidden: NotRequired[str]
    """That it holds text which its readers do not see, and where: one of the warnings."""
    error: NotRequired[ErrorBody]


class DocumentNote(TypedDict):
    """A document of the thread, as prompts describe it."""

    id: str
    name: str
    kind: Kind
    status: AttachmentStatus
    pages_total: int
    pages_done: int
    summary: str
    language: NotRequired[str]
    """`en`, `zh` or `other`; missing until it was read to its end."""
    hidden: NotRequired[str]
    """That it holds text which its readers do not see; missing when it has none."""
    coverage: NotRequired[str]
    """What of it was not read, in the language of its owner; missing when everything was."""


class Question(TypedDict):
    """What the user's newest message asks.

    `page` is the number of the one page that it names (-1: the last), else 0; `follows` holds the earlier questions
    that it leans on, empty when it stands by itself.
    """

    text: str
    kind: QuestionKind
    page: int
    follows: str


class Place(TypedDict):
    """Where a passage stands: `start` and `end` are offsets in the page's text."""

    number: int
    document_id: NotRequired[str]
    url: NotRequired[str]
    name: str
    page: NotRequired[int]
    label: NotRequired[str]
    heading: NotRequired[str]
    start: int
    end: int


class Source(Place):
    """A passage that an answer may cite as `[number]`."""

    origin: Literal["document", "image", "web"]
    text: str
    score: NotRequired[float]


class Citation(Place):
    """Where one claim of the answer comes from."""

    quote: str
    verified: bool


class ToolRun(TypedDict):
    """One call of a tool in this turn.

    Attributes:
        name: The tool.
        arguments: What it was called with.
        status: `unknown`: it began to change something, and whether that happened cannot be said.
        seconds: How long it took.
        cached: Whether the result is an earlier one.
        agent: Run of the specialist that made the call; missing for the assistant's own.
        call_id: Id of the call in the model's message.
        age: Seconds since a cached result was fetched.
        code: Why it failed or was refused.
        synopsis: The beginning of what it gave, in one line.
        result_id: Under this id `read_result` has the whole of a long result.
        approved: For how long a person approved it, where one was asked.
    """

    name: str
    arguments: dict[str, object]
    status: Literal["ok", "error", "refused", "unknown"]
    seconds: float
    cached: bool
    agent: NotRequired[str]
    call_id: NotRequired[str]
    age: NotRequired[float]
    code: NotRequired[str]
    synopsis: NotRequired[str]
    result_id: NotRequired[str]
    approved: NotRequired[ApprovalScope]


class ToolFindings(TypedDict):
    """The artifact of a tool result, for code.

    `sources` are numbered as in the prompt; `data` holds values, JSON-native; `code` says why a call failed, else "".
    `label` is that of the tool when it found this.
    """

    sources: list[Source]
    data: dict[str, Any]
    code: str
    label: NotRequired[Label]


class MemoryNote(TypedDict):
    """Something that is remembered of the user, as a turn and its answer show it."""

    id: str
    text: str
    session_id: str
    said: str
    """The day, as YYYY-MM-DD in UTC."""
    holds: bool
    """Whether it still does: the user has not said otherwise since."""


class Usage(TypedDict):
    """Tokens of all model calls of the turn."""

    input_tokens: int
    output_tokens: int
    model: str
