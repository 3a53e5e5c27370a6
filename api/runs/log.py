"""The events of one run: kept here for those who listen in this process, copied to Redis in batches for all others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal

from domain.errors import AppError
from domain.words import Language

if TYPE_CHECKING:
    from domain.owner import Owner
    from stores.redis.events import RunEvents

logger = logging.getLogger(__name__)

FIRST_SECONDS = 0.02
"""The first copy waits so long, for the model to be asked before."""
BATCH_SECONDS = 0.03
"""Pause between two copies to Redis: one command for all tokens of that time."""
HEARTBEAT_SECONDS = 10.0
"""Longest silence of a stream."""
BATCH = "batch"
"""Name under which a batch is stored: `{"events": [[number, name, data], ...]}`."""

Event = tuple[int, str, Any]
"""Number within the run from 1 (0: not part of the log), name, JSON-native data."""
TERMINAL = frozenset({"done", "error"})
FINAL_STATES: dict[str, Literal["done", "error"]] = {"done": "done", "error": "error"}


class RunLog:
    """Append-only; readers may start anywhere and wait for what is to come.

    Args:
        run_id: The run.
        store: Where the events are copied to; `None` keeps them in this process only.
        owner: Whose run it is.
        language: Of the error that a reader gets when this process dies.
    """

    def __init__(self, run_id: str, store: RunEvents | None, owner: Owner, language: Language) -> None:
        self._run_id, self._store, self._owner, self._language = run_id, store, owner, language
        self._events: list[Event] = []
        self._grown = asyncio.Event()
        self._wanted = asyncio.Event()
        self._created = False
        self._copied = 0
        self._copier: asyncio.Task[None] | None = None
        self.closed = False

    def append(self, name: str, data: Any) -> None:
        """Add an event. Nothing is added after `done` or `error`: a run ends once."""
        if self.closed:
            return
        self._events.append((len(self._events) + 1, name, data))
        self.closed = name in TERMINAL
        if self.closed:
            self._wanted.set()
        self._grown.set()
        self._grown = asyncio.Event()
        if self._store is not None and (self._copier is None or self._copier.done()):
            self._copier = asyncio.get_running_loop().create_task(self._copy(self._store))

    async def batches(self, after: int = 0) -> AsyncIterator[list[Event]]:
        """Yield the events with a number above `after`, as many at once as there are, up to the terminal one.

        A number that was never given counts as none.

        An empty list says that nothing happened for `HEARTBEAT_SECONDS`.
        """
        position = after if after <= len(self._events) else 0
        while True:
            grown = self._grown
            if position < len(self._events):
                batch = self._events[position:]
                position += len(batch)
                yield batch
            if position >= len(self._events) and self.closed:
                return
            if position >= len(self._events) and not await _within(grown, HEARTBEAT_SECONDS):
                yield []

    async def settle(self) -> None:
        """Wait until Redis has all events so far."""
        self._wanted.set()
        while self._copier is not None and not self._copier.done():
            await asyncio.wait({self._copier})

    async def _copy(self, store: RunEvents) -> None:
        try:
            if not self._created:
                await _within(self._wanted, FIRST_SECONDS)
                owner = self._owner
                await store.create(
                    self._run_id, user_id=owner.user_id, thread_id=owner.thread_id or "", language=self._language
                )
                self._created = True
            while self._copied < len(self._events):
                self._copied += await self._copy_batch(store, self._events[self._copied :])
                if not self.closed:
                    await asyncio.sleep(BATCH_SECONDS)
        except AppError as exc:
            logger.warning("events not copied", extra={"code": exc.code, "copied": self._copied})

    async def _copy_batch(self, store: RunEvents, batch: list[Event]) -> int:
        plain = [event for event in batch if event[1] not in TERMINAL]
        if any(name == "run" and data["state"] == "running" for _, name, data in plain):
            await store.set_state(self._run_id, "running")
        if plain:
            await store.append(self._run_id, BATCH, {"events": plain})
        for _, name, data in batch[len(plain) :]:
            stopped = data.get("state") in ("stopped", "interrupted", "rolled_back")
            await store.finish(self._run_id, "stopped" if stopped else FINAL_STATES[name], data)
        return len(batch)


async def stored_batches(
    store: RunEvents, run_id: str, record: dict[str, Any], after: int
) -> AsyncIterator[list[Event]]:
    """Yield the events of a run from Redis, like `RunLog.batches`.

    Where events behind `after` are no longer kept, `gap` comes first, once, with what is known of the run.
    """
    seen, gap_told = 0, False
    async for item in store.read(run_id, None, HEARTBEAT_SECONDS):
        if item.event == "tick":
            yield []
        elif item.event in TERMINAL:
            # Without anything before it, what went before has expired: the client's own count is the best there is.
            number = seen + 1 if seen else after + 1
            data = item.data if "error" in item.data or item.event == "done" else {"error": item.data}
            if number != after:
                yield ([] if seen or gap_told else [(0, "gap", record)]) + [(number, item.event, data)]
        elif item.event != "gap":
            events = item.data["events"]
            fresh = [(n, name, data) for n, name, data in events if n > after]
            if fresh and fresh[0][0] > max(seen, after) + 1 and not gap_told:
                gap_told = True
                yield [(0, "gap", record)]
            seen = events[-1][0]
            if fresh:
                yield fresh


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
