"""Counts attempts in Redis for all processes, and keeps who is held back in the memory of each.

A request of somebody who is not held back costs a look at an empty dictionary: changes are told by a signal.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.attempts import HELD, KINDS, SLOW_AT, STOP_AT, WINDOW, AttemptKind, Level, level_at
from settings import Settings
from stores.redis.signals import Signals

logger = logging.getLogger(__name__)

CHANNEL = "attempts"
HOLDS = "attempts:holds"
SUBJECTS = "attempts:subjects"
MOST_WAITING = 1000
"""Attempts that wait to be counted; beyond them the flood itself is what the limits of requests are for."""

HOLDING: dict[str, list[tuple[Level, int]]] = {
    "off": [], "watch": [], "slow": [("slow", SLOW_AT)], "stop": [("slow", SLOW_AT), ("stop", STOP_AT)]
}  # fmt: skip
"""By setting, how access is held back from how many points on, the stricter behind."""

_COUNT = """
if ARGV[3] ~= '' then
  if redis.call('SADD', KEYS[2], ARGV[3]) == 0 then return {0, 0} end
  redis.call('EXPIRE', KEYS[2], ARGV[4], 'NX')
end
local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('EXPIRE', KEYS[1], ARGV[4], 'NX')
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[7])
redis.call('EXPIRE', KEYS[3], ARGV[6])
local before = tonumber(redis.call('HGET', KEYS[1], 'points') or 0)
if count <= tonumber(ARGV[8]) then return {before, before} end
local after = redis.call('HINCRBY', KEYS[1], 'points', ARGV[2])
for _, limit in ipairs(cjson.decode(ARGV[9])) do
  if before < limit[2] and limit[2] <= after then
    redis.call('HSET', KEYS[4], ARGV[7], limit[1] .. ' ' .. ARGV[10])
    redis.call('PUBLISH', KEYS[5], '')
  end
end
return {before, after}
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose attempts are counted: a user, or an address that sends keys that there are none of."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Hold:
    """How access is held back, until when (Unix time)."""

    level: Level
    until: float


@dataclass(frozen=True, slots=True)
class AttemptEvent:
    """A subject passed a limit: `counts` are its attempts in the window, by kind."""

    subject: Subject
    level: Level
    points: int
    counts: dict[str, int]


class Attempts:
    """The attempts of an installation.

    Attributes:
        on_event: Called with each event, in the process that counted the attempt.
    """

    def __init__(self, redis: Redis, settings: Settings) -> None:
        """Keep the client; nothing is sent yet."""
        self._redis, self._setting = redis, settings.attempts
        self._signals = Signals(redis)
        self._holds: dict[str, Hold] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_event: Callable[[AttemptEvent], Awaitable[None]] | None = None

    @property
    def watches(self) -> bool:
        """Whether anything is counted."""
        return self._setting != "off"

    async def start(self) -> None:
        """Follow who is held back."""
        if HOLDING[self._setting]:
            await self._signals.listen(CHANNEL, lambda _: self._spawn(self._load()))

    def held(self, subject: Subject) -> Hold | None:
        """Return how the access of a subject is held back now."""
        hold = self._holds.get(str(subject)) if self._holds else None
        return hold if hold is not None and hold.until > time.time() else None

    def note(self, kind: AttemptKind, subject: Subject, mark: str = "") -> None:
        """Count an attempt, behind the request; one of the same `mark` counts once in a window."""
        if self.watches and len(self._tasks) < MOST_WAITING:
            self._spawn(self._count(kind, subject, mark))

    async def counted(self) -> list[tuple[Subject, int, dict[str, int], Hold | None]]:
        """Return the subjects with attempts in their window or a hold: points, counts by kind, the hold.

        Raises:
            RedisError: Redis does not answer.
        """
        await self._load()
        await self._redis.zremrangebyscore(SUBJECTS, 0, time.time() - WINDOW)
        newest: Any = await self._redis.zrevrange(SUBJECTS, 0, 999)
        names = [name.decode() for name in newest]
        found = []
        for name in dict.fromkeys([*self._holds, *names]):
            points, counts = await self._counts(name)
            subject = _subject(name)
            if counts or self.held(subject):
                found.append((subject, points, counts, self.held(subject)))
        return found

    async def lift(self, subject: Subject) -> bool:
        """Let a subject go on, with nothing counted; return whether there was anything to lift.

        Raises:
            RedisError: Redis does not answer.
        """
        name = str(subject)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(HOLDS, name)
            pipe.delete(*_keys(name)[:2])
            pipe.zrem(SUBJECTS, name)
            pipe.publish(CHANNEL, b"")
            held, counted, *_ = await pipe.execute()
        await self._load()
        return bool(held or counted)

    async def settle(self) -> None:
        """Wait until what was noted is counted."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def aclose(self) -> None:
        """Count what was noted and stop."""
        await self._signals.aclose()
        await self.settle()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except (RedisError, OSError) as exc:
            logger.warning("attempts are not counted", extra={"error": type(exc).__name__})

    async def _count(self, kind: AttemptKind, subject: Subject, mark: str) -> None:
        name, weight, now = str(subject), KINDS[kind], time.time()
        hashed = hashlib.sha256(mark.encode()).hexdigest()[:16] if mark else ""
        before, after = await self._redis.eval(
            _COUNT, 5, *_keys(name), HOLDS, CHANNEL, kind, weight.points, hashed, WINDOW, now, HELD + WINDOW, name,
            weight.free, json.dumps(HOLDING[self._setting]), now + HELD,
        )  # fmt: skip
        level = level_at(after)
        if level is None or level == level_at(before):
            return
        if self.on_event is not None:
            await self.on_event(AttemptEvent(subject, level, after, (await self._counts(name))[1]))

    async def _load(self) -> None:
        rows: Any = await self._redis.hgetall(HOLDS)
        kept = {name.decode(): _held(value.decode()) for name, value in rows.items()}
        past = [name for name, hold in kept.items() if hold.until <= time.time()]
        if past:
            await self._redis.hdel(HOLDS, *past)
        self._holds = {name: hold for name, hold in kept.items() if name not in past}

    async def _counts(self, name: str) -> tuple[int, dict[str, int]]:
        rows: Any = await self._redis.hgetall(_keys(name)[0])
        found = {key.decode(): int(value) for key, value in rows.items()}
        return found.pop("points", 0), found


def _held(value: str) -> Hold:
    level, _, until = value.partition(" ")
    return Hold("stop" if level == "stop" else "slow", float(until))


def _subject(name: str) -> Subject:
    kind, _, identity = name.partition(":")
    return Subject(kind, identity)


def _keys(name: str) -> tuple[str, str, str]:
    return f"attempts:of:{name}", f"attempts:seen:{name}", SUBJECTS
