"""One turn at a time on a thread, over all processes, and the signal that stops a run wherever it is.

A thread's runs stand in a queue in Redis; the first one holds the turn. Everyone in the queue renews a short lease, so
that a killed process leaves the queue by itself while a busy one keeps its places. Waiting runs are woken by messages.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, get_args
from weakref import WeakValueDictionary

import redis
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from domain.errors import AnswerNotKept, MemoryUnavailable, RunLost, ThreadBusy
from domain.runs import ConcurrencyPolicy, Cut, CutState
from settings import Settings
from stores.redis.exchange import ScriptCall, call_together
from stores.redis.heartbeat import Heartbeat
from stores.redis.server import memory_error, memory_errors
from stores.redis.signals import Signals
from stores.redis.tasks import end_tasks

logger = logging.getLogger(__name__)

CUTS: dict[ConcurrencyPolicy, CutState] = {"interrupt": "interrupted", "rollback": "rolled_back"}
"""How the run that holds the thread ends for one that comes with this policy."""
LEASE = 10.0
"""Seconds after which a silent process loses its place."""
RENEW_INTERVAL = 3.0
RECHECK_INTERVAL = 2.5
"""Seconds after which a waiting run looks for itself: the only way to notice that the one before it was killed."""
STOP_TTL = 600
CHANNEL = "turns"

QUEUE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function first()
  while true do
    local id = redis.call('LINDEX', KEYS[1], 0)
    if not id then return '' end
    if tonumber(redis.call('HGET', KEYS[2], id) or 0) > now then return id end
    redis.call('LPOP', KEYS[1])
    redis.call('HDEL', KEYS[2], id, id .. '#')
  end
end
local function whole(id, part) return (redis.call('HGET', KEYS[2], id .. '#') or '0') == part end
local function renew(id)
  redis.call('HSET', KEYS[2], id, now + ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[2] * 3)
  redis.call('PEXPIRE', KEYS[2], ARGV[2] * 3)
end
"""
ENTER = (
    QUEUE
    + """
local me, holder = ARGV[1], first()
if not redis.call('LPOS', KEYS[1], me) then
  if holder ~= '' and ARGV[3] == 'reject' then return {holder, ''} end
  if holder ~= '' and ARGV[3] ~= 'enqueue' then redis.call('LINSERT', KEYS[1], 'AFTER', holder, me)
  else redis.call('RPUSH', KEYS[1], me) end
end
renew(me)
if ARGV[4] ~= '0' then redis.call('HSET', KEYS[2], me .. '#', ARGV[4]) end
return {first(), redis.call('GET', KEYS[3]) or ''}
"""
)
"""KEYS: queue, leases, stop mark. ARGV: run, lease in ms, policy, part of the run: with the number of a later part
another process has taken the run, and this one's place with it. Gives who holds the turn, and the stop mark."""
LEAVE = (
    QUEUE
    + """
if not whole(ARGV[1], ARGV[4]) then return 0 end
local held = redis.call('LINDEX', KEYS[1], 0) == ARGV[1]
redis.call('LREM', KEYS[1], 0, ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1], ARGV[1] .. '#')
redis.call('DEL', KEYS[3])
local next = first()
if held and next ~= '' then redis.call('PUBLISH', ARGV[3], 'wake ' .. next) end
return 1
"""
)
"""KEYS: queue, leases, stop mark. ARGV: run, lease in ms, channel, part."""
FINISH_SECONDS = 20.0
"""How long a turn at its end waits for a Redis that went away meanwhile."""
FINISHED_TTL = 60
FIRST_TIME = """
local holder = redis.call('LINDEX', KEYS[1], 0)
if holder and holder ~= ARGV[1] then error('TURN_TAKEN') end
if (redis.call('HGET', KEYS[3], ARGV[1] .. '#') or '0') ~= ARGV[3] then error('TURN_TAKEN') end
if not redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[2]) then error('TURN_FINISHED') end
return 1
"""
"""KEYS: queue, mark of a finished turn, leases. ARGV: run, seconds, part. Fails, and with it all behind it,
the second time."""
RENEW = (
    QUEUE
    + """
if not whole(ARGV[1], ARGV[3]) then return 0 end
if redis.call('LPOS', KEYS[1], ARGV[1]) then renew(ARGV[1]) end
return first() == ARGV[1] and 1 or 0
"""
)
"""KEYS: queue, leases. ARGV: run, lease in ms, part. Gives 1 while the run holds the turn."""


class TurnStopped(Exception):
    """The run was stopped while it waited for its turn; `cut` tells how it ends."""

    def __init__(self, cut: Cut) -> None:
        self.cut = cut
        super().__init__(cut)


