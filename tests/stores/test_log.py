from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from stores.redis.log import LogRewriter


class Redis:
    """Tells how long its rewrites took; `began` is when each did."""

    def __init__(self, seconds: int) -> None:
        self.seconds, self.began = seconds, list[float]()

    async def bgrewriteaof(self) -> None:
        self.began.append(time.monotonic())

    async def info(self, section: str) -> dict[str, Any]:
        assert section == "persistence"
        return {"aof_rewrite_in_progress": 0, "aof_rewrite_scheduled": 0, "aof_last_rewrite_time_sec": self.seconds}


@pytest.mark.parametrize(("seconds", "pause"), [(-1, 0.04), (0, 0.04), (2, 0.44)])
async def test_a_file_is_rewritten_soon_and_a_large_one_seldom(
    monkeypatch: pytest.MonkeyPatch, seconds: int, pause: float
) -> None:
    for name, value in {"DELAY": 0.01, "LEAST": 0.2, "SHARE": 5.0}.items():
        monkeypatch.setattr(f"stores.redis.log.{name}", value)
    redis = Redis(seconds)
    log = LogRewriter(redis)  # type: ignore[arg-type]  # what it asks of one
    while len(redis.began) < 3:
        log.request()
        await asyncio.sleep(0.001)
    pauses = [after - before for before, after in zip(redis.began, redis.began[1:], strict=False)]
    assert min(pauses) >= pause * 0.95
    await log.aclose()


async def test_what_is_due_at_the_end_is_done() -> None:
    redis = Redis(0)
    log = LogRewriter(redis)  # type: ignore[arg-type]
    log.request()
    await log.aclose()
    assert len(redis.began) == 1
