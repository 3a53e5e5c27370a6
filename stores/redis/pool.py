"""Connections to Redis: how many, how long they wait, and when a failed command is sent again."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import hiredis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from settings import Settings

MAX_CONNECTIONS = 64
POOL_WAIT = 30.0
"""Seconds a command waits for a free connection."""
COMMAND_TIMEOUT = 5.0
"""Seconds without an answer after which a command fails."""
RETRY_WINDOW = 2.0
"""Seconds within which a failed command is sent again: that bridges a restart, and not a Redis that stands still."""
CONNECT_TIMEOUT = 5.0


def configured_pool(settings: Settings) -> BlockingConnectionPool:
    """Return the connections to the Redis that `settings` name."""
    if settings.redis_url:
        return BlockingConnectionPool.from_url(settings.redis_url.get_secret_value(), **_pool_options())
    password = settings.redis_password.get_secret_value() if settings.redis_password else None
    return BlockingConnectionPool(
        host=settings.redis_host, port=settings.redis_port, password=password, **_pool_options()
    )


def socket_pool(path: Path) -> BlockingConnectionPool:
    """Return the connections to a Redis on a socket of this machine."""
    return BlockingConnectionPool(connection_class=_SocketConnection, path=str(path), **_pool_options())


class _SocketConnection(UnixDomainSocketConnection):
    """Packs commands in C, as redis-py's synchronous connections do where hiredis is installed."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """Return a command as it is sent; its name may be of several words."""
        return [hiredis.pack_command((*str(args[0]).encode().split(), *args[1:]))]


class _EarlyRetry(Retry):
    """Retries commands that fail early, as when Redis restarts; one that waited in vain fails at once."""

    async def call_with_retry(
        self,
        do: Callable[[], Awaitable[Any]],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Any:
        """Run `do`; retry after an early failure."""
        end = time.monotonic() + RETRY_WINDOW

        async def fail_for_good_when_late(error: Exception, *count: int) -> None:
            await fail(error, *count)
            if time.monotonic() > end:
                raise error

        return await super().call_with_retry(do, fail_for_good_when_late, is_retryable, with_failure_count)


def _pool_options() -> dict[str, Any]:
    return {
        "max_connections": MAX_CONNECTIONS,
        "timeout": POOL_WAIT,
        "socket_timeout": COMMAND_TIMEOUT,
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "retry": _EarlyRetry(
            ExponentialWithJitterBackoff(base=0.05, cap=0.4), 3, supported_errors=(RedisConnectionError,)
        ),
    }
