"""What a caller wants of one turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig

from domain.language import language_of
from domain.owner import Owner
from domain.runs import ConcurrencyPolicy, CutState
from domain.types import Attachment
from domain.words import Language
from stores.memories.items import GENERAL, MemoryScope
from turn.model_options import ModelOptions
from turn.options import TurnOptions

if TYPE_CHECKING:
    from api.runs.pause import Pause
    from api.runs.takeover import Takeover


@dataclass(frozen=True, kw_only=True)
class TurnRequest:
    """What a caller wants of one turn.

    Attributes:
        owner: User and thread.
        messages: New messages, the last one the user's; each has an id.
        options: What the caller chose for this turn.
        model_options: What the caller asks of the chat model itself.
        memory_scope: Which memories of the user the turn sees, as its persona has it.
        detailed: Whether calls of the caller's tools are events too.
        reads: Language that the client asks for, where neither options nor message tell one.
        remembered: Whether the thread is kept: memory, transcript, one turn at a time. Without, the turn stands alone.
        on_busy: What happens when the thread is still answering.
        callback_url: Where the result is posted.
        attachments: Files that were handled before the turn: uploads that could not be kept, protected documents.
        parent: Message that this one follows; `root`: none; None: the last one that is shown.
        replaces: Run whose question gets another version by this one.
        again: That question, or the one that `parent` is, is answered again as it is.
        published: Whether other processes can follow the events.
        lasting: Whether it goes on when nobody is connected; else it ends with its process too.
        resume: Answers to interrupts of the graph by their ids, instead of messages.
        pause: The run that waits, and goes on with this request.
        withdrawn: How that run ends, without going on.
        takeover: The run whose process is gone, and that goes on with this request.
        config: LangChain config to run under: callbacks, tags, metadata.
        modes: LangGraph stream modes that `tap` gets.
        tap: Called with every chunk of `modes`.
    """

    owner: Owner
    messages: Sequence[AnyMessage]
    options: TurnOptions = field(default_factory=TurnOptions)
    model_options: ModelOptions = field(default_factory=ModelOptions)
    memory_scope: MemoryScope = GENERAL
    detailed: bool = False
    reads: Language = "en"
    remembered: bool = True
    on_busy: ConcurrencyPolicy = "enqueue"
    callback_url: str | None = None
    attachments: Sequence[Attachment] = ()
    parent: str | None = None
    replaces: str | None = None
    again: bool = False
    published: bool = True
    lasting: bool = True
    resume: object = None
    pause: Pause | None = None
    withdrawn: CutState | None = None
    takeover: Takeover | None = None
    config: RunnableConfig = field(default_factory=RunnableConfig)
    modes: tuple[str, ...] = ()
    tap: Callable[[str, Any], None] | None = None

    def tapped(self, modes: tuple[str, ...], tap: Callable[[str, Any], None]) -> TurnRequest:
        """Return the same request, with `tap` called for every chunk of `modes`."""
        return replace(self, modes=modes, tap=tap)

    @property
    def begins(self) -> bool:
        """Whether a turn begins with it, instead of going on."""
        return self.pause is None and self.takeover is None

    @property
    def thread_id(self) -> str:
        """The conversation, as the client names it."""
        return self.owner.thread_id or ""

    @property
    def language(self) -> Language:
        """Language in which the server speaks to this user."""
        return self._decided_language or self.reads

    @property
    def decided_options(self) -> TurnOptions:
        """The options, with the language of the message where its text tells one: a recording only does so later."""
        return replace(self.options, language=self._decided_language or "auto")

    @cached_property
    def _decided_language(self) -> Language | None:
        if self.options.language != "auto":
            return self.options.language
        text = str(self.messages[-1].text) if self.messages else ""
        found = language_of(text, "en")
        return found if found == language_of(text, "zh") else None
