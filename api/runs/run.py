"""One turn: what was asked, and how far it has come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig

from api.runs.answers import TurnProgress
from api.runs.log import RunLog
from api.schemas import Answer, ConcurrencyPolicy, RunState
from domain.errors import AppError, UnknownRun
from domain.language import language_of
from domain.owner import Owner
from domain.times import iso_time
from domain.types import Attachment
from domain.words import Language

if TYPE_CHECKING:
    from stores.redis.event_reader import RunRecord


@dataclass(frozen=True, kw_only=True)
class TurnRequest:
    """What a caller wants of one turn.

    Attributes:
        owner: User and thread.
        messages: New messages, the last one the user's; each has an id.
        remembered: Whether the thread is kept: memory, transcript, one turn at a time. Without, the turn stands alone.
        budget: Most tokens, read and written, of all calls of the chat model.
        answer_tokens: Most tokens of the answer.
        on_busy: What happens when the thread is still answering.
        attachments: Files that were handled before the turn: uploads that could not be kept, protected documents.
        replaces: Run whose message this one replaces; that turn and all after it are dropped first.
        published: Whether other processes can follow the events.
        resume: Answer to an interrupt of the graph, instead of messages.
        config: LangChain config to run under: callbacks, tags, metadata.
        modes: LangGraph stream modes that `tap` gets.
    """

    owner: Owner
    messages: Sequence[AnyMessage]
    system_prompt: str = ""
    budget: int | None = None
    answer_tokens: int | None = None
    language: Literal["auto", "en", "zh"] = "auto"
    tools: tuple[str, ...] | None = None
    remembered: bool = True
    on_busy: ConcurrencyPolicy = "enqueue"
    callback_url: str | None = None
    attachments: Sequence[Attachment] = ()
    replaces: str | None = None
    published: bool = True
    resume: object = None
    config: RunnableConfig = field(default_factory=RunnableConfig)
    modes: tuple[str, ...] = ()
    tap: Callable[[str, Any], None] | None = None

    def tapped(self, modes: tuple[str, ...], tap: Callable[[str, Any], None]) -> TurnRequest:
        """Return the same request, with `tap` called for every chunk of `modes`."""
        return replace(self, modes=modes, tap=tap)

    @property
    def thread_id(self) -> str:
        """The conversation, as the client names it."""
        return self.owner.thread_id or ""

    @property
    def spoken_language(self) -> Language:
        """Language in which the server speaks to this user."""
        if self.language != "auto":
            return self.language
        return language_of(str(self.messages[-1].text)) if self.messages else "en"


class Run:
    """One turn on its way."""

    def __init__(self, run_id: str, request: TurnRequest, log: RunLog) -> None:
        self.id = run_id
        self.request = request
        self.log = log
        self.progress = TurnProgress(log)
        self.created = self.ended = time.time()
        self.state: RunState = "queued"
        self.answer: Answer | None = None
        self.error: AppError | None = None
        self.ending: RunState | None = None
        self.recorded = False
        """Whether the transcript holds what the user said."""
        self.task: asyncio.Task[None] | None = None
        self.work: asyncio.Task[None] | None = None

    def stop(self, ending: RunState = "stopped") -> None:
        """Cut the turn short; what it has said so far is kept, unless it is rolled back."""
        running = self.work if self.work is not None else self.task
        if self.ending is None and running is not None and not running.done() and self.state in ("queued", "running"):
            self.ending = ending
            running.cancel()

    def public(self) -> dict[str, Any]:
        """Return the run as the API shows it; it is over when its last event is there."""
        over = self.log.closed
        state = self.state if over or self.state == "queued" else "running"
        error = self.error.body(self.request.spoken_language) if over and self.error else None
        return {
            "run_id": self.id, "session_id": self.request.thread_id, "state": state,
            "created_at": iso_time(self.created), "result": self.answer if over else None, "error": error,
        }  # fmt: skip

    async def over(self) -> None:
        """Wait for the end, whatever it is."""
        if self.task is not None:
            await asyncio.wait({self.task})

    async def result(self) -> Answer:
        """Wait for the end and return the answer.

        Raises:
            AppError: The turn failed.
        """
        await self.over()
        if self.error is not None:
            raise self.error
        if self.answer is None:
            raise UnknownRun(id=self.id)
        return self.answer


def public_record(record: RunRecord) -> dict[str, Any]:
    """Return a stored run as the API shows it."""
    result: dict[str, Any] | None = dict(record.get("result") or {}) or None
    error = result.pop("error", None) or result if result and record["state"] == "error" else None
    if error is not None and result is error:
        result = None
    return {
        "run_id": record["run_id"], "session_id": record["thread_id"],
        "state": result["state"] if result and "state" in result else record["state"],
        "created_at": record["created"], "result": result, "error": error,
    }  # fmt: skip
