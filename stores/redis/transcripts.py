"""Threads and their full transcripts: independent of the model's window, append-only, paged.

Three keys: a thread's head (title, times), its entries, and the user's list of threads by last activity. What a turn
costs does not depend on how long the transcript is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from redis.asyncio import Redis
from typing_extensions import TypedDict

from domain.errors import UnknownSession
from domain.owner import Owner
from settings import Settings
from stores.redis.exchange import ScriptCall
from stores.redis.serde import dumps
from stores.redis.server import memory_errors

TITLE_CHARS = 60
IMPORT_BATCH = 500

APPEND = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local ttl = tonumber(ARGV[1])
redis.call('HSETNX', KEYS[1], 'created', now)
redis.call('HSET', KEYS[1], 'session_id', ARGV[3], 'last_activity', now)
if ARGV[4] ~= '' then redis.call('HSETNX', KEYS[1], 'title', ARGV[4]) end
if #ARGV > 4 then redis.call('RPUSH', KEYS[2], unpack(ARGV, 5)) end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - ttl)
redis.call('ZADD', KEYS[3], now, ARGV[2])
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ttl) end
return redis.call('LLEN', KEYS[2])
"""
"""KEYS: head, entries, index. ARGV: ttl, memory key, thread id, title or '', entries. Gives the number of entries."""
THREADS = """
local rows, seen = {}, 0
local first, last = tonumber(ARGV[1]), tonumber(ARGV[1]) + tonumber(ARGV[2])
for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do
  local head = redis.call('HGETALL', 'session:' .. id)
  if #head == 0 then
    redis.call('ZREM', KEYS[1], id)
  else
    if seen >= first and seen < last then
      rows[#rows + 1] = {head, redis.call('LLEN', 'session:' .. id .. ':entries')}
    end
    seen = seen + 1
    if seen >= last then break end
  end
end
return {redis.call('ZCARD', KEYS[1]), rows}
"""
"""KEYS: index. ARGV: offset, limit. Threads that have expired are dropped from the index on the way."""
DELETE = """
local held = redis.call('LLEN', KEYS[2])
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
return held
"""
TRUNCATE = """
local held = redis.call('LLEN', KEYS[2])
local kept = tonumber(ARGV[1])
if kept >= held then return 0 end
if kept == 0 then redis.call('DEL', KEYS[2]) else redis.call('LTRIM', KEYS[2], 0, kept - 1) end
return held - kept
"""
RENAME = (
    "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end redis.call('HSET', KEYS[1], 'title', ARGV[1]) return 1"
)
ALL = 1_000_000


class Entry(TypedDict, total=False):
    """One message of a transcript. Times are ISO 8601 UTC, `seconds` how long the answer took."""

    role: Literal["user", "assistant", "system"]
    text: str
    reasoning: str
    attachments: list[dict[str, Any]]
    citations: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    calls: list[Any]
    """Calls of the caller's own tools that the turn ended with."""
    usage: dict[str, Any]
    warnings: list[str]
    run_id: str
    state: str
    created: str
    seconds: float


class Thread(TypedDict):
    """A thread as a list shows it; times are ISO 8601 UTC by Redis's clock."""

    thread_id: str
    title: str
    created: str
    last_activity: str
    entries: int


class Page(TypedDict):
    """Part of a transcript in the order it was said; `offset` is the index of the first of `entries`."""

    thread: Thread
    offset: int
    total: int
    entries: list[Entry]


