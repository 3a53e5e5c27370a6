"""Results of tools that are too long for a prompt: kept whole as long as their thread, read page by page."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from redis.asyncio import Redis

from settings import Settings
from stores.redis.server import memory_errors

MOST_RESULTS = 32
MOST_CHARS = 5_000_000
KEEP = """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('LREM', KEYS[2], 0, ARGV[1])
redis.call('RPUSH', KEYS[2], ARGV[1])
while redis.call('LLEN', KEYS[2]) > tonumber(ARGV[3]) do redis.call('HDEL', KEYS[1], redis.call('LPOP', KEYS[2])) end
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return 1
"""
"""KEYS: results, their order. ARGV: id, text, most results, ttl."""


class ResultPage(NamedTuple):
    """A page of a kept result; pages count from 1."""

    text: str
    pages: int


class ToolResults:
    """Long results by the thread that they were made in, the newest of each."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis, self._ttl, self._keyring = redis, settings.thread_ttl, settings.memory_keyring
        self._keep = redis.register_script(KEEP)

    async def keep(self, memory_key: str, text: str) -> str:
        """Keep a result, of which at most 5,000,000 characters; return its id, equal for equal texts.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        value = text[:MOST_CHARS].encode("utf-8", "replace")
        result_id = f"r{hashlib.sha256(value).hexdigest()[:10]}"
        with memory_errors():
            sealed = self._keyring.seal(value)
            await self._keep(keys=_keys(memory_key), args=[result_id, sealed, MOST_RESULTS, self._ttl])
        return result_id

    async def page(self, memory_key: str, result_id: str, page: int, chars: int) -> ResultPage | None:
        """Return a page of `chars` characters; its text is empty past the end. None: there is no such result.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        with memory_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hget(_keys(memory_key)[0], result_id)
                for key in _keys(memory_key):
                    pipe.expire(key, self._ttl)
                value, *_ = await pipe.execute()
        if value is None:
            return None
        text = self._keyring.unseal(value).decode()
        return ResultPage(text[(page - 1) * chars : page * chars], -(-len(text) // chars))

    async def clear(self, memory_key: str) -> int:
        """Forget a thread's results; return how many they were.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        with memory_errors():
            held = int(await self._redis.hlen(_keys(memory_key)[0]))
            await self._redis.delete(*_keys(memory_key))
        return held


def _keys(memory_key: str) -> list[str]:
    return [f"results:{memory_key}", f"results:{memory_key}:order"]
