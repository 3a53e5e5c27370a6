"""Prepared summaries: made after a turn, off the user's path, and picked up by the thread's next turn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from redis.asyncio import Redis

from settings import Settings
from stores.redis.exchange import ScriptCall
from stores.redis.server import memory_errors

READ = "return redis.call('GETEX', KEYS[1], 'EX', ARGV[1]) or ''"
"""KEYS: summary. ARGV: ttl."""


class Summaries:
    """One prepared summary a thread, kept as long as the thread."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._ttl, self._keyring = settings.thread_ttl, settings.memory_keyring
        self._staged: dict[str, bytes] = {}

    def reading(self, memory_key: str) -> ScriptCall:
        """Return the call that `get` makes, to be sent with others; its result is for `stage`."""
        return ScriptCall(READ, [_key(memory_key)], [self._ttl])

    @contextmanager
    def stage(self, memory_key: str, found: bytes | None) -> Iterator[None]:
        """Serve a thread from the result of the `reading` call; None: read it on demand."""
        if found is not None:
            self._staged[memory_key] = found
        try:
            yield
        finally:
            self._staged.pop(memory_key, None)

    async def put(self, memory_key: str, summary: str, covered_message_ids: Sequence[str]) -> None:
        """Keep `summary` of the messages of these ids; it replaces an earlier one.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        value = json.dumps({"summary": summary, "covered": list(covered_message_ids)}, ensure_ascii=False)
        with memory_errors():
            sealed = self._keyring.seal(value.encode("utf-8", "replace"))
            await self._redis.set(_key(memory_key), sealed, ex=self._ttl)

    async def get(self, memory_key: str) -> tuple[str, list[str]] | None:
        """Return the summary and the ids of the messages that it covers.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        value = self._staged.get(memory_key)
        if value is None:
            with memory_errors():
                value = cast(bytes | None, await self._redis.getex(_key(memory_key), ex=self._ttl))
        if not value:
            return None
        found = json.loads(self._keyring.unseal(value))
        return found["summary"], found["covered"]

    async def clear(self, memory_key: str) -> bool:
        """Drop the summary; return whether there was one.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        self._staged.pop(memory_key, None)
        with memory_errors():
            return bool(await self._redis.delete(_key(memory_key)))


def _key(memory_key: str) -> str:
    return f"summary:{memory_key}"
