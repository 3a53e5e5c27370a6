"""Runs that take long: their finished steps, kept apart from their thread's memory until they end.

One hash a run: what another process needs to go on with it (`note`, `stand`), the newest checkpoints and their pending
writes. Whoever takes a run over gets a part of its own, by the number behind which its events begin; what a process
writes that was only thought to be gone is refused from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from domain.errors import RunLost
from settings import Settings
from stores.redis.event_scripts import COMMON
from stores.redis.exchange import ScriptCall
from stores.redis.serde import SafeSerde
from stores.redis.server import memory_errors
from stores.redis.staged_memory import ROOT, RowKey, Rows

INDEX = "runs:unfinished"
KEPT_SECONDS = 3600
"""How long after its longest time a run whose process is gone may go on: nothing answers a question of yesterday."""
UNSEEN = 1000
"""Numbers that a takeover leaves out: a reader may have had events of the process before that Redis has not."""
MOST_TAKEOVERS = 2
"""A run that ends each process that works on it is given up then."""
CHECKPOINT, WRITE, SEPARATOR = "checkpoint", "write", "\n"

SAVE = """
local part = redis.call('HGET', KEYS[1], 'part')
if part and part ~= ARGV[1] or not part and ARGV[4] ~= '1' then return 0 end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  for i = 6, 5 + ARGV[5] do
    if string.sub(field, 1, #ARGV[i]) == ARGV[i] then redis.call('HDEL', KEYS[1], field) break end
  end
end
redis.call('HSET', KEYS[1], 'part', unpack(ARGV, 6 + ARGV[5]))
redis.call('EXPIRE', KEYS[1], ARGV[2])
if not part then redis.call('SADD', KEYS[2], ARGV[3]) end
return 1
"""
"""KEYS: steps, index. ARGV: part, ttl, run, '1' where it may be the first, number of beginnings of fields that go,
these, then 'part' and fields with values. Gives 0 where another process has the run, or it is over."""
CLAIM = (
    COMMON
    + """
local state, steps = redis.call('HGET', KEYS[1], 'state'), redis.call('EXISTS', KEYS[3])
if steps == 0 or not state or final[state] or state == 'waiting' then
  redis.call('DEL', KEYS[3])
  redis.call('SREM', KEYS[4], ARGV[1])
  return -1
end
if now - tonumber(redis.call('HGET', KEYS[1], 'beat')) <= tonumber(ARGV[3]) then return -1 end
if redis.call('HINCRBY', KEYS[3], 'takeovers', 1) > tonumber(ARGV[4]) then
  redis.call('DEL', KEYS[3])
  redis.call('SREM', KEYS[4], ARGV[1])
  return -1
end
last = math.max(last, tonumber(redis.call('HGET', KEYS[1], 'part') or 0)) + ARGV[5]
redis.call('HSET', KEYS[1], 'state', 'queued', 'beat', now, 'part', last)
redis.call('HSET', KEYS[3], 'part', last)
for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[2]) end
return last
"""
)
"""KEYS: record, stream, steps, index. ARGV: run, ttl, silence in ms after which a process is gone, most takeovers,
numbers that are left out.

Gives the number behind which the run goes on where it is the caller's from now on, else -1."""
CLOSE = """
local part = redis.call('HGET', KEYS[1], 'part')
if part and part ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[1])
return 1
"""
RELEASE = """
if (redis.call('HGET', KEYS[1], 'part') or '0') ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'beat', 0)
return 1
"""


@dataclass(frozen=True, slots=True)
class Steps:
    """What is kept of a run.

    Attributes:
        note: What it was asked, and where its answer goes; JSON-native values and messages.
        stand: How far it had come, in what the graph does not keep.
        documents: Its newest checkpoints, by namespace.
        rows: Their pending writes.
    """

    note: dict[str, Any]
    stand: dict[str, Any]
    documents: Mapping[str, bytes]
    rows: Rows


