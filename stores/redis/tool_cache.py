"""Results of tools that may serve an equal call again: over processes and restarts, found by one key.

A call that runs already is waited for, in this process and in others. Without Redis every call simply runs. What is
kept for a user is listed under that user, so that it can be forgotten at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis.asyncio import Redis

from domain.errors import MemoryUnavailable
from domain.sealing import Keyring
from stores.redis.server import memory_errors

logger = logging.getLogger(__name__)

MOST_ENTRIES = 512
"""Results kept for one user; the one that expires first goes first."""
MOST_BYTES = 1_000_000
POLL_SECONDS = 0.1

LOOK = """
local found = redis.call('GET', KEYS[1])
if found then return {'kept', found} end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {'ours', ''} end
return {'running', ''}
"""
"""KEYS: result, lock. ARGV: who asks, lease in ms."""
KEEP = """
local now = redis.call('TIME')[1]
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
redis.call('ZADD', KEYS[3], now + ARGV[2], KEYS[1])
local over = redis.call('ZCARD', KEYS[3]) - ARGV[3]
if over > 0 then
  for _, key in ipairs(redis.call('ZPOPMIN', KEYS[3], over)) do redis.call('DEL', key) end
end
if redis.call('TTL', KEYS[3]) < tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[3], ARGV[2]) end
redis.call('DEL', KEYS[2])
return 1
"""
"""KEYS: result, lock, index. ARGV: value, seconds, most entries."""
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1"
FORGET = """
local keys = redis.call('ZRANGE', KEYS[1], 0, -1)
for _, key in ipairs(keys) do redis.call('DEL', key) end
redis.call('DEL', KEYS[1])
return #keys
"""


class Slot(NamedTuple):
    """Where a result is kept."""

    scope: str
    """The user's id; empty: for all users."""
    parts: tuple[str, ...]
    """What must be equal: tool and its version, arguments, language, versions of documents."""
    seconds: float
    """How long it is kept."""
    patience: float
    """How long a call may take, in seconds."""

    @property
    def listing(self) -> str:
        """Redis key of the list of what the scope holds."""
        return f"toolcache:{_hash(self.scope) if self.scope else 'shared'}"

    @property
    def key(self) -> str:
        """Redis key of the result."""
        return f"{self.listing}:{_hash(*self.parts)}"


class Kept(NamedTuple):
    """A result and, when it was not made just now, its age in seconds."""

    value: bytes
    age: float | None


@dataclass(slots=True)
class _Flight:
    task: asyncio.Task[Kept]
    waiting: int = 0


class ToolCache:
    """The cache as one process sees it."""

    def __init__(self, redis: Redis, keyring: Keyring | None = None) -> None:
        self._keyring = keyring or Keyring()
        self._look, self._keep, self._release, self._forget = (
            redis.register_script(script) for script in (LOOK, KEEP, RELEASE, FORGET)
        )
        self._flights: dict[str, _Flight] = {}

    async def once(self, slot: Slot, make: Callable[[], Awaitable[bytes]]) -> Kept:
        """Return what is kept, or what an equal call that runs gives, or what `make` gives, which is then kept.

        A failure reaches all that wait for it and is not kept. The call goes on while anybody waits for it.
        """
        flight = self._flights.get(slot.key)
        if flight is None:
            flight = self._flights[slot.key] = _Flight(asyncio.create_task(self._found_or_made(slot, make)))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()
            if (not flight.waiting or flight.task.done()) and self._flights.get(slot.key) is flight:
                del self._flights[slot.key]

    async def forget(self, user_id: str) -> int:
        """Drop all that is kept for a user; return how many results that were.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        with memory_errors():
            return int(await self._forget(keys=[Slot(user_id, (), 0, 0).listing]))

    async def _found_or_made(self, slot: Slot, make: Callable[[], Awaitable[bytes]]) -> Kept:
        lock, me = f"{slot.key}:lock", secrets.token_hex(8)
        deadline = time.monotonic() + slot.patience
        state = b"running"
        while state == b"running" and time.monotonic() < deadline:
            state, value = await self._quietly(
                self._look, [slot.key, lock], [me, int(slot.patience * 1000)], (b"", b"")
            )
            if state == b"kept":
                made, _, body = self._keyring.unseal(value).partition(b"\n")
                return Kept(body, max(0.0, time.time() - float(made)))
            if state == b"running":
                await asyncio.sleep(POLL_SECONDS)
        try:
            made_now = await make()
        except BaseException:
            await self._quietly(self._release, [lock], [me], None)
            raise
        if len(made_now) <= MOST_BYTES:
            value = self._keyring.seal(f"{time.time():.3f}\n".encode() + made_now)
            await self._quietly(
                self._keep, [slot.key, lock, slot.listing], [value, max(1, int(slot.seconds)), MOST_ENTRIES], None
            )
        return Kept(made_now, None)

    async def _quietly(self, script: Any, keys: list[str], args: list[Any], otherwise: Any) -> Any:
        """Call a script; without Redis give `otherwise`."""
        try:
            with memory_errors():
                return await script(keys=keys, args=args)
        except MemoryUnavailable as exc:
            logger.warning("the cache of tools does without redis", extra={"error": exc.code})
            return otherwise


def _hash(*parts: str) -> str:
    text = "\n".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]