class Turn:
    """A run's place in the queue of its thread, and what stops it."""

    def __init__(self, memory_key: str, run_id: str, part: int = 0) -> None:
        self.run_id = run_id
        self.part = part
        self.cut: Cut | None = None
        """How the run is to end, once that is asked. With `RunLost` its lease is gone: it must not save."""
        self._keys = [f"turn:{{{memory_key}}}", f"turn:{{{memory_key}}}:leases", _stop_key(run_id)]
        self._callbacks: list[Callable[[Cut], object]] = []
        self._woken = asyncio.Event()
        self.results: list[Any] = []
        """What the `calls` gave that came with it."""
        self.rolled_back = ""
        """The run that was asked to roll back for this one."""
        self._held = False
        self._given_back = False
        self._renewed = time.monotonic()

    def abandon(self) -> None:
        """Leave the place to another process, which goes on with the run: it ends by its lease."""
        self._given_back = True

    def when_stopped(self, callback: Callable[[Cut], object]) -> None:
        """Call `callback` when the run is asked to stop; at once when it has been."""
        if self.cut is not None:
            callback(self.cut)
        else:
            self._callbacks.append(callback)

    def _stop(self, cut: Cut) -> None:
        if self.cut is None:
            self.cut = cut
            for callback in self._callbacks:
                callback(cut)
            self._woken.set()