class UnfinishedRuns:
    """The long runs of all processes. Every method raises `MemoryUnavailable` when Redis fails."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        """Keep the client; nothing is sent yet."""
        self._redis, self._serde = redis, SafeSerde(settings.memory_keyring)
        self._ttl = int(settings.turn_timeout) + KEPT_SECONDS
        self._thread_ttl = settings.thread_ttl
        self._save, self._claim, self._release, self._close = map(redis.register_script, (SAVE, CLAIM, RELEASE, CLOSE))

    async def note(self, run_id: str, part: int, steps: Steps) -> None:
        """Let a run be taken over from now on.

        Raises:
            RunLost: Another process has it.
        """
        fields = {_field(CHECKPOINT, ns): document for ns, document in steps.documents.items()}
        fields |= _named(steps.rows)
        fields |= {"note": self._sealed(steps.note), "stand": self._sealed(steps.stand)}
        await self._keep(run_id, part, fields, [CHECKPOINT, WRITE], first=True)

    async def checkpoint(self, run_id: str, part: int, ns: str, document: bytes, stand: Mapping[str, Any]) -> None:
        """Keep a checkpoint in place of the one before it, one of `ROOT` in place of all.

        Raises:
            RunLost: Another process has the run.
        """
        gone = [CHECKPOINT, WRITE] if ns == ROOT else [_field(WRITE, ns, "")]
        await self._keep(run_id, part, {_field(CHECKPOINT, ns): document, "stand": self._sealed(stand)}, gone)

    async def writes(self, run_id: str, part: int, rows: Rows, stand: Mapping[str, Any]) -> None:
        """Keep pending writes.

        Raises:
            RunLost: Another process has the run.
        """
        await self._keep(run_id, part, {**_named(rows), "stand": self._sealed(stand)})

    async def _keep(
        self, run_id: str, part: int, fields: Mapping[str, bytes], gone: Sequence[str] = (), *, first: bool = False
    ) -> None:
        args: list[str | bytes | int] = [part, self._ttl, run_id, int(first), len(gone), *gone]
        args += [part, *(value for item in fields.items() for value in item)]
        with memory_errors():
            if not await self._save(keys=[steps_key(run_id), INDEX], args=args):
                raise RunLost

    async def listed(self) -> list[str]:
        """Return the runs of which steps are kept, whichever process they are on."""
        with memory_errors():
            found: Any = await self._redis.smembers(INDEX)
        return [run_id.decode() for run_id in found]

    async def kept(self, run_ids: Sequence[str]) -> set[str]:
        """Return those of the runs of which steps are kept."""
        with memory_errors():
            return {run_id for run_id in run_ids if await self._redis.exists(steps_key(run_id))}

    async def claim(self, run_id: str, silence: float) -> int | None:
        """Take a run whose process was not heard of for `silence` seconds; return the number behind which it goes on.

        None: it lives, is over, waits for a person, or was taken over too often.
        """
        keys = [f"run:{run_id}", f"run:{run_id}:log", steps_key(run_id), INDEX]
        with memory_errors():
            args: list[str | int] = [run_id, self._thread_ttl, int(silence * 1000), MOST_TAKEOVERS, UNSEEN]
            last = int(await self._claim(keys=keys, args=args))
        return None if last < 0 else last

    async def steps(self, run_id: str) -> Steps:
        """Return what is kept of a run.

        Raises:
            RunLost: Nothing is.
        """
        with memory_errors():
            found: Any = await self._redis.hgetall(steps_key(run_id))
        fields = {name.decode(): value for name, value in found.items()}
        if "note" not in fields:
            raise RunLost
        split = {name: name.split(SEPARATOR) for name in fields}
        return Steps(
            note=self._unsealed(fields["note"]),
            stand=self._unsealed(fields["stand"]),
            documents={at[1]: fields[name] for name, at in split.items() if at[0] == CHECKPOINT},
            rows={
                RowKey(at[1], at[2], at[3], int(at[4])): fields[name]
                for name, at in split.items()
                if at[0] == WRITE
            },
        )  # fmt: skip

    async def release(self, run_id: str, part: int) -> bool:
        """Let another process take a run at once; return whether it can."""
        with memory_errors():
            return bool(await self._release(keys=[f"run:{run_id}", steps_key(run_id)], args=[part]))

    async def close(self, run_id: str, part: int) -> None:
        """Forget a run that ended, unless another process has it."""
        closing = self.closing(run_id, part)
        with memory_errors():
            await self._close(keys=closing.keys, args=closing.args)

    def closing(self, run_id: str, part: int) -> ScriptCall:
        """Return the call that `close` makes, to be sent with others."""
        return ScriptCall(CLOSE, [steps_key(run_id), INDEX], [run_id, part])

    def _sealed(self, value: Mapping[str, Any]) -> bytes:
        return self._serde.dumps_typed(dict(value))[1]

    def _unsealed(self, value: bytes) -> dict[str, Any]:
        found: dict[str, Any] = self._serde.loads_typed(("json", value))
        return found


def steps_key(run_id: str) -> str:
    """Return the key of the hash of a run."""
    return f"run:{run_id}:steps"


def _field(kind: str, *parts: object) -> str:
    return SEPARATOR.join((kind, *map(str, parts)))


def _named(rows: Rows) -> dict[str, bytes]:
    return {_field(WRITE, key.ns, key.checkpoint_id, key.task_id, key.idx): row for key, row in rows.items()}
