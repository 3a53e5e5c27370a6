"""Runs that outlive their process: what is kept of a long one, and how another process goes on with it."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from api.runs.pause import Choices, choices_of, chosen
from api.runs.request import TurnRequest
from domain.errors import AppError, MemoryUnavailable, RunLost
from domain.owner import Owner
from stores.conversations.entries import Spot
from stores.people.users import ApiKey, calling_key
from stores.redis.staged_memory import ROOT, Put, StagedMemory, Write
from stores.redis.unfinished import Steps

if TYPE_CHECKING:
    from langchain_core.messages import AnyMessage

    from api.runs.pause import Pause
    from api.runs.progress import Stand
    from api.runs.record import TurnRecord
    from api.runs.run import Run
    from domain.limits import Spent
    from stores.redis.unfinished import UnfinishedRuns

logger = logging.getLogger(__name__)

LONG_SECONDS = 2.0
"""A run is kept after so long; one that ends before costs nothing."""
PATIENCE, RETRY_SECONDS = 20.0, 0.2
"""How long a step waits to be kept for a Redis that went away, and between two attempts."""
MOST_CHARS = 1_000_000
"""Messages with more in them, files that is, are not kept: such a run can be taken over once the files are stored."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """A run that this process has taken from one that is gone.

    Attributes:
        steps: What was kept of it.
    """

    steps: Steps

    @property
    def begun(self) -> bool:
        """Whether a step of the graph has ended: it goes on behind that; else the turn begins again."""
        return ROOT in self.steps.documents

    @property
    def asked(self) -> Spot | None:
        """The place behind the question, where that is written down."""
        found = self.steps.note["asked"]
        return Spot(**found) if found else None

    @property
    def place(self) -> Spot:
        """Where the turn began."""
        return Spot(**self.steps.note["place"])

    @property
    def stands(self) -> bool:
        """Whether the thread's memory was that of the turn when it began."""
        return bool(self.steps.note["stands"])

    @property
    def key(self) -> ApiKey | None:
        """The key with which it was asked for, where that is one of the table."""
        found = self.steps.note.get("key")
        return ApiKey(**found) if found else None

    @property
    def created(self) -> float:
        """When the run was asked for, Unix time."""
        return float(self.steps.note["created"])

    @property
    def message_ids(self) -> list[str]:
        """Ids of the user's messages."""
        return cast("list[str]", self.steps.note["message_ids"])

    @property
    def spent(self) -> Spent:
        """What it had used of its budget."""
        return cast("Spent", self.steps.stand["spent"])

    @property
    def stand(self) -> Stand:
        """How far its answer had come."""
        return cast("Stand", self.steps.stand["progress"])


def taken_request(takeover: Takeover) -> TurnRequest:
    """Return the request that goes on with a run.

    Raises:
        RunLost: Nothing is there to go on from.
    """
    note = takeover.steps.note
    pause = cast("Pause | None", note["pause"])
    if not (takeover.begun or pause or note["messages"]):
        raise RunLost
    request = TurnRequest(
        owner=Owner(note["user_id"], note["thread_id"], temporary=note["temporary"]),
        messages=cast("list[AnyMessage]", note["messages"]),
        attachments=note["attachments"],
        resume=note["resume"],
        pause=pause,
        takeover=takeover,
    )
    return chosen(cast("Choices", note), request)


class StepKeeper:
    """Keeps the steps of one run from the moment on at which it counts as long.

    Args:
        run: The run.
        record: Its transcript.
        place: Where it began.
        memory: What it has written so far.
        stands: Whether the thread's memory was that of the turn.
        store: Where they are kept.
    """

    def __init__(
        self, run: Run, record: TurnRecord, place: Spot, memory: StagedMemory, store: UnfinishedRuns, *, stands: bool
    ) -> None:
        self._run, self._record, self._place, self._memory = run, record, place, memory
        self._stands, self._store = stands, store
        self._lock = asyncio.Lock()
        self._due = False
        self.begun = run.request.takeover is not None
        """Whether another process can go on with the run."""

    async def begin(self) -> None:
        """Keep what another process needs: question, events, request, the steps so far. A later step tries again."""
        self._due = True
        async with self._lock:
            if not self.begun:
                await self._begin()

    async def _begin(self) -> None:
        try:
            await self._run.log.publish()
            note = self._note(await self._record.opened())
            documents, rows = self._memory.written() if self._memory.steps is not None else ({}, {})
            steps = Steps(note=note, stand=self._stand(), documents=documents, rows=rows)
            await self._store.note(self._run.id, self._run.log.before, steps)
            self.begun = True
        except (AppError, TypeError, ValueError) as exc:
            logger.warning("a long run cannot be taken over yet", extra={"error": type(exc).__name__})

    async def checkpoint(self, ns: str, put: Put) -> None:
        """Keep a checkpoint; see `StepStore`. A Redis that went away is waited for."""
        if not self._due and not self.begun:
            return
        async with self._lock:
            if not self.begun:
                return await self._begin()  # with this step
            until = time.monotonic() + PATIENCE
            while True:
                try:
                    return await self._store.checkpoint(
                        self._run.id, self._run.log.before, ns, put.document, self._stand()
                    )
                except MemoryUnavailable:
                    if time.monotonic() > until:
                        raise
                await asyncio.sleep(RETRY_SECONDS)

    async def writes(self, write: Write) -> None:
        """Keep what a task wrote; where that fails, the task is done again, its effects are not."""
        async with self._lock:
            if self.begun:
                try:
                    await self._store.writes(self._run.id, self._run.log.before, write.rows, self._stand())
                except AppError as exc:
                    logger.warning("a step is not kept", extra={"code": exc.code})

    def _stand(self) -> dict[str, Any]:
        return {"spent": self._run.spent, "progress": self._run.progress.stand()}

    def _note(self, asked: Spot | None) -> dict[str, Any]:
        run, request, key = self._run, self._run.request, calling_key.get()
        messages = list(request.messages)
        if sum(len(str(message.content)) for message in messages) > MOST_CHARS:
            messages = []
        return {
            "user_id": request.owner.user_id, "thread_id": request.owner.thread_id,
            "temporary": request.owner.temporary, "created": run.created, "messages": messages,
            "message_ids": run.message_ids, "attachments": list(request.attachments), "place": asdict(self._place),
            "asked": asdict(asked) if asked is not None else None, "stands": self._stands, "pause": request.pause,
            "resume": request.resume, "key": asdict(key) if key is not None else None, **choices_of(request),
        }  # fmt: skip
