"""Sign-ins that have begun and not ended: kept for minutes, taken once."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Final

from redis.asyncio import Redis

from stores.redis.server import memory_errors

KEEP_SECONDS: Final = 600


class SignIns:
    """Attempts by their state, which is kept as a hash."""

    def __init__(self, redis: Redis) -> None:
        """Keep the connection, which its owner closes."""
        self._redis = redis

    async def keep(self, state: str, attempt: dict[str, str]) -> None:
        """Keep an attempt for `KEEP_SECONDS`.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        with memory_errors():
            await self._redis.set(_name(state), json.dumps(attempt), ex=KEEP_SECONDS)

    async def take(self, state: str) -> dict[str, str] | None:
        """Return an attempt and forget it; None for one that is unknown, expired or taken.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        with memory_errors():
            found = await self._redis.getdel(_name(state))
        return dict(json.loads(found)) if found else None


def _name(state: str) -> str:
    return f"sign-in:{sha256(state.encode('utf-8', 'surrogateescape')).hexdigest()}"
