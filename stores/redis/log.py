"""Removes deleted values from Redis' append-only file, which otherwise keeps every value ever written."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from stores.redis.tasks import end_tasks

logger = logging.getLogger(__name__)

DELAY = 1.0
"""Seconds that deletions are gathered for."""
SHARE = 0.1
"""Most of the time that is spent on rewriting: a large file, which takes long, is rewritten seldom."""
LEAST = 0.2
"""Seconds that a rewrite counts for beside the whole ones that Redis tells; a busy machine makes it seem longer."""
POLL = 0.05
LONGEST = 60.0
CLOSING = 5.0


class LogRewriter:
    """Rewrites the file of one Redis from what it holds now, soon after something was deleted."""

    def __init__(self, redis: Redis) -> None:
        """Keep the client; nothing is sent yet."""
        self._redis = redis
        self._wanted = False
        self._earliest = 0.0
        self._task: asyncio.Task[None] | None = None

    def request(self) -> None:
        """Rewrite the file soon; many calls in a short time cost one rewrite."""
        self._wanted = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="redis-log")

    async def aclose(self) -> None:
        """Run a rewrite that is still due, now."""
        pending = self._wanted or (self._task is not None and not self._task.done())
        await end_tasks([self._task])
        if pending:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSING):
                    await self.rewrite()

    async def _work(self) -> None:
        while self._wanted:
            await asyncio.sleep(max(DELAY, self._earliest - time.monotonic()))
            self._wanted = False
            taken = await self.rewrite()
            if taken is None:
                self._wanted = True
            self._earliest = time.monotonic() + ((taken or 0) + LEAST) / SHARE

    async def rewrite(self) -> float | None:
        """Rewrite the file, after a running rewrite, which misses the last deletions.

        Returns:
            How long Redis worked on it, in whole seconds; None: it failed.
        """
        try:
            await self._idle()
            await self._redis.bgrewriteaof()
            return max(0.0, float((await self._idle())["aof_last_rewrite_time_sec"]))
        except (RedisError, OSError) as exc:
            logger.warning("the append-only file was not rewritten", extra={"error": type(exc).__name__})
            return None

    async def _idle(self) -> Mapping[str, Any]:
        """Wait until no rewrite is running, at most `LONGEST`; return what Redis says of its files then."""
        deadline = time.monotonic() + LONGEST
        while True:
            state: dict[str, Any] = await self._redis.info("persistence")
            running = state["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"]
            if not running or time.monotonic() > deadline:
                return state
            await asyncio.sleep(POLL)
