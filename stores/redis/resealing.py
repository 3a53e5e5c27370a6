"""The embedded Redis under another key: everything in it that is encrypted, or has to be, is written anew in place.

Each value is as good under either key while both are at hand, so that a change that was cut short begins again and
comes to the same end. What only Redis knows stays: questions to people, the effect ledger, runs that go on.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from domain.errors import MemoryNotStarted
from domain.sealing import Keyring
from domain.words import Words
from settings import Settings
from stores.redis.checkpoint_documents import SEALED
from stores.redis.events import JSON_FIELDS
from stores.redis.log import LogRewriter
from stores.redis.server import memory_errors, open_redis
from stores.redis.unfinished import CHECKPOINT, SEPARATOR, WRITE

RECORD_FIELDS: Final = JSON_FIELDS | {"thread_id"}
BATCH: Final = 500
SCRATCH: Final = "rekey"
OLD_LEFT = Words(
    "its file still holds what is under the old key", "其文件中仍保留着使用旧密钥的内容"
)  # fmt: skip
TRY_AGAIN = Words("Run `llmchat rekey` again.", "请再次运行 `llmchat rekey`。")


async def reseal_memory(settings: Settings, target: Keyring) -> bool:
    """Put what the embedded Redis holds under the target's key; return whether the Redis was this process's alone.

    Raises:
        MemoryUnavailable: It cannot be started, or takes nothing new.
        WrongKey: Something is under none of the keys.
    """
    async with await open_redis(settings) as redis:
        if redis.kind != "embedded":
            return False
        with memory_errors():
            await _Resealing(redis.client, settings.keyring, target).run()
            await LogRewriter(redis.client).rewrite()
            state = await redis.client.info("persistence")
        if state["aof_rewrite_in_progress"] or state["aof_last_bgrewrite_status"] != "ok":
            raise MemoryNotStarted(reason=OLD_LEFT, fix=TRY_AGAIN)
    return True


class _Resealing:
    def __init__(self, redis: Redis, keyring: Keyring, target: Keyring) -> None:
        self._redis: Any = redis  # the client's own types are those of both its colours
        self._keyring, self._target = keyring, target

    async def run(self) -> None:
        ways = {
            b"string": self._string,
            b"hash": self._hash,
            b"stream": self._stream,
            b"ReJSON-RL": self._document,
        }
        async for key in self._redis.scan_iter(count=BATCH):
            way = ways.get(await self._redis.type(key))
            if way is not None:
                await way(key.decode())

    def _value(self, value: bytes) -> bytes:
        return self._target.seal(self._keyring.unseal(value)) if value else value

    def _text(self, sealed: str) -> str:
        return base64.b64encode(self._value(base64.b64decode(sealed))).decode()

    def _channels(self, values: Any) -> Any:
        """Return the channels of a checkpoint as `document_of` writes them."""
        if isinstance(values, dict) and values.keys() == {SEALED}:
            values = orjson.loads(self._keyring.unseal(base64.b64decode(values[SEALED])))
        if not self._target:
            return values
        return {SEALED: base64.b64encode(self._target.seal(orjson.dumps(values))).decode()}

    async def _string(self, key: str) -> None:
        if key.startswith(("summary:", "toolcache:")) and not key.endswith(":lock"):
            if (value := await self._redis.get(key)) is not None:
                await self._redis.set(key, self._value(value), xx=True, keepttl=True)

    async def _hash(self, key: str) -> None:
        held = {field.decode(): value for field, value in (await self._redis.hgetall(key)).items()}
        changed = {field: self._field(field, value) for field, value in held.items() if _is_content(key, field)}
        if changed:
            async with self._lasting(key) as pipe:
                pipe.hset(key, mapping=changed)

    def _field(self, field: str, value: bytes) -> bytes:
        kind = field.partition(SEPARATOR)[0]
        if SEPARATOR not in field or kind not in (CHECKPOINT, WRITE):
            return self._value(value)
        document = orjson.loads(value)
        if kind == WRITE:
            document["blob"] = self._text(document["blob"])
        else:
            document["checkpoint"]["channel_values"] = self._channels(document["checkpoint"]["channel_values"])
        return orjson.dumps(document)

    async def _document(self, key: str) -> None:
        found = await self._redis.execute_command("JSON.GET", key)
        document = orjson.loads(found or b"{}")
        if "blob" in document:
            path, new = "$.blob", self._text(document["blob"])
        elif "checkpoint" in document:
            path, new = "$.checkpoint.channel_values", self._channels(document["checkpoint"]["channel_values"])
        else:
            return
        async with self._lasting(key) as pipe:
            pipe.execute_command("JSON.SET", key, path, orjson.dumps(new))

    async def _stream(self, key: str) -> None:
        """Write a stream a second time, entry by entry under the same ids, and put it in the place of the first."""
        entries = await self._redis.xrange(key)
        async with self._lasting(key) as pipe:
            pipe.delete(SCRATCH)
            for at, row in entries:
                pipe.xadd(SCRATCH, {**row, b"d": self._value(row[b"d"])}, id=at)
            if entries:
                pipe.rename(SCRATCH, key)

    @asynccontextmanager
    async def _lasting(self, key: str) -> AsyncIterator[Any]:
        """Gather commands that are carried out as one step, after which the key lasts as long as before."""
        lasts = await self._redis.pttl(key)
        async with self._redis.pipeline(transaction=True) as pipe:
            yield pipe
            if lasts > 0:
                pipe.pexpire(key, lasts)
            await pipe.execute()


def _is_content(key: str, field: str) -> bool:
    """Tell whether a field of a hash holds what people, models or tools say."""
    kind = key.partition(":")[0]
    if kind == "effects":
        return field.endswith(":result")
    if kind == "run":
        of_steps = field in ("note", "stand") or SEPARATOR in field
        return of_steps if key.endswith(":steps") else field in RECORD_FIELDS
    return kind == "results"