class Transcripts:
    """All transcripts. Every method raises `MemoryUnavailable` when Redis fails; an owner needs a thread."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._ttl = settings.thread_ttl
        self._append, self._list, self._delete, self._truncate, self._rename = (
            redis.register_script(script) for script in (APPEND, THREADS, DELETE, TRUNCATE, RENAME)
        )

    async def append_turn(self, owner: Owner, *entries: Entry, title: str = "") -> int:
        """Add entries at the end, in one command, and refresh the time to live; return how many there are now.

        The first user entry of a thread gives it its title, unless `title` does.
        """
        call = self.appending(owner, *entries, title=title)
        with memory_errors():
            return int(await self._append(keys=call.keys, args=call.args))

    def appending(self, owner: Owner, *entries: Entry, title: str = "") -> ScriptCall:
        """Return the call that `append_turn` makes, to be sent with others."""
        title = title or next((title_of(entry) for entry in entries if entry.get("role") == "user"), "")
        args: list[str | bytes | int] = [
            self._ttl,
            owner.memory_key,
            owner.thread_id or "",
            _clean(title),
            *map(_dump, entries),
        ]
        return ScriptCall(APPEND, _keys(owner), args)

    async def get(self, owner: Owner, offset: int = 0, limit: int = 100, *, newest: bool = False) -> Page:
        """Return entries `offset` to `offset + limit`, counted from the oldest, or from the newest with `newest`.

        Raises:
            UnknownSession: There is no such thread.
        """
        span = (-offset - limit, -offset - 1) if newest else (offset, offset + limit - 1)
        head_key, entries_key, _ = _keys(owner)
        with memory_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hgetall(head_key)
                pipe.llen(entries_key)
                pipe.lrange(entries_key, *span)
                head, total, rows = await pipe.execute()
        if not head:
            raise UnknownSession(id=owner.thread_id)
        rows = rows if limit > 0 else []
        start = max(0, total - offset - len(rows)) if newest else min(offset, total)
        return Page(thread=_thread(head, total), offset=start, total=total, entries=[json.loads(row) for row in rows])

    async def list_threads(
        self, user_id: str, offset: int = 0, limit: int = 50, query: str | None = None
    ) -> tuple[list[Thread], int]:
        """Return a user's threads, last active first, and how many there are; `query` is looked for in the titles."""
        window = [0, ALL] if query else [offset, limit]
        with memory_errors():
            total, rows = await self._list(keys=[_index(user_id)], args=window)
        threads = [_thread(dict(zip(head[::2], head[1::2], strict=True)), count) for head, count in rows]
        if not query:
            return threads, total
        found = [thread for thread in threads if query.casefold() in thread["title"].casefold()]
        return found[offset : offset + limit], len(found)

    async def rename(self, owner: Owner, title: str) -> None:
        """Give the thread another title.

        Raises:
            UnknownSession: There is no such thread.
        """
        with memory_errors():
            done = await self._rename(keys=[_keys(owner)[0]], args=[_clean(_shorten(title))])
        if not done:
            raise UnknownSession(id=owner.thread_id)

    async def delete(self, owner: Owner) -> int:
        """Forget the thread; return how many entries it held."""
        with memory_errors():
            return int(await self._delete(keys=_keys(owner), args=[owner.memory_key]))

    async def replace(self, owner: Owner, entries: Mapping[int, Entry]) -> None:
        """Overwrite the entries at these indexes, all or none; only while the thread's turn is held."""
        with memory_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                for index, entry in entries.items():
                    pipe.lset(_keys(owner)[1], index, _dump(entry))  # type: ignore[arg-type]  # bytes go as they are
                await pipe.execute()

    async def truncate(self, owner: Owner, index: int) -> int:
        """Drop the entries from `index` on, as an edit or a rollback does; return how many were dropped."""
        with memory_errors():
            return int(await self._truncate(keys=_keys(owner), args=[max(0, index)]))

    async def export(self, owner: Owner) -> Page:
        """Return the whole transcript.

        Raises:
            UnknownSession: There is no such thread.
        """
        return await self.get(owner, 0, ALL)

    async def import_(self, owner: Owner, entries: Sequence[Entry], title: str = "") -> int:
        """Add entries that come from elsewhere, as an import or a branch does; return how many there are now."""
        total = 0
        for start in range(0, max(1, len(entries)), IMPORT_BATCH):
            total = await self.append_turn(owner, *entries[start : start + IMPORT_BATCH], title=title)
        return total


def title_of(entry: Entry) -> str:
    """Return a title made of a user's message: its first line, or the names of its files."""
    text = entry.get("text", "").strip()
    if not text:
        text = ", ".join(str(item.get("name", "")) for item in entry.get("attachments", []))
    return _shorten(text.split("\n", 1)[0])


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= TITLE_CHARS else text[: TITLE_CHARS - 1].rstrip() + "…"


def _clean(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _dump(entry: Entry) -> bytes:
    return dumps(entry)


def _keys(owner: Owner) -> list[str]:
    head = f"session:{owner.memory_key}"
    return [head, f"{head}:entries", _index(owner.user_id)]


@lru_cache(maxsize=1024)
def _index(user_id: str) -> str:
    return f"sessions:{hashlib.sha256(user_id.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _thread(head: dict[bytes, bytes], entries: int) -> Thread:
    return Thread(
        thread_id=head[b"session_id"].decode(),
        title=head.get(b"title", b"").decode(),
        created=_time(head[b"created"]),
        last_activity=_time(head[b"last_activity"]),
        entries=entries,
    )


def _time(seconds: bytes) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).isoformat(timespec="milliseconds")
