"""LangGraph memory on Redis: the newest checkpoint of a thread, read and written in one command each.

`ThreadSaver` is langgraph-checkpoint-redis's `AsyncRedisSaver` with its keys, documents and indexes. What differs, and
why: that saver keeps every checkpoint of a thread with the whole state in it and needs about 20 commands a turn even
with `durability="exit"` and pruning; here a put replaces the checkpoint before it, inside one script.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, cast

import orjson
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
)
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from langgraph.checkpoint.redis.key_registry import AsyncCheckpointKeyRegistry
from langgraph.checkpoint.redis.util import to_storage_safe_id, to_storage_safe_str
from langgraph.checkpoint.serde.types import ERROR
from redis.asyncio import Redis
from redis.exceptions import RedisError
from redisvl.exceptions import RedisVLError
from redisvl.query import FilterQuery
from redisvl.query.filter import FilterExpression, Tag

from domain.errors import MemoryUnavailable
from settings import Settings
from stores.redis.checkpoint_documents import SEALED, config_of, document_of, place_of
from stores.redis.checkpoint_scripts import FORGET, GET, PUT, PUT_BESIDE, PUT_WRITES, TAKE_BACK
from stores.redis.exchange import ScriptCall
from stores.redis.serde import SafeSerde, decode
from stores.redis.server import memory_errors, open_redis
from stores.redis.staged_memory import Put, RowKey, Rows, StagedMemory, Write

logger = logging.getLogger(__name__)

MOST_CHECKPOINTS = 10_000
"""Most checkpoints of one thread, or of the runs taken back, that are looked at."""
MOST_FALLBACKS = 100
"""Checkpoints, newest first, of which one becomes the newest of a thread that a run was taken back from."""
NOTE = "__note__"
"""Channel and task of a note: it is kept among the pending writes of a checkpoint, and goes with it."""
REPLACED_KEPT = 4096
"""Ids of replaced checkpoints that a process remembers, oldest forgotten first."""


class ThreadSaver(AsyncRedisSaver):
    """`AsyncRedisSaver` that keeps one checkpoint a thread and namespace.

    All methods raise `MemoryUnavailable` when Redis fails. Reading refreshes the time to live of what is read.
    """

    _put_script = PUT

    def __init__(self, redis: Redis, settings: Settings) -> None:
        super().__init__(redis_client=redis, ttl={"default_ttl": settings.thread_ttl / 60, "refresh_on_read": True})
        self._keyring = settings.memory_keyring
        self.serde = SafeSerde(self._keyring)
        self._ttl = settings.thread_ttl
        self._replaced: dict[str, None] = {}
        self._writing: dict[tuple[str, str], set[asyncio.Future[None]]] = {}
        self._staged: dict[str, StagedMemory] = {}
        self._get, self._put, self._put_writes, self._forget = (
            redis.register_script(script) for script in (GET, self._put_script, PUT_WRITES, FORGET)
        )

    async def asetup(self) -> None:
        """Create the indexes where they are missing; another process may be doing the same."""
        with memory_errors():
            try:
                await super().asetup()
            except (RedisError, RedisVLError) as exc:
                if "already exists" not in str(exc):
                    raise
                await super().asetup()

    def reading(self, thread_id: str) -> ScriptCall:
        """Return the call that reads a thread, to be sent with others; its result is for `stage`."""
        return ScriptCall(GET, self._keys(thread_id, "", ""), [self._ttl, ""])

    @contextmanager
    def stage(self, thread_id: str, found: Sequence[bytes] | None) -> Iterator[StagedMemory]:
        """Serve a thread from what was read of it, and hold back what is written: the caller sends that.

        Only for who has the thread for itself (`stores.redis.turns`).

        Args:
            thread_id: The thread.
            found: Result of the `reading` call; None: it is read when it is asked for.
        """
        staged = self._staged[thread_id] = StagedMemory(found)
        try:
            yield staged
        finally:
            self._staged.pop(thread_id, None)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the thread's checkpoint, or the one that `checkpoint_id` names if it is still the newest."""
        thread_id, ns = place_of(config)
        wanted = get_checkpoint_id(config) or ""
        staged = self._staged.get(thread_id)
        found = staged.read(ns) if staged and wanted in ("", staged.newest(ns)) else None
        if found is None:
            with memory_errors():
                found = await self._get(keys=self._keys(thread_id, ns, wanted), args=[self._ttl, wanted])
        if not found:
            return None
        writes = [write for write in map(orjson.loads, found[1:]) if write["channel"] != NOTE]
        return self._tuple(thread_id, ns, orjson.loads(found[0]), writes)

    def _tuple(
        self, thread_id: str, ns: str, document: dict[str, Any], writes: list[dict[str, Any]]
    ) -> CheckpointTuple:
        stored = document["checkpoint"]
        values = {name: decode(value) for name, value in self._unsealed(stored["channel_values"]).items()}
        parent = document.get("parent_checkpoint_id")
        return CheckpointTuple(
            config=config_of(thread_id, ns, document["checkpoint_id"]),
            checkpoint=cast(Checkpoint, {**stored, "channel_values": values}),
            metadata=orjson.loads(document["metadata"]),
            parent_config=config_of(thread_id, ns, parent) if parent else None,
            pending_writes=[
                (w["task_id"], w["channel"], self.serde.loads_typed((w["type"], self._decode_blob(w["blob"]))))
                for w in writes
            ],
        )

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        stream_mode: str = "values",
    ) -> RunnableConfig:
        """Store `checkpoint` in place of the one before it."""
        thread_id, ns = place_of(config)
        parent = get_checkpoint_id(config) or ""
        above = "" if parent == checkpoint["id"] else parent
        make = partial(document_of, config, checkpoint, metadata, above, self._keyring)
        self._note_replaced(parent, by=checkpoint["id"])
        put = self._putting(thread_id, ns, checkpoint["id"], make)
        if staged := self._staged.get(thread_id):
            await _stage(staged, ns, put)
            return config_of(thread_id, ns, checkpoint["id"])
        if under_way := self._writing.get((thread_id, ns)):
            await asyncio.wait(under_way)
        with memory_errors():
            await self._put(keys=put.call.keys, args=put.call.args)
        return config_of(thread_id, ns, checkpoint["id"])

    @contextmanager
    def _under_way(self, thread_id: str, ns: str) -> Iterator[None]:
        """Mark a write that a put of the same thread has to wait for."""
        done = asyncio.get_running_loop().create_future()
        writes = self._writing.setdefault((thread_id, ns), set())
        writes.add(done)
        try:
            yield
        finally:
            done.set_result(None)
            writes.discard(done)
            if not writes:
                self._writing.pop((thread_id, ns), None)

    def _note_replaced(self, parent: str, by: str) -> None:
        self._replaced[parent] = None
        self._replaced.pop(by, None)
        if len(self._replaced) > REPLACED_KEPT:
            self._replaced.pop(next(iter(self._replaced)))

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task wrote before its superstep ended: used after an interrupt or a crash."""
        if not writes:
            return
        thread_id, ns = place_of(config)
        checkpoint_id = config["configurable"]["checkpoint_id"]
        make = partial(self._write_rows, config, list(writes), task_id, task_path)
        write = Write(make, partial(self._storing_rows, thread_id))
        if staged := self._staged.get(thread_id):
            staged.put_writes(checkpoint_id, write)
            failed = any(channel == ERROR for channel, _ in writes)  # it is run again, whoever goes on with it
            if staged.steps is not None and staged.newest(ns) == checkpoint_id and not failed:
                await staged.steps.writes(write)
            return
        call = write.call
        with memory_errors(), self._under_way(thread_id, ns):
            await self._put_writes(keys=call.keys, args=call.args)

    def take_up(self, thread_id: str, staged: StagedMemory, documents: Mapping[str, bytes], rows: Rows) -> None:
        """Let a staged thread stand where the steps that were kept of a turn end: checkpoints by namespace, writes."""
        for ns in sorted(documents):  # that of the turn is the first
            checkpoint_id = str(orjson.loads(documents[ns])["checkpoint_id"])
            staged.put(self._putting(thread_id, ns, checkpoint_id, partial(documents.__getitem__, ns)), ns)
        for key, row in rows.items():
            staged.put_writes(
                key.checkpoint_id, Write(partial(dict, [(key, row)]), partial(self._storing_rows, thread_id))
            )

    def _putting(self, thread_id: str, ns: str, checkpoint_id: str, make: Callable[[], bytes]) -> Put:
        keys = self._keys(thread_id, ns, checkpoint_id)
        return Put(checkpoint_id, make, lambda document: ScriptCall(self._put_script, keys, [self._ttl, document]))

    def _write_rows(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
    ) -> dict[RowKey, bytes]:
        ns, rows = place_of(config)[1], {}
        for index, write in enumerate(writes):
            row = {**self._write_row(config, write, index), "task_id": task_id, "task_path": task_path}
            rows[RowKey(ns, row["checkpoint_id"], task_id, row["idx"])] = orjson.dumps(row)
        return rows

    def _storing_rows(self, thread_id: str, rows: Rows) -> ScriptCall:
        """Return the call that stores writes of one task."""
        ns, checkpoint_id, _, _ = next(iter(rows))
        keys = [self._make_redis_checkpoint_writes_key(thread_id, *key) for key in rows]
        registry = AsyncCheckpointKeyRegistry.make_write_keys_zset_key(thread_id, ns, checkpoint_id)
        return ScriptCall(
            PUT_WRITES,
            [*self._keys(thread_id, ns, checkpoint_id), registry, *keys],
            [self._ttl, int(checkpoint_id in self._replaced), *rows.values()],
        )

    def _write_row(self, config: RunnableConfig, write: tuple[str, Any], index: int) -> dict[str, Any]:
        thread_id, ns = place_of(config)
        kind, blob = self.serde.dumps_typed(write[1])
        return {
            "thread_id": to_storage_safe_id(thread_id),
            "checkpoint_ns": to_storage_safe_str(ns),
            "checkpoint_id": config["configurable"]["checkpoint_id"],
            "idx": WRITES_IDX_MAP.get(write[0], index),
            "channel": write[0],
            "type": kind,
            "blob": self._encode_blob(blob),
        }

    def noting(self, thread_id: str, checkpoint_id: str, note: dict[str, Any]) -> ScriptCall:
        """Return the call that ties a note to a checkpoint: it is there until another checkpoint replaces that one."""
        row = self._write_row(config_of(thread_id, "", checkpoint_id), (NOTE, note), 0)
        return ScriptCall(
            PUT_WRITES,
            [
                *self._keys(thread_id, "", checkpoint_id),
                AsyncCheckpointKeyRegistry.make_write_keys_zset_key(thread_id, "", checkpoint_id),
                self._make_redis_checkpoint_writes_key(thread_id, "", checkpoint_id, NOTE, 0),
            ],
            [self._ttl, 0, orjson.dumps({**row, "task_id": NOTE, "task_path": ""})],
        )

    def note_in(self, found: Sequence[bytes] | None) -> dict[str, Any] | None:
        """Return the note in the result of a `reading` call; None without one."""
        for write in (found or ())[1:]:
            if NOTE.encode() in write and (row := orjson.loads(write))["channel"] == NOTE:
                return cast("dict[str, Any]", self.serde.loads_typed((row["type"], self._decode_blob(row["blob"]))))
        return None

    async def aget_note(self, thread_id: str) -> dict[str, Any] | None:
        """Return the note of the thread's newest checkpoint; None without one."""
        with memory_errors():
            return self.note_in(await self._get(keys=self._keys(thread_id, "", ""), args=[self._ttl, ""]))

    def get_next_version(self, current: str | int | None, channel: Any) -> str:
        """Return the version behind `current`; versions compare as text, also with those of `AsyncRedisSaver`."""
        before = int(str(current).partition(".")[0]) if current else 0
        return f"{before + 1:032}"

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield the checkpoints kept: one a thread and namespace, newest first."""
        border = get_checkpoint_id(before) if before else None
        given = 0
        async for item in self._kept(config):
            if border and item.checkpoint["id"] >= border:
                continue
            if any(item.metadata.get(name) != value for name, value in (filter or {}).items()):
                continue
            if limit is not None and given >= limit:
                return
            given += 1
            yield item

    async def _kept(self, config: RunnableConfig | None) -> AsyncIterator[CheckpointTuple]:
        if config and "checkpoint_ns" in config["configurable"]:
            found = await self.aget_tuple(config)
            for item in [found] if found else []:
                yield item
            return
        with memory_errors():
            for item in await self._indexed(lambda: _collect(super(ThreadSaver, self).alist(config))):
                yield item

    async def _indexed(self, action: Any) -> Any:
        """Run `action`, which searches; recreate the indexes when Redis came back empty."""
        try:
            return await action()
        except (RedisError, RedisVLError) as exc:
            if "no such index" not in str(exc).lower():
                raise
        await self.asetup()
        return await action()

    async def adelete_thread(self, thread_id: str) -> None:
        """Forget the thread: its checkpoint, pending writes and those of its subgraphs."""
        if staged := self._staged.get(thread_id):
            staged.forget()
        with memory_errors():
            await self._forget(keys=[self._make_redis_checkpoint_latest_key(thread_id, "")])
            await self._indexed(lambda: super(ThreadSaver, self).adelete_thread(thread_id))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Give the target thread the checkpoint of the source thread."""
        found = await self.aget_tuple(config_of(source_thread_id, "", ""))
        if found is not None:
            await self.aput(config_of(target_thread_id, "", ""), found.checkpoint, found.metadata, {})

    def _unsealed(self, values: Any) -> Any:
        if isinstance(values, dict) and values.keys() == {SEALED}:
            return orjson.loads(self._keyring.unseal(base64.b64decode(values[SEALED])))
        return values

    def _recursive_deserialize(self, obj: Any) -> Any:
        return super()._recursive_deserialize(self._unsealed(obj))

    def _keys(self, thread_id: str, ns: str, checkpoint_id: str) -> list[str]:
        return [
            self._make_redis_checkpoint_key(thread_id, ns, checkpoint_id),
            self._make_redis_checkpoint_latest_key(thread_id, ns),
        ]


