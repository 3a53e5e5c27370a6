"""Messages between processes: one Redis subscription connection, many listeners."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from stores.redis.tasks import end_tasks

logger = logging.getLogger(__name__)

Listener = Callable[[bytes | None], None]
"""Gets each message of its channel, and `None` whenever the subscription starts: what came before may be missed."""
RECONNECT_WAIT = 0.2
KEEP = "signals"
"""A channel that is always subscribed, so that the connection has something to listen to."""


class Signals:
    """The subscriptions of one process. Listeners are called from the event loop and must not block."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listeners: dict[str, list[Listener]] = {}
        self._pubsub: PubSub | None = None
        self._task: asyncio.Task[None] | None = None

    async def listen(self, channel: str, listener: Listener) -> None:
        """Call `listener` with the messages of `channel` from now on; it gets `None` once the channel is open."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="redis-signals")
        known = channel in self._listeners
        self._listeners.setdefault(channel, []).append(listener)
        if not known:
            await self._send("subscribe", channel)

    async def leave(self, channel: str, listener: Listener) -> None:
        """Stop calling `listener`."""
        listeners = self._listeners.get(channel, [])
        if listener in listeners:
            listeners.remove(listener)
        if not listeners and self._listeners.pop(channel, None) is not None:
            await self._send("unsubscribe", channel)

    async def aclose(self) -> None:
        """Close the connection."""
        await end_tasks([self._task])
        self._task = None
        self._listeners.clear()

    async def _send(self, command: str, channel: str) -> None:
        """A failure needs no answer here: the reader sees it too and subscribes again."""
        if self._pubsub is None:
            return
        try:
            await getattr(self._pubsub, command)(channel)
        except (RedisError, OSError) as exc:
            logger.info("subscription not sent", extra={"error": type(exc).__name__})

    async def _run(self) -> None:
        while True:
            pubsub = self._redis.pubsub()
            try:
                await self._read(pubsub)
            except (RedisError, OSError, RuntimeError) as exc:
                logger.warning("redis subscription lost", extra={"error": type(exc).__name__})
                await asyncio.sleep(RECONNECT_WAIT)
            finally:
                self._pubsub = None
                await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _read(self, pubsub: PubSub) -> None:
        await pubsub.subscribe(KEEP, *self._listeners)
        self._pubsub = pubsub
        for channel in list(self._listeners):
            if channel.encode() not in pubsub.channels:
                await pubsub.subscribe(channel)
        while True:
            message = await pubsub.get_message(timeout=None)
            if message is not None:
                self._dispatch(message)

    def _dispatch(self, message: dict[str, object]) -> None:
        kind, channel, data = message["type"], message["channel"], message["data"]
        if kind not in {"message", "subscribe"} or not isinstance(channel, bytes):
            return
        for listener in list(self._listeners.get(channel.decode(), ())):
            listener(data if kind == "message" and isinstance(data, bytes) else None)
