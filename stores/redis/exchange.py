"""Several scripts in one exchange with Redis, as one step: what a turn reads first, and what it writes last."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

SLICE = """
local function slice(from, start, count)
  local part = {}
  for i = 1, count do part[i] = from[start + i] end
  return part
end
local keys_at, args_at, results = 0, tonumber(ARGV[1]) * 2 + 1, {}
local function call(number, script)
  local keys, args = tonumber(ARGV[number * 2]), tonumber(ARGV[number * 2 + 1])
  results[number] = script(slice(KEYS, keys_at, keys), slice(ARGV, args_at, args))
  keys_at, args_at = keys_at + keys, args_at + args
end
"""
"""ARGV: number of scripts, of keys and arguments of each, arguments."""


class ScriptCall(NamedTuple):
    """One call of a Lua script, which must return neither `false` nor nothing."""

    script: str
    keys: Sequence[str]
    args: Sequence[str | bytes | int]


async def call_together(redis: Redis, calls: Sequence[ScriptCall]) -> list[Any]:
    """Call the scripts in this order, atomically, and return their results.

    Raises:
        RedisError: Redis or one of the scripts failed; what the scripts before it did stays done.
    """
    script = _together(redis, tuple(call.script for call in calls))
    counts = (count for call in calls for count in (len(call.keys), len(call.args)))
    args = [len(calls), *counts, *(arg for call in calls for arg in call.args)]
    results: list[Any] = await script([key for call in calls for key in call.keys], args)
    return results


@lru_cache(maxsize=64)
def _together(redis: Redis, scripts: tuple[str, ...]) -> AsyncScript:
    """Return one script that runs these, each in a function that sees its own KEYS and ARGV."""
    calls = (f"call({number}, function(KEYS, ARGV) {script}\nend)" for number, script in enumerate(scripts, 1))
    return redis.register_script("\n".join([SLICE, *calls, "return results"]))
