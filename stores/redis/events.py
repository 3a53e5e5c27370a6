"""Runs and what happens in them: a record and a bounded stream of events in Redis, readable from every process.

Events are pushed to readers over one subscription connection a process; a reader that starts, falls behind or was cut
off reads the stream itself. So 500 open streams cost no connection each, and nothing is missed.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, cast

from redis.asyncio import Redis

from domain.errors import MemoryUnavailable, RunLost, UnknownRun
from domain.owner import Owner
from domain.words import Language
from settings import Settings
from stores.redis.event_reader import TERMINAL_EVENTS, EventReader, RunEvent, RunRecord
from stores.redis.event_scripts import APPEND, BEAT, CREATE, LOOK, START
from stores.redis.server import memory_errors
from stores.redis.signals import Signals
from stores.redis.tasks import end_tasks

logger = logging.getLogger(__name__)

MOST_EVENTS = 10_000
BEAT_INTERVAL = 3.0
LOST_AFTER = 12.0
"""Seconds without a heartbeat after which a run's process counts as gone."""


class RunEvents:
    """The runs of all processes. Every method raises `MemoryUnavailable` when Redis fails."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._ttl = settings.thread_ttl
        self._signals = Signals(redis)
        self._mine: set[str] = set()
        self._beating: asyncio.Task[None] | None = None
        self._create, self._append, self._start, self._beat, self._look = (
            redis.register_script(script) for script in (CREATE, APPEND, START, BEAT, LOOK)
        )

    async def create(self, run_id: str, *, user_id: str, thread_id: str, language: Language = "en") -> None:
        """Record a queued run that this process will carry out; from now on it sends the run's heartbeat."""
        fields = ["run_id", run_id, "user_id", user_id, "thread_id", thread_id, "language", language]
        with memory_errors():
            await self._create(keys=_keys(run_id), args=[self._ttl, *map(_clean, fields)])
        self._mine.add(run_id)
        if self._beating is None:
            self._beating = asyncio.get_running_loop().create_task(self._beat_all(), name="run-heartbeats")

    async def set_state(self, run_id: str, state: Literal["queued", "running"]) -> bool:
        """Note that the run waits or runs; `False` when it has ended already."""
        with memory_errors():
            return bool(await self._start(keys=_keys(run_id), args=[state]))

    async def append(self, run_id: str, event: str, data: dict[str, Any]) -> str | None:
        """Add an event and push it to the readers; return its id, or `None` when the run has ended already.

        `done` and `error` end the run in the state of that name.
        """
        return await self._add(run_id, event, data, event if event in TERMINAL_EVENTS else "")

    async def finish(self, run_id: str, state: Literal["done", "error", "stopped"], data: dict[str, Any]) -> str | None:
        """End the run with its one terminal event, `error` or else `done`; `data` is its result."""
        return await self._add(run_id, "error" if state == "error" else "done", data, state)

    async def _add(self, run_id: str, event: str, data: dict[str, Any], final: str) -> str | None:
        args: list[str | bytes | int] = [event, _dump(data), MOST_EVENTS, self._ttl, final]
        with memory_errors():
            event_id = await self._append(keys=_keys(run_id), args=args)
        if final:
            self._mine.discard(run_id)
        return event_id.decode() if event_id else None

    async def get(self, run_id: str) -> RunRecord | None:
        """Return the record of the run; one whose process is gone has ended in `error`."""
        lost = [_dump(RunLost().body("en")), _dump(RunLost().body("zh"))]
        with memory_errors():
            found = await self._look(keys=_keys(run_id), args=[int(LOST_AFTER * 1000), *lost, MOST_EVENTS, self._ttl])
        return _record(dict(zip(found[::2], found[1::2], strict=True))) if found else None

    async def forget(self, run_ids: Sequence[str], owner: Owner) -> int:
        """Delete those of the runs that are of this user and thread, with their events; return the number of keys."""
        whose = [_clean(owner.user_id), _clean(owner.thread_id or "")]
        with memory_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for run_id in run_ids:
                    pipe.hmget(_keys(run_id)[0], ["user_id", "thread_id"])
                found = await pipe.execute()
            own = [run_id for run_id, fields in zip(run_ids, found, strict=True) if fields == whose]
            self._mine.difference_update(own)
            return int(await self._redis.delete(*(key for run_id in own for key in _keys(run_id)))) if own else 0

    async def read(self, run_id: str, after: str | None = None, idle: float = 10.0) -> AsyncIterator[RunEvent]:
        """Yield the run's events behind `after` (an event id; `None`: all), then what comes, up to the terminal event.

        `gap`, with the record as its data, comes first when events behind `after` are no longer kept or `after` is not
        of this run: what follows starts with the oldest event kept. `tick` comes after every `idle` seconds of silence.

        Raises:
            UnknownRun: There is no such run.
        """
        channel = _keys(run_id)[1]
        reader = EventReader(self._redis, channel, partial(self._known, run_id), after)
        await self._signals.listen(channel, reader.feed)
        try:
            async for event in reader.events(idle):
                yield event
        finally:
            await self._signals.leave(channel, reader.feed)

    async def _known(self, run_id: str) -> RunRecord:
        record = await self.get(run_id)
        if record is None:
            raise UnknownRun(id=run_id)
        return record

    async def aclose(self) -> None:
        """Stop the heartbeat and the subscription; runs that this process has not ended count as lost soon."""
        await end_tasks([self._beating])
        self._beating = None
        await self._signals.aclose()

    async def _beat_all(self) -> None:
        while True:
            await asyncio.sleep(BEAT_INTERVAL)
            try:
                with memory_errors():
                    if self._mine:
                        await self._beat(keys=[_keys(run_id)[0] for run_id in self._mine])
            except MemoryUnavailable:
                logger.warning("heartbeats not sent", extra={"runs": len(self._mine)})


def _keys(run_id: str) -> list[str]:
    return [f"run:{run_id}", f"run:{run_id}:events"]


def _clean(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _dump(data: object) -> bytes:
    return _clean(json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def _record(found: dict[bytes, bytes]) -> RunRecord:
    fields: dict[str, Any] = {name.decode(): value.decode() for name, value in found.items() if name != b"beat"}
    for name in {"created", "started", "finished"} & fields.keys():
        fields[name] = datetime.fromtimestamp(int(fields[name]) / 1000, UTC).isoformat(timespec="milliseconds")
    if "result" in fields:
        fields["result"] = json.loads(fields["result"])
    return cast(RunRecord, fields)
