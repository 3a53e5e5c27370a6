"""One reader of one run: what is stored, then what is pushed, in order, each event once."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal, NamedTuple, NotRequired, cast

from redis.asyncio import Redis
from typing_extensions import TypedDict

from stores.redis.event_scripts import PLACE
from stores.redis.server import memory_errors

State = Literal["queued", "running", "done", "error", "stopped"]
FINAL_STATES = frozenset({"done", "error", "stopped"})
TERMINAL_EVENTS = frozenset({"done", "error"})

BATCH = 500
BACKLOG = 2_000
"""Pushed events that wait for a slow reader; beyond that it reads the stream again."""
LOOK_INTERVAL = 5.0
"""Seconds of silence after which a reader makes sure that the run still lives."""
EVENT_ID = re.compile(r"\d{1,19}-\d{1,19}")
BEGIN = "0-0"


class RunEvent(NamedTuple):
    """One event. `gap` and `tick` carry no id: they are not in the stream."""

    id: str
    event: str
    data: dict[str, Any]


class RunRecord(TypedDict):
    """What is known of a run; times are ISO 8601 UTC. `result` is the data of its terminal event."""

    run_id: str
    state: State
    user_id: str
    thread_id: str
    language: str
    created: str
    started: NotRequired[str]
    finished: NotRequired[str]
    result: NotRequired[dict[str, Any]]


class EventReader:
    """Give it to a subscription by `feed`, take the events from `events`."""

    def __init__(self, redis: Redis, stream: str, look: Callable[[], Awaitable[RunRecord]], after: str | None) -> None:
        self._redis, self._stream, self._look = redis, stream, look
        self._last = after or BEGIN
        self._pushed: deque[bytes] = deque()
        self._behind = True
        self._gap_told = False
        self._ready = asyncio.Event()
        self._place = redis.register_script(PLACE)

    def feed(self, message: bytes | None) -> None:
        """Take a pushed event; `None`: some may be missing."""
        if message is None or len(self._pushed) >= BACKLOG:
            self._pushed.clear()
            self._behind = True
        elif not self._behind:
            self._pushed.append(message)
        self._ready.set()

    async def events(self, idle: float) -> AsyncIterator[RunEvent]:
        """Yield events up to the terminal one, `tick` after every `idle` seconds of silence."""
        silent_since, look = time.monotonic(), True
        while True:
            self._ready.clear()
            async for event in self._available():
                silent_since = time.monotonic()
                yield event
                if event.event in TERMINAL_EVENTS:
                    return
            if look and (record := await self._look())["state"] in FINAL_STATES:
                async for event in self._rest(record):
                    yield event
                return
            look = not await self._pushed_within(min(idle, LOOK_INTERVAL))
            if look and time.monotonic() - silent_since >= idle:
                silent_since = time.monotonic()
                yield RunEvent("", "tick", {})

    async def _pushed_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        except TimeoutError:
            return False
        return True

    async def _available(self) -> AsyncIterator[RunEvent]:
        while self._behind or self._pushed:
            if self._behind:
                self._behind = False
                async for event in self._stored():
                    yield event
            elif (event := _parse(self._pushed.popleft())) and _order(event.id) > _order(self._last):
                self._last = event.id
                yield event

    async def _stored(self) -> AsyncIterator[RunEvent]:
        if await self._whereabouts() == "gap":
            self._last, self._gap_told = BEGIN, True
            yield RunEvent("", "gap", dict(await self._look()))
        while rows := await self._batch():
            for event_id, fields in rows:
                self._last = event_id.decode()
                yield RunEvent(self._last, fields[b"e"].decode(), json.loads(fields[b"d"]))

    async def _batch(self) -> list[tuple[bytes, dict[bytes, bytes]]]:
        with memory_errors():
            rows: Any = await self._redis.xrange(self._stream, min=f"({self._last}", count=BATCH)
        return rows or []

    async def _whereabouts(self) -> Literal["kept", "gap", "nothing"]:
        """Tell whether all events behind the last one given are still in the stream."""
        if EVENT_ID.fullmatch(self._last) is None:
            return "gap"
        with memory_errors():
            found = await self._place(keys=[self._stream], args=[self._last])
        return cast(Literal["kept", "gap", "nothing"], found.decode())

    async def _rest(self, record: RunRecord) -> AsyncIterator[RunEvent]:
        """Yield what came in before the run was seen to have ended, also when its events have expired already."""
        if await self._whereabouts() == "nothing":
            if not self._gap_told:
                yield RunEvent("", "gap", dict(record))
            yield RunEvent("", "error" if record["state"] == "error" else "done", record.get("result", {}))
            return
        self._behind = True
        async for event in self._available():
            yield event


def _parse(message: bytes) -> RunEvent:
    event_id, event, data = message.split(b" ", 2)
    return RunEvent(event_id.decode(), event.decode(), json.loads(data))


def _order(event_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = event_id.partition("-")
    return int(milliseconds), int(sequence)