class ThreadTurns:
    """The queues of all threads, as one process sees them."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._wait = settings.thread_wait
        self._signals = Signals(redis)
        self._turns: dict[str, Turn] = {}
        self._doors: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """Runs enter a queue one behind the other: none overtakes while a connection or a script is missing."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._heartbeat = Heartbeat(redis, "turn-leases", self._renew_all)
        self._checks: set[asyncio.Task[None]] = set()
        self._enter, self._leave = (redis.register_script(text) for text in (ENTER, LEAVE))

    @asynccontextmanager
    async def hold(
        self,
        memory_key: str,
        run_id: str,
        policy: ConcurrencyPolicy = "enqueue",
        *,
        calls: Sequence[ScriptCall] = (),
        part: int = 0,
    ) -> AsyncIterator[Turn]:
        """Hold the turn of a thread for the run: wait for it as `policy` says, and release it at the end.

        Args:
            memory_key: The thread.
            run_id: The run; unique.
            policy: `enqueue` waits behind all others, `reject` does not wait, `interrupt` and `rollback` ask the
                running one to end that way and go before all others that wait.
            part: Tells the turns of a run apart, which holds the thread again each time it goes on.
            calls: Calls that are made with the command that gets the turn; its `results` are what they gave.

        Raises:
            ThreadBusy: It is not this run's turn within `thread_wait` seconds, or at once with `reject`.
            TurnStopped: Somebody stopped the run while it waited.
            MemoryUnavailable: Redis failed.
        """
        turn = self._turns[run_id] = Turn(memory_key, run_id, part)
        try:
            await self._acquire(turn, policy, calls)
            turn._held, turn._renewed = True, time.monotonic()
            yield turn
        finally:
            self._turns.pop(run_id, None)
            if not turn._given_back:
                await asyncio.shield(self._give_back(turn))

    async def request_stop(self, run_id: str, cut: CutState = "stopped") -> None:
        """Ask a run of any process to end, even before it has begun.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        with memory_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.set(_stop_key(run_id), cut, ex=STOP_TTL)
                pipe.publish(CHANNEL, f"stop {run_id} {cut}")
                await pipe.execute()

    async def queued(self, memory_key: str) -> set[str]:
        """Return the runs that hold the thread or wait for it, on any process that lives.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        with memory_errors():
            seconds, micros = await self._redis.time()
            leases: Any = await self._redis.hgetall(f"turn:{{{memory_key}}}:leases")
        now = seconds * 1000 + micros // 1000
        return {run_id.decode() for run_id, until in leases.items() if float(until) > now}

    async def aclose(self) -> None:
        """Stop listening and renewing."""
        await self._heartbeat.aclose()
        await end_tasks(self._checks)
        self._loop = None
        await self._signals.aclose()

    async def _start(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._heartbeat.start(RENEW_INTERVAL)
            await self._signals.listen(CHANNEL, self._on_message)

    async def _acquire(self, turn: Turn, policy: ConcurrencyPolicy, calls: Sequence[ScriptCall]) -> None:
        deadline = time.monotonic() + self._wait
        asked = False
        door = self._doors.setdefault(turn._keys[0], asyncio.Lock())
        while True:
            turn._woken.clear()
            async with door:
                await self._start()
                holder, cut = await self._queue_up(turn, policy, calls)
            _raise_if_cancelled()
            if cut:
                turn._stop(cut)
            if turn.cut is not None and not (turn.part and holder == turn.run_id):  # what has begun is ended properly
                raise TurnStopped(turn.cut)
            if holder == turn.run_id:
                return
            left = deadline - time.monotonic()
            if policy == "reject" or left <= 0:
                raise ThreadBusy
            if policy in CUTS and not asked:
                asked = True
                turn.rolled_back = holder if policy == "rollback" else ""
                await self.request_stop(holder, CUTS[policy])
            await _wait(turn._woken, min(left, RECHECK_INTERVAL))

    async def _queue_up(
        self, turn: Turn, policy: ConcurrencyPolicy, calls: Sequence[ScriptCall]
    ) -> tuple[str, CutState | None]:
        enter = ScriptCall(ENTER, turn._keys, [turn.run_id, int(LEASE * 1000), policy, turn.part])
        with memory_errors():
            if calls:
                (holder, cut), *turn.results = await call_together(self._redis, [enter, *calls])
            else:
                holder, cut = await self._enter(keys=enter.keys, args=enter.args)
        return holder.decode(), _cut(cut)

    async def finish(self, turn: Turn, calls: Sequence[ScriptCall]) -> None:
        """Make the last calls of a turn and release it, in one exchange; a Redis that went away is waited for.

        An exchange whose answer was lost is sent again, and takes effect once.

        Raises:
            AnswerNotKept: Redis did not come back.
            MemoryUnavailable: It takes nothing new.
            RunLost: Another run has taken the thread meanwhile.
        """
        turn._held = False
        finished = f"{turn._keys[0]}:{turn.run_id}:{turn.part}"
        mark = ScriptCall(FIRST_TIME, [turn._keys[0], finished, turn._keys[1]], [turn.run_id, FINISHED_TTL, turn.part])
        deadline = time.monotonic() + FINISH_SECONDS
        while True:
            try:
                await call_together(self._redis, [mark, *calls, _leaving(turn)])
                break
            except ResponseError as exc:
                if "TURN_TAKEN" in str(exc):
                    raise RunLost from exc
                if "TURN_FINISHED" in str(exc):
                    break
                raise memory_error(exc) from exc
            except (RedisError, ConnectionError) as exc:
                if time.monotonic() > deadline:
                    raise AnswerNotKept from exc
            await asyncio.sleep(0.2)
        turn._given_back = True

    async def _give_back(self, turn: Turn) -> None:
        leave = _leaving(turn)
        try:
            with memory_errors():
                await self._leave(keys=leave.keys, args=leave.args)
        except MemoryUnavailable:
            logger.warning("a turn ends by its lease", extra={"run_id": turn.run_id})

    def _on_message(self, message: bytes | None) -> None:
        if message is None:
            self._catch_up()
            return
        kind, run_id, *rest = message.split(b" ")
        turn = self._turns.get(run_id.decode())
        if turn is None:
            return
        if kind == b"stop" and (cut := _cut(rest[0])):
            turn._stop(cut)
        else:
            turn._woken.set()

    def _catch_up(self) -> None:
        """Catch up after missed messages: wake all waiting runs, and check the stop marks of all running ones."""
        for turn in self._turns.values():
            turn._woken.set()
        running = [turn for turn in self._turns.values() if turn._held]
        if running:
            task = asyncio.get_running_loop().create_task(self._check_stops(running))
            self._checks.add(task)
            task.add_done_callback(self._checks.discard)

    async def _check_stops(self, turns: list[Turn]) -> None:
        try:
            with memory_errors():
                cuts = await self._redis.mget([_stop_key(turn.run_id) for turn in turns])
        except MemoryUnavailable:
            return
        for turn, cut in zip(turns, cuts, strict=True):
            if found := _cut(cut):
                turn._stop(found)

    def _renew_all(self, client: redis.Redis) -> None:
        """Renew the leases of all turns, waiting ones too; runs in the thread of the heartbeat."""
        turns = [(turn, turn._held) for turn in list(self._turns.values())]
        if not turns:
            return
        try:
            with client.pipeline(transaction=False) as pipe:
                for turn, _ in turns:
                    pipe.eval(RENEW, 2, *turn._keys[:2], turn.run_id, int(LEASE * 1000), turn.part)
                kept = pipe.execute()
        except (RedisError, OSError):
            kept = [time.monotonic() - turn._renewed < LEASE for turn, _ in turns]
        else:
            for turn, _ in turns:
                turn._renewed = time.monotonic()
        for (turn, held), is_kept in zip(turns, kept, strict=True):
            if held and not is_kept and self._loop is not None:
                self._loop.call_soon_threadsafe(self._lose, turn)

    def _lose(self, turn: Turn) -> None:
        if turn._held and turn.run_id in self._turns:
            logger.error("a turn lost its lease", extra={"run_id": turn.run_id})
            turn._stop(RunLost())


def _raise_if_cancelled() -> None:
    """redis-py's sending may swallow a cancellation (see `stores.redis.tasks`): a waiting run must stop then."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _leaving(turn: Turn) -> ScriptCall:
    return ScriptCall(LEAVE, turn._keys, [turn.run_id, int(LEASE * 1000), CHANNEL, turn.part])


def _stop_key(run_id: str) -> str:
    return f"stop:{run_id}"


def _cut(value: Any) -> CutState | None:
    return next((cut for cut in get_args(CutState) if cut.encode() == value), None)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
