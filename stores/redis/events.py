"""Runs and their events: a record and a bounded stream in Redis, readable from every process.

Event `n` of a run is the entry `n-0` of its stream, so the numbers alone tell a reader what is missing. Readers are
woken over one subscription connection a process and take what there is from the stream: 500 open streams cost no
connection each, and a reader that was asleep, slow or cut off misses nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any, NotRequired, cast

import redis
from redis.asyncio import Redis
from typing_extensions import TypedDict

from domain.errors import RunLost, UnknownRun
from domain.owner import Owner
from domain.runs import FINAL_STATES, RESTS, Event, RunState, last_event
from domain.times import iso_time
from domain.words import Language
from settings import Settings
from stores.redis.event_scripts import APPEND, ATTACH, BEAT, CREATE, GET, GO_ON
from stores.redis.heartbeat import Heartbeat
from stores.redis.server import memory_errors
from stores.redis.signals import Signals
from stores.redis.unfinished import steps_key

logger = logging.getLogger(__name__)

MOST_EVENTS = 50_000
MOST_RUNS = 1000
"""Runs of a thread, newest first, that are found by it."""
BEAT_INTERVAL = 3.0
LOST_AFTER = 12.0
"""Seconds without a heartbeat after which a run's process counts as gone."""
CHECK_INTERVAL = 5.0
"""Seconds of silence after which a reader makes sure that the run still lives."""
BATCH = 500
"""Most events that a reader takes at once."""
JSON_FIELDS = frozenset({"result", "response", "question"})
"""Fields of a record that are JSON."""


class RunRecord(TypedDict):
    """What is known of a run; times are ISO 8601 UTC."""

    run_id: str
    user_id: str
    thread_id: str
    language: Language
    state: RunState
    created: str
    started: NotRequired[str]
    finished: NotRequired[str]
    last: int
    """Number of the newest event."""
    result: NotRequired[dict[str, Any]]
    """Data of the terminal event."""
    response: NotRequired[dict[str, Any]]
    """What is kept of it for OpenAI's clients."""
    question: NotRequired[list[dict[str, Any]]]
    """What was asked in a temporary thread, which has no transcript that tells."""


