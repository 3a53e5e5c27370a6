"""The effect ledger: a call that changes something outside happens at most once, over retries, resumed runs and kills.

Nobody can have "exactly once" without the other side's help. A call that began and whose end is not known is told as
unknown and not made again, unless the tool hands a key on by which the other side knows a repetition.

One hash a thread. A run that ended takes its entries along (`closing`). Entries of a run that was cut off stay: when a
later run asks for the same, it is told what became of it instead of doing it a second time behind the user's back.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any, Literal, NamedTuple

from redis.asyncio import Redis

from domain.sealing import Keyring
from stores.redis.exchange import ScriptCall
from stores.redis.server import memory_errors

KEEP_SECONDS = 7 * 86_400
"""How long a cut-off run is remembered: as long as somebody may reasonably ask for it again."""
LEASE_MARGIN = 5.0

CLOCK = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
"""
BEGIN = (
    CLOCK
    + """
local id, mark = ARGV[1], 'open:' .. ARGV[2]
local found = redis.call('HGET', KEYS[1], id)
if not found then
  local other = redis.call('HGET', KEYS[1], mark)
  local kept = other and redis.call('HGET', KEYS[1], other)
  local earlier = kept and cjson.decode(kept)
  if earlier and earlier.run ~= ARGV[3] and earlier.state ~= 'failed' then id, found = other, kept end
end
if found then
  local entry = cjson.decode(found)
  if entry.told ~= ARGV[3] then
    entry.told = ARGV[3]
    redis.call('HSET', KEYS[1], id, cjson.encode(entry))
  end
  if entry.state == 'done' or entry.state == 'failed' then
    return {'done', id, tostring(entry.at), redis.call('HGET', KEYS[1], id .. ':result')}
  end
  if entry.state == 'begun' and entry.lease > now then return {'busy', id, tostring(entry.at), ''} end
  if ARGV[6] ~= '1' then return {'unknown', id, tostring(entry.at), ''} end
end
local entry = {state = 'begun', run = ARGV[3], by = ARGV[4], at = now, lease = now + ARGV[5], call = ARGV[8]}
redis.call('HSET', KEYS[1], id, cjson.encode(entry))
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], mark, id) end
redis.call('EXPIRE', KEYS[1], ARGV[7])
return {'run', id, tostring(now), ''}
"""
)
"""KEYS: thread. ARGV: call, what it does, run, attempt, lease in seconds, repeatable, ttl, id and name of the call.

Gives state, call, time, result."""
END = """
local found = redis.call('HGET', KEYS[1], ARGV[1])
if not found then return 0 end
local entry = cjson.decode(found)
if entry.by ~= ARGV[2] then return 0 end
entry.state = ARGV[3]
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(entry))
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], ARGV[1] .. ':result', ARGV[4]) end
return 1
"""
"""KEYS: thread. ARGV: call, attempt, state, result or ''. An attempt that another has taken over writes nothing."""
CLOSE = """
local fields = redis.call('HGETALL', KEYS[1])
local gone = {}
for place = 1, #fields, 2 do
  local name, value = fields[place], fields[place + 1]
  if string.sub(value, 1, 1) == '{' and string.sub(name, -7) ~= ':result' then
    local entry = cjson.decode(value)
    if entry.run == ARGV[1] or entry.told == ARGV[1] then
      gone[name] = true
      redis.call('HDEL', KEYS[1], name, name .. ':result')
    end
  end
end
for place = 1, #fields, 2 do
  if gone[fields[place + 1]] then redis.call('HDEL', KEYS[1], fields[place]) end
end
return 1
"""
"""KEYS: thread. ARGV: run."""


class Call(NamedTuple):
    """A call to be made at most once."""

    memory_key: str
    run_id: str
    call_id: str
    tool: str
    arguments: str
    """As JSON, equal for equal arguments."""
    name: str
    """Name by which the model calls the tool."""


class Entry(NamedTuple):
    """What the ledger says of a call.

    Attributes:
        state: `run`: it is ours to make; `done`: it was made or has failed, here is what came of it; `busy`: another
            process makes it; `unknown`: it began, and nobody knows whether it happened.
        key: What names the effect, for tools that hand it on.
        at: When it began, Unix time.
        result: What was kept of a `done` call.
        attempt: Names this try.
        earlier: It is the equal call of an earlier run, which was cut off.
    """

    state: Literal["run", "done", "busy", "unknown"]
    key: str
    at: float
    result: str
    attempt: str
    earlier: bool


class EffectLedger:
    """The ledger of an installation."""

    def __init__(self, redis: Redis, keyring: Keyring | None = None) -> None:
        self._keyring = keyring or Keyring()
        self._begin, self._end = redis.register_script(BEGIN), redis.register_script(END)
        self._redis = redis

    async def begin(self, call: Call, seconds: float, *, repeatable: bool) -> Entry:
        """Ask whether to make a call that takes at most `seconds`; with `repeatable` also where it may have happened.

        Raises:
            MemoryUnavailable: Redis failed: the call must not be made.
        """
        attempt = secrets.token_hex(8)
        what = _hash(call.tool, call.arguments)
        args: list[str | int | float] = [
            _hash(call.run_id, call.call_id, what), what, call.run_id, attempt, seconds + LEASE_MARGIN,
            int(repeatable), KEEP_SECONDS, _hash(call.call_id, call.name),
        ]  # fmt: skip
        with memory_errors():
            state, key, at, result = await self._begin(keys=[_key(call.memory_key)], args=args)
        return Entry(
            state.decode(),
            key.decode(),
            float(at),
            self._keyring.unseal(result or b"").decode(),
            attempt,
            key.decode() != args[0],
        )

    async def began(self, memory_key: str, run_id: str, call_id: str, name: str) -> float | None:
        """Return when a call of a run began whose end is not known, Unix time; None: there is none such.

        Some models give the calls of each round the same ids, so the name of the tool counts as well.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        wanted = (run_id, _hash(call_id, name))
        with memory_errors():
            held: Any = await self._redis.hgetall(_key(memory_key))
        for field, value in held.items():
            if value.startswith(b"{") and not field.endswith(b":result"):
                entry = json.loads(value)
                if entry["state"] not in ("done", "failed") and (entry["run"], entry.get("call")) == wanted:
                    return float(entry["at"])
        return None

    async def end(
        self, call: Call, entry: Entry, state: Literal["done", "failed", "unknown"], result: str = ""
    ) -> None:
        """Write down how the call ended, and what came of it.

        Raises:
            MemoryUnavailable: Redis failed: the call counts as unknown.
        """
        with memory_errors():
            kept = self._keyring.seal(result.encode("utf-8", "replace")) if result else b""
            await self._end(keys=[_key(call.memory_key)], args=[entry.key, entry.attempt, state, kept])

    def closing(self, memory_key: str, run_id: str) -> ScriptCall:
        """Return the call that forgets a run which ended, to be sent with others."""
        return ScriptCall(CLOSE, [_key(memory_key)], [run_id])

    async def clear(self, memory_key: str) -> int:
        """Forget a thread; return how many entries it held.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        with memory_errors():
            held: Any = await self._redis.hgetall(_key(memory_key))
            await self._redis.delete(_key(memory_key))
        return sum(not name.startswith(b"open:") and not name.endswith(b":result") for name in held)


def _key(memory_key: str) -> str:
    return f"effects:{memory_key}"


def _hash(*parts: str) -> str:
    text = json.dumps(parts, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:40]
