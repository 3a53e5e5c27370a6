"""The events of one run: kept here for those who listen in this process, copied to Redis for all others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from domain.errors import AppError
from domain.runs import RESTS, Event, RunState, is_takeover
from stores.redis.events import happens

if TYPE_CHECKING:
    from domain.owner import Owner
    from domain.words import Language
    from stores.redis.events import RunEvents

logger = logging.getLogger(__name__)

FIRST_SECONDS = 0.02
"""The first copy waits so long, for the model to be asked before."""
PAUSE_SECONDS = 0.03
"""Pause between two copies to Redis: one command for all tokens of that time."""


class RunLog:
    """Append-only; readers may start anywhere and wait for what is to come.

    Args:
        run_id: The run.
        store: Where the events are copied to.
        owner: Whose run it is.
        language: Of the error that a reader gets when this process dies.
        published: Whether events are copied from the first on; a run that waits is copied in any case.
        before: Number of the last event that the run had when it began to wait, or its process was gone; those up to it
            are in Redis alone.
    """

    def __init__(
        self,
        run_id: str,
        store: RunEvents,
        owner: Owner,
        language: Language,
        *,
        published: bool = True,
        before: int = 0,
    ) -> None:
        self._run_id, self._store, self._owner, self._language = run_id, store, owner, language
        self.before = before
        self.published = published
        self._abandoned = False
        self._events: list[Event] = []
        self._grown = asyncio.Event()
        self._urgent = asyncio.Event()
        self._copied = 0
        self._copier: asyncio.Task[None] | None = None
        self.closed = False
        self._tried = asyncio.Event()
        self._failure: AppError | None = None

    def append(self, name: str, data: Any) -> None:
        """Add an event. Nothing is added after `done` or `error`, for a run ends once, nor after `waiting`."""
        if self.closed:
            return
        self._events.append(Event(self.before + len(self._events) + 1, name, data))
        self.closed = name in RESTS
        self.published = self.published or name == "waiting"
        if self.closed:
            self._urgent.set()
        self._wake()
        if self.published:
            self._start()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    def _start(self) -> None:
        if self._copier is None or self._copier.done():
            self._copier = asyncio.get_running_loop().create_task(self._copy(self._store))

    async def publish(self) -> None:
        """Copy the events from the first on, and wait until other processes can see the run.

        Raises:
            MemoryUnavailable: Redis does not take it.
        """
        self.published = True
        if self._copier is None or self._copier.done():
            self._tried.clear()
            self._start()
        await self.recorded()

    def abandon(self) -> None:
        """End here without a last event: another process goes on with the run, and its readers read on there."""
        self.closed = self._abandoned = True
        self._wake()

    @property
    def last(self) -> Any:
        """Data of the newest event."""
        return self._events[-1].data if self._events else None

    async def read(self, after: int = 0) -> AsyncIterator[list[Event]]:
        """Yield the events with a number above `after`, as many at once as there are, up to the last one.

        A number that was never given counts as 0; events before those of this log are not yielded.
        """
        position = max(0, after - self.before) if after <= self.before + len(self._events) else 0
        while True:
            grown = self._grown
            if batch := self._events[position:]:
                position += len(batch)
                if batch[-1].name == "waiting":
                    await self.settle()  # its reader may answer at once, on any process
                yield batch
            elif self.closed:
                return
            else:
                await grown.wait()

    async def recorded(self) -> None:
        """Wait until other processes can see the run.

        Raises:
            MemoryUnavailable: They never will: Redis does not take it.
        """
        self._urgent.set()
        await self._tried.wait()
        if not self._copied and self._failure is not None:
            raise self._failure

    async def keep_question(self, question: Sequence[Mapping[str, Any]]) -> None:
        """Keep what was asked with the record of the run.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        await self.recorded()
        await self._store.attach(self._run_id, "question", question)

    async def settle(self) -> None:
        """Wait until Redis has all events so far."""
        self._urgent.set()
        while self._copier is not None and not self._copier.done():
            await asyncio.wait({self._copier})

    async def _copy(self, store: RunEvents) -> None:
        try:
            if not self._copied and not self.before:
                await happens(self._urgent, FIRST_SECONDS)
                await store.create(self._run_id, self._owner, self._language)
            while not self._abandoned and (batch := self._events[self._copied :]):
                await store.append(self._run_id, batch, _state_in(batch), self.before)
                self._copied += len(batch)
                self._tried.set()
                if not self.closed:
                    await asyncio.sleep(PAUSE_SECONDS)
        except AppError as exc:
            logger.warning("events not copied", extra={"code": exc.code, "copied": self._copied})
            self._failure = exc
        finally:
            self._tried.set()


def _state_in(batch: list[Event]) -> RunState | None:
    """Return the last state in these events."""
    told: list[RunState] = [
        "error" if name == "error" else data["state"] for _, name, data in batch if name in RESTS or name == "run"
    ]
    return told[-1] if told else None


async def with_gaps(
    batches: AsyncIterator[list[Event]], after: int, describe: Callable[[], Awaitable[dict[str, Any]]]
) -> AsyncIterator[list[Event]]:
    """Put a `gap` event where events are no longer kept; its data is the result of `describe`.

    The number of a takeover is no gap: it leaves room for events that only readers of the process before have seen.

    Args:
        batches: Events of a run with numbers above `after`, or from the first when `after` was never given.
        after: Number of the last event that the reader has.
        describe: Asked for the state and the result of the run.
    """
    expected = after + 1
    async for batch in batches:
        if batch[0].number > expected and not is_takeover(batch[0]):
            yield [Event(0, "gap", await describe())]
        expected = batch[-1].number + 1
        yield batch