class RunEvents:
    """The runs of all processes. Every method raises `MemoryUnavailable` when Redis fails."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._ttl, self._keyring = settings.thread_ttl, settings.memory_keyring
        self._signals = Signals(redis)
        self._mine: set[str] = set()
        self._heartbeat = Heartbeat(redis, "run-heartbeats", self._beat_all)
        self._create, self._append, self._get, self._attach, self._go_on = map(
            redis.register_script, (CREATE, APPEND, GET, ATTACH, GO_ON)
        )

    async def create(self, run_id: str, owner: Owner, language: Language) -> None:
        """Record a queued run of this process and start its heartbeat."""
        thread = self._keyring.seal(_encoded(owner.thread_id or ""))  # a client may name its threads in words
        fields = ["run_id", run_id, "user_id", owner.user_id, "language", language]
        with memory_errors():
            keys = [_keys(run_id)[0], _thread_key(owner)]
            await self._create(
                keys=keys, args=[self._ttl, MOST_RUNS, run_id, *map(_encoded, fields), "thread_id", thread]
            )
        self.adopt(run_id)

    async def append(
        self, run_id: str, events: Sequence[Event], state: RunState | None = None, part: int | None = None
    ) -> bool:
        """Add events, wake the readers, and set the run's state; `False` when it was over already.

        With a final state, the last of the events is the terminal one. With a `part`, the number of the last event that
        the run had when this process went on with it, also `False` when another process has it now.
        """
        args: list[str | bytes | int] = [self._ttl, MOST_EVENTS, state or "", "" if part is None else part]
        for event in events:
            args += [event.number, event.name, self._sealed(event.data)]
        with memory_errors():
            added = await self._append(keys=_keys(run_id), args=args)
        if state in FINAL_STATES or state == "waiting":
            self._mine.discard(run_id)
        return bool(added)

    async def go_on(self, run_id: str) -> int | None:
        """Take a run that waits for this process; return the number of its newest event, or None if none is to take."""
        with memory_errors():
            last = int(await self._go_on(keys=_keys(run_id), args=[self._ttl]))
        if last < 0:
            return None
        self.adopt(run_id)
        return last

    async def get(self, run_id: str) -> RunRecord | None:
        """Return the record of the run; one whose process is gone, and that no other can take, has ended in `error`."""
        lost = [self._sealed({"error": RunLost().body(language)}) for language in ("en", "zh")]
        keys = [*_keys(run_id), steps_key(run_id)]
        with memory_errors():
            found = await self._get(keys=keys, args=[self._ttl, MOST_EVENTS, int(LOST_AFTER * 1000), *lost])
        return self._record(dict(zip(found[::2], found[1::2], strict=True))) if found else None

    async def attach(self, run_id: str, name: str, value: object) -> None:
        """Keep `value` in the record of a run, for as long as the run is kept."""
        with memory_errors():
            await self._attach(keys=_keys(run_id)[:1], args=[self._ttl, name, self._sealed(value)])

    async def detach(self, run_id: str, name: str) -> None:
        """Drop what is attached to a run."""
        with memory_errors():
            await self._redis.hdel(_keys(run_id)[0], name)

    async def forget_thread(self, owner: Owner, run_ids: Sequence[str] = ()) -> int:
        """Delete the runs of a thread, and those of `run_ids` that are of it; return the number of keys."""
        with memory_errors():
            listed: Any = await self._redis.lrange(_thread_key(owner), 0, -1)
            await self._redis.delete(_thread_key(owner))
        return await self.forget(list({*run_ids, *(run_id.decode() for run_id in listed)}), owner)

    async def forget(self, run_ids: Sequence[str], owner: Owner) -> int:
        """Delete those of the runs that are of this user and thread, with their events; return the number of keys."""
        whose = [_encoded(owner.user_id), _encoded(owner.thread_id or "")]
        with memory_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for run_id in run_ids:
                    pipe.hmget(_keys(run_id)[0], ["user_id", "thread_id"])
                found = await pipe.execute()
            owners = [[self._keyring.unseal(field or b"") for field in fields] for fields in found]
            own = [run_id for run_id, fields in zip(run_ids, owners, strict=True) if fields == whose]
            self._mine.difference_update(own)
            keys = [key for run_id in own for key in (*_keys(run_id), steps_key(run_id))]
            return int(await self._redis.delete(*keys)) if own else 0

    async def read(self, run_id: str, after: int = 0) -> AsyncIterator[list[Event]]:
        """Yield the events with a number above `after` that are kept, many at once, then those to come, to the last.

        They also end where the run begins to wait for a person; a reader who has that event waits for what follows. The
        terminal event is always there, even when all others have expired. A number that was never given counts
        as 0.

        Raises:
            UnknownRun: There is no such run.
        """
        woken, channel = asyncio.Event(), _keys(run_id)[1]

        def wake(_: bytes | None) -> None:
            woken.set()

        await self._signals.listen(channel, wake)
        try:
            async for batch in self._events(run_id, after, woken):
                yield batch
        finally:
            await self._signals.leave(channel, wake)

    async def _events(self, run_id: str, after: int, woken: asyncio.Event) -> AsyncIterator[list[Event]]:
        quiet = True
        while True:
            woken.clear()
            batch = await self._kept(run_id, after)
            if not batch and quiet:
                rest = await self._rest(run_id, after)
                if rest == []:
                    return
                batch = rest or []
            if batch:
                yield batch
                after = batch[-1].number
                if batch[-1].name in RESTS:
                    return
            if len(batch) < BATCH:
                quiet = not await happens(woken, CHECK_INTERVAL)

    async def _rest(self, run_id: str, after: int) -> list[Event] | None:
        """Return the first of the events behind `after` of a run that is over; `None` while it is not."""
        record = await self.get(run_id)
        if record is None:
            raise UnknownRun(id=run_id)
        last = record["last"]
        if record["state"] not in FINAL_STATES and (record["state"] != "waiting" or after == last):
            return None
        if after == last:
            return []
        kept = await self._kept(run_id, after if after < last else 0)
        return kept or [Event(last, last_event(record["state"]), record.get("result", {}))]

    async def _kept(self, run_id: str, after: int) -> list[Event]:
        with memory_errors():
            rows: Any = await self._redis.xrange(_keys(run_id)[1], min=f"({after}-0", count=BATCH)
        return [
            Event(int(at.partition(b"-")[0]), row[b"e"].decode(), json.loads(self._keyring.unseal(row[b"d"])))
            for at, row in rows or []
        ]

    def adopt(self, run_id: str) -> None:
        """Keep a run alive that this process has taken from another one."""
        self._mine.add(run_id)
        self._heartbeat.start(BEAT_INTERVAL)

    def leave(self, run_id: str) -> None:
        """Keep a run alive no longer: another process takes it."""
        self._mine.discard(run_id)

    async def aclose(self) -> None:
        """Stop the heartbeat and the subscription; runs that this process has not ended count as lost soon."""
        await self._heartbeat.aclose()
        await self._signals.aclose()

    def _sealed(self, data: object) -> bytes:
        return self._keyring.seal(_encoded(json.dumps(data, ensure_ascii=False, separators=(",", ":"))))

    def _record(self, found: dict[bytes, bytes]) -> RunRecord:
        held = {name.decode(): value for name, value in found.items() if name not in (b"beat", b"part")}
        fields: dict[str, Any] = {
            name: json.loads(value) if name in JSON_FIELDS else value.decode()
            for name, value in ((name, self._keyring.unseal(value)) for name, value in held.items())
        }
        for name in {"created", "started", "finished"} & fields.keys():
            fields[name] = iso_time(int(fields[name]) / 1000)
        return cast(RunRecord, {**fields, "last": int(fields.get("last", 0))})

    def _beat_all(self, client: redis.Redis) -> None:
        keys = [_keys(run_id)[0] for run_id in list(self._mine)]
        if keys:
            client.eval(BEAT, len(keys), *keys)


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Wait for `event`; return whether it was set within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _keys(run_id: str) -> list[str]:
    return [f"run:{run_id}", f"run:{run_id}:log"]


def _thread_key(owner: Owner) -> str:
    return f"runs:{owner.memory_key}"


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")
