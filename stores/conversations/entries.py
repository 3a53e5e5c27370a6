"""What a conversation is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from typing_extensions import TypedDict

TITLE_CHARS = 60
ROOT = "root"
"""Names the place before the first message."""


class Entry(TypedDict, total=False):
    """One message. Times are ISO 8601 UTC, `seconds` how long the answer took."""

    role: Literal["user", "assistant", "system"]
    text: str
    reasoning: str
    reasoning_seconds: float
    steps: list[dict[str, Any]]
    """Calls of the model before the one that answered, see `api.runs.progress.Step`."""
    nodes: list[dict[str, Any]]
    """Steps of the graph with their seconds."""
    error: dict[str, Any]
    """Why there is no answer: `code`, `message`, `remedy`."""
    attachments: list[dict[str, Any]]
    citations: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    agents: list[dict[str, Any]]
    artifacts: list[dict[str, Any]]
    calls: list[Any]
    """Calls of the caller's own tools that the turn ended with."""
    usage: dict[str, Any]
    warnings: list[str]
    run_id: str
    state: str
    created: str
    seconds: float


class Kept(TypedDict, total=False):
    """What is kept with an answer for the model's memory alone; see the table `messages`."""

    summary: dict[str, Any] | None
    notes: str | None


class Message(Entry, total=False):
    """An entry at its place in the tree of its conversation."""

    message_id: str
    parent_message_id: str | None
    versions: list[str]
    """Ids of all messages with the same parent, oldest first, this one among them."""
    notes: str
    """Of an answer that is recollected: what later turns are told of its files."""


PLACE = frozenset(Message.__annotations__) - frozenset(Entry.__annotations__)
"""What a message has beyond its entry."""


class Conversation(TypedDict):
    """A conversation as a list shows it; times are ISO 8601 UTC."""

    thread_id: str
    title: str
    created: str
    last_activity: str
    entries: int
    """Messages on the path that is shown."""
    pinned: bool
    archived: bool
    persona: str
    """The persona that it is held with, by id or name; empty: none."""
    memory: bool
    """Whether it uses and fills long-term memory."""


class Found(Conversation, total=False):
    """A conversation that a search found, and the newest of its messages that holds one of the words."""

    message_id: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What is wanted of the conversations of a user.

    Attributes:
        query: Words that have to be in title, messages or names of files.
        archived: Only those that are, or are not.
        cursor: Where the page before ended.
        offset: Conversations to leave out.
        limit: Most conversations.
    """

    query: str = ""
    archived: bool | None = None
    cursor: str = ""
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Part:
    """What is wanted of the messages of a conversation.

    Attributes:
        offset: Messages to leave out.
        limit: Most messages.
        newest: Count from the newest one.
        through: The newest path through this message instead of the one that is shown.
    """

    offset: int = 0
    limit: int = 100
    newest: bool = False
    through: str | None = None


class Page(TypedDict):
    """Part of the path that is shown, in the order it was said; `offset` is the index of the first of `entries`."""

    thread: Conversation
    offset: int
    total: int
    entries: list[Message]
    unanswered: list[str]
    """Ids of the questions among them that have no answer."""
    found: int | None
    """Index of the message that the path was to go through."""
    running: str
    """The run that is answering the last message; stays when its process was killed."""


class Whole(TypedDict):
    """A conversation with every message of its tree, oldest first, and the last one of the path that is shown."""

    thread: Conversation
    entries: list[Message]
    current: str | None


@dataclass(frozen=True, slots=True)
class Wish:
    """Where a caller wants a turn to go on: at the end of what is shown, unless something else is named.

    Attributes:
        parent: Message that it follows; `ROOT`: none.
        replaces: Run whose question gets another version.
        again: That question, or the one that `parent` is, is answered again as it is.
        gone: There may be no such run any more: it was rolled back.
    """

    parent: str | None = None
    replaces: str | None = None
    again: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a turn goes on.

    Attributes:
        conversation: Its row; 0 where it has none yet.
        parent: Message that the next one follows; 0 before the first.
        depth: Number of messages before the next one.
        memory: Message that the model's memory has to end with; 0: it has to be empty.
        run_id: Run of that message.
        shown: Message at the end of the path that is shown so far.
        again: The parent is a question that is there already, and is answered (again).
        running: Run that has written the parent and answers it.
        persona: Persona that the conversation is held with, by id or name; empty without one.
        temporary: Nothing is written of the turn; what Redis has is all that is remembered.
        remembers: The conversation uses and fills long-term memory.
    """

    conversation: int = 0
    parent: int = 0
    depth: int = 0
    memory: int = 0
    run_id: str = ""
    shown: int = 0
    again: bool = False
    running: str = ""
    persona: str = ""
    temporary: bool = False
    remembers: bool = True

    def stands(self, run_id: str) -> bool:
        """Tell whether the memory that a run left is that of this place."""
        if self.temporary:
            return True
        goes_on = self.memory == self.shown and not self.again
        return goes_on and run_id == self.run_id and bool(run_id) == bool(self.memory)


@dataclass(frozen=True, slots=True)
class Recollection:
    """What a model should remember of a path: its end, and a summary of what came before."""

    entries: list[Message]
    summary: str = ""


def title_of(entry: Entry) -> str:
    """Return a title made of a user's message: its first line, or the names of its files."""
    text = entry.get("text", "").strip()
    if not text:
        text = ", ".join(str(item.get("name", "")) for item in entry.get("attachments", []))
    return shortened_title(text.split("\n", 1)[0])


def shortened_title(text: str) -> str:
    """Return a title on one line, of at most `TITLE_CHARS` characters."""
    text = " ".join(text.split())
    return text if len(text) <= TITLE_CHARS else text[: TITLE_CHARS - 1].rstrip() + "…"
