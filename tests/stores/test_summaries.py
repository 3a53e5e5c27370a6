from __future__ import annotations

import pytest
from redis.asyncio import Redis

from domain.errors import MemoryUnavailable
from settings import Settings
from stores.redis.exchange import call_together
from stores.redis.server import open_redis
from stores.redis.summaries import Summaries


async def test_put_get_clear(redis: Redis, settings: Settings) -> None:
    summaries = Summaries(redis, settings)
    assert await summaries.get("t") is None
    await summaries.put("t", "要点：预算 300 元", ["m1", "m2"])
    await redis.expire("summary:t", 5)
    assert await summaries.get("t") == ("要点：预算 300 元", ["m1", "m2"])
    assert await redis.ttl("summary:t") > 3590
    await summaries.put("t", "second", [])
    assert await summaries.get("t") == ("second", [])
    assert await summaries.clear("t")
    assert not await summaries.clear("t")
    assert await redis.dbsize() == 0


async def test_what_was_read_with_other_calls_is_served_without_asking_again(redis: Redis, settings: Settings) -> None:
    summaries = Summaries(redis, settings)
    await summaries.put("t", "text", ["m"])
    await redis.expire("summary:t", 5)
    read, nothing = await call_together(redis, [summaries.reading("t"), summaries.reading("other")])
    assert await redis.ttl("summary:t") > 3590
    with summaries.stage("t", read), summaries.stage("other", nothing), summaries.stage("later", None):
        await redis.flushdb()
        assert await summaries.get("t") == ("text", ["m"])
        assert await summaries.get("other") is None
        await summaries.put("later", "new", [])
        assert await summaries.get("later") == ("new", [])
        await summaries.clear("t")
        assert await summaries.get("t") is None


async def test_redis_gone(settings: Settings) -> None:
    handle = await open_redis(settings)
    summaries = Summaries(handle.client, settings)
    await handle.aclose()
    with pytest.raises(MemoryUnavailable):
        await summaries.get("t")
