"""Several scripts in one exchange with Redis: what a turn reads first and writes last costs one round trip each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis


class ScriptCall(NamedTuple):
    """One call of a Lua script."""

    script: str
    keys: Sequence[str]
    args: Sequence[str | bytes | int]


async def call_together(redis: Redis, calls: Sequence[ScriptCall]) -> list[Any]:
    """Call the scripts in this order, each as a step of its own, and return their results.

    The sources are sent, not their digests: a Redis that was restarted knows no digest, and then the later calls would
    be carried out without the earlier ones.

    Raises:
        RedisError: Redis failed, or one of the scripts did; the others were carried out all the same.
    """
    async with redis.pipeline(transaction=False) as pipe:
        for call in calls:
            pipe.execute_command("EVAL", call.script, len(call.keys), *call.keys, *call.args)
        return await pipe.execute()
