"""Keeps alive in Redis what this process holds, from a thread of its own: a stalled event loop loses nothing."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import redis
from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 2.0
"""A beat that Redis does not answer in this time has failed; the next one follows."""
Beat = Callable[["redis.Redis"], None]


class Heartbeat:
    """Calls `beat` every so often with a connection of its own, as long as it is not closed.

    Args:
        client: Whose Redis the beats go to.
        name: Of the thread.
        beat: What one beat does. It runs in the thread; an exception from Redis ends that beat alone.
    """

    def __init__(self, client: Redis, name: str, beat: Beat) -> None:
        self._client, self._name, self._beat = client, name, beat
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, interval: float) -> None:
        """Beat every `interval` seconds from now on; a second call changes nothing."""
        if self._thread is None:
            self._ended.clear()
            self._thread = threading.Thread(target=self._run, args=(interval,), name=self._name, daemon=True)
            self._thread.start()

    async def aclose(self) -> None:
        """Stop beating and close the connection."""
        if self._thread is not None:
            self._ended.set()
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _run(self, interval: float) -> None:
        with _blocking(self._client) as client:
            while not self._ended.wait(interval):
                try:
                    self._beat(client)
                except (RedisError, OSError) as exc:
                    logger.warning("heartbeat not sent", extra={"of": self._name, "error": type(exc).__name__})


def _blocking(client: Redis) -> redis.Redis:
    """Return a client without an event loop for the same Redis."""
    given = client.connection_pool.connection_kwargs
    names = ("path", "host", "port", "db", "username", "password")
    where: dict[str, Any] = {name: given[name] for name in names if name in given}
    connection: type[Any] = redis.UnixDomainSocketConnection if "path" in where else redis.Connection
    if issubclass(client.connection_pool.connection_class, redis.asyncio.SSLConnection):
        where |= {name: value for name, value in given.items() if name.startswith("ssl_")}
        connection = redis.SSLConnection
    where |= {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}
    return redis.Redis.from_pool(redis.ConnectionPool(connection, **where))
