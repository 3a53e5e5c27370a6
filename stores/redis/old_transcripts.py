"""Transcripts that an older version kept in Redis, to be taken over by the database."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from redis.asyncio import Redis

from domain.errors import MemoryUnavailable
from domain.owner import Owner
from stores.conversations.entries import Message
from stores.redis.server import memory_errors


@dataclass(frozen=True, slots=True)
class OldTranscript:
    """One of them; its messages follow each other."""

    thread_id: str
    title: str
    entries: list[Message]


class OldTranscripts:
    """What is left of them; a user is asked for once by each process."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._done: set[str] = set()

    async def of(self, user_id: str) -> AsyncIterator[OldTranscript]:
        """Yield the transcripts of a user, the last active one last; nothing while Redis does not answer."""
        if user_id in self._done:
            return
        try:
            with memory_errors():
                keys: Any = await self._redis.zrange(_index(user_id), 0, -1)
            for key in keys:
                head = f"session:{key.decode()}"
                with memory_errors():
                    fields: Any = await self._redis.hgetall(head)
                    rows: Any = await self._redis.lrange(f"{head}:entries", 0, -1)
                if fields:
                    title = fields.get(b"title", b"").decode()
                    yield OldTranscript(fields[b"session_id"].decode(), title, [orjson.loads(row) for row in rows])
        except MemoryUnavailable:
            return
        self._done.add(user_id)

    async def forget(self, owner: Owner) -> None:
        """Drop a transcript that was taken over; while Redis does not answer it stays, and is not taken over twice."""
        head = f"session:{owner.memory_key}"
        with suppress(MemoryUnavailable), memory_errors():
            await self._redis.delete(head, f"{head}:entries")
            await self._redis.zrem(_index(owner.user_id), owner.memory_key)


def _index(user_id: str) -> str:
    return f"sessions:{hashlib.sha256(user_id.encode('utf-8', 'replace')).hexdigest()[:32]}"