# LangGraph asks for this signature at every turn; worked out each time, that takes longer than the put it is about.
ThreadSaver.aput_writes.__signature__ = inspect.signature(ThreadSaver.aput_writes)  # type: ignore[attr-defined]


async def _stage(staged: StagedMemory, ns: str, put: Put) -> None:
    staged.put(put, ns)
    if staged.steps is not None:
        await staged.steps.checkpoint(ns, put)
    else:
        put.document  # noqa: B018  # what cannot be written down fails in the turn, not at its end


class HistorySaver(ThreadSaver):
    """A saver that keeps every checkpoint of a thread, so that one can go back to each and go on from there."""

    _put_script = PUT_BESIDE

    def __init__(self, redis: Redis, settings: Settings) -> None:
        super().__init__(redis, settings)
        self._take_back = redis.register_script(TAKE_BACK)

    def _note_replaced(self, parent: str, by: str) -> None:
        return

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield the checkpoints of a thread, newest first."""
        listed = partial(AsyncRedisSaver.alist, self, config, filter=filter, before=before, limit=limit)
        with memory_errors():
            for item in await self._indexed(lambda: _collect(listed())):
                yield item

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Take back what these runs wrote: each of their threads is again as it was before."""
        with memory_errors():
            gone = await self._indexed(lambda: self._places(Tag("run_id") == list(run_ids)))
            for thread_id, ns in {(thread_id, ns) for thread_id, ns, _ in gone}:
                of_thread = (Tag("thread_id") == thread_id) & (Tag("checkpoint_ns") == ns)
                kept = sorted(await self._places(of_thread) - gone, reverse=True)[:MOST_FALLBACKS]
                going = [place for place in gone if place[:2] == (thread_id, ns)]
                keys = [self._make_redis_checkpoint_key(*place) for place in (*going, *kept)]
                pointer = self._make_redis_checkpoint_latest_key(thread_id, ns)
                await self._take_back(keys=[pointer, *keys], args=[self._ttl, len(going)])

    async def _places(self, expression: FilterExpression) -> set[tuple[str, str, str]]:
        """Return thread, namespace and id of the checkpoints that fit, as they stand in their documents."""
        fields = ("thread_id", "checkpoint_ns", "checkpoint_id")
        query = FilterQuery(expression, return_fields=list(fields), num_results=MOST_CHECKPOINTS)
        found = await self.checkpoints_index.search(query)
        return {(row.thread_id, row.checkpoint_ns, row.checkpoint_id) for row in found.docs}


async def _collect(items: AsyncIterator[CheckpointTuple]) -> list[CheckpointTuple]:
    return [item async for item in items]


async def open_checkpointer(redis: Redis, settings: Settings) -> ThreadSaver:
    """Return the saver of `redis`, with its indexes; without Redis the saver waits until it is there."""
    saver = (HistorySaver if settings.checkpoint_history else ThreadSaver)(redis, settings)
    try:
        await saver.asetup()
    except MemoryUnavailable:
        logger.warning("checkpoints are not set up: redis does not answer")
    return saver


@asynccontextmanager
async def generate_checkpointer() -> AsyncIterator[ThreadSaver]:
    """Checkpointer for `langgraph dev`, named in `langgraph.json`: it keeps threads where the server does.

    All their checkpoints are kept: Studio shows them, and goes back to each.
    """
    settings = (await asyncio.to_thread(Settings)).model_copy(update={"checkpoint_history": True})
    async with await open_redis(settings) as redis:
        yield await open_checkpointer(redis.client, settings)
