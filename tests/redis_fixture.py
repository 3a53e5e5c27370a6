"""One embedded Redis for a whole test session: `from tests.redis_fixture import redis, redis_server`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from settings import Settings
from stores.redis.server import RedisHandle, open_redis


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RedisHandle]:
    """A running embedded Redis."""
    folder: Path = tmp_path_factory.mktemp("redis")
    async with await open_redis(Settings(data_dir=folder, _env_file=None)) as handle:
        yield handle


@pytest_asyncio.fixture(loop_scope="session")
async def redis(redis_server: RedisHandle) -> Redis:
    """The client of that Redis, emptied."""
    await redis_server.client.flushall()
    return redis_server.client
