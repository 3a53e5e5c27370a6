"""The Redis of the service: the one that is configured, or the embedded one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, RedisError
from redisvl.exceptions import RedisVLError

from domain.errors import DiskFull, MemoryFull, MemoryNotStarted, MemoryUnavailable
from domain.words import Words
from settings import Settings
from stores.disk import is_disk_full
from stores.redis.embedded import EmbeddedRedis, folder_and_socket
from stores.redis.log import LogRewriter
from stores.redis.pool import configured_pool

logger = logging.getLogger(__name__)

Kind = Literal["embedded", "shared", "external", "missing"]
CAME_LATER = Words(
    "Redis as configured by REDIS_URL or REDIS_HOST; it came up after the server.",
    "由 REDIS_URL 或 REDIS_HOST 指定的 Redis，在服务启动之后才可用。",
)
NOWHERE = "/nonexistent/redis.sock"


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn every failure of Redis into `MemoryUnavailable`, or one of its kinds."""
    try:
        yield
    except (RedisError, RedisVLError, ConnectionError) as exc:
        raise memory_error(exc) from exc


def memory_error(failure: Exception) -> MemoryUnavailable:
    """Return what a failure of Redis means to a client."""
    logger.warning("redis failed", extra={"error": type(failure).__name__})
    text = str(failure)
    if isinstance(failure, OutOfMemoryError) or "OOM " in text:
        return MemoryFull()
    # Without room for its log, Redis takes no command that changes anything, and says MISCONF.
    return DiskFull() if "MISCONF" in text or is_disk_full(failure) else MemoryUnavailable()


@dataclass
class RedisHandle:
    """An open Redis: `client` returns bytes; `detail` is one sentence for people."""

    client: Redis
    kind: Kind
    detail: Words
    _embedded: EmbeddedRedis | None = field(default=None, repr=False)
    _log: LogRewriter | None = field(default=None, repr=False)

    def erase_deleted(self) -> None:
        """Erase deleted values from the disk too, within seconds; a configured Redis is left to its operator."""
        if self._log is not None:
            self._log.request()

    async def check(self) -> None:
        """Write a little.

        Raises:
            MemoryUnavailable: Redis does not answer, or takes nothing new.
        """
        with memory_errors():
            await self.client.set("health", b"", px=1000)
        if self.kind == "missing":
            self.kind, self.detail = "external", CAME_LATER

    async def aclose(self) -> None:
        """Close the connections and, where it is ours, the server; everything written is on disk afterwards."""
        if self._log:
            await self._log.aclose()
        if self._embedded:
            await self._embedded.aclose()
        await self.client.aclose(close_connection_pool=True)

    async def __aenter__(self) -> RedisHandle:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


async def open_redis(settings: Settings) -> RedisHandle:
    """Connect to the Redis that `settings` name, or to the embedded one below `data_dir`.

    Raises:
        MemoryNotStarted: It cannot be reached or started, or lacks the search and JSON modules.
    """
    if settings.redis_url or settings.redis_host:
        return await _open_external(settings)
    embedded = EmbeddedRedis(*await asyncio.to_thread(folder_and_socket, settings.data_dir))
    await embedded.open()
    version = (await embedded.client.info("server"))["redis_version"]
    whose: Kind = "embedded" if embedded.owned else "shared"
    start = Words("Started", "已启动") if embedded.owned else Words("Already running", "已在运行")
    detail = Words(
        f"{start.en}: embedded Redis {version} below DATA_DIR; REDIS_URL names another.",
        f"{start.zh}：内置 Redis {version}，数据位于 DATA_DIR 下；可通过 REDIS_URL 改用其他 Redis。",
    )
    handle = RedisHandle(embedded.client, whose, detail, embedded, LogRewriter(embedded.client))
    if embedded.owned and (await embedded.client.info("persistence"))["aof_current_size"]:
        handle.erase_deleted()  # what a process that was killed had no time for
    return handle


async def open_redis_or_missing(settings: Settings) -> RedisHandle:
    """Open Redis; where there is none, return a handle of kind `missing` whose `detail` says how to get one.

    The server then starts all the same: what needs memory answers 503, and goes on by itself when a configured Redis
    comes up.
    """
    try:
        return await open_redis(settings)
    except MemoryNotStarted as exc:
        logger.error("there is no redis", extra={"reason": str(exc)})
        external = settings.redis_url or settings.redis_host
        client = Redis(connection_pool=configured_pool(settings)) if external else Redis(unix_socket_path=NOWHERE)
        en, zh = exc.body("en"), exc.body("zh")
        detail = Words(f"{en['message']} {en['remedy']}", f"{zh['message']}{zh['remedy']}")
        return RedisHandle(client, "missing", detail)


async def _open_external(settings: Settings) -> RedisHandle:
    client = Redis(connection_pool=configured_pool(settings))
    try:
        await client.ping()
        missing = await _missing_commands(client)
        version = (await client.info("server"))["redis_version"]
    except (RedisError, OSError) as exc:
        await client.aclose(close_connection_pool=True)
        raise _silent(type(exc).__name__) from exc
    if missing:
        await client.aclose(close_connection_pool=True)
        raise _lacking(version, missing)
    detail = Words(
        f"Redis {version} as configured by REDIS_URL or REDIS_HOST.",
        f"由 REDIS_URL 或 REDIS_HOST 指定的 Redis {version}。",
    )
    return RedisHandle(client, "external", detail)


def _silent(cause: str) -> MemoryNotStarted:
    return MemoryNotStarted(
        reason=Words(f"the configured Redis does not answer ({cause})", f"所配置的 Redis 没有响应（{cause}）"),
        fix=Words(
            "Check REDIS_URL, or unset it to use the embedded Redis.",
            "请检查 REDIS_URL，或取消该设置以使用内置 Redis。",
        ),
    )


def _lacking(version: str, missing: list[Words]) -> MemoryNotStarted:
    en, zh = " and ".join(it.en for it in missing), "和".join(it.zh for it in missing)
    return MemoryNotStarted(
        reason=Words(f"the configured Redis {version} lacks {en}", f"所配置的 Redis {version} 缺少{zh}"),
        fix=Words(
            "Use Redis 8 or Redis Stack, or unset REDIS_URL.",
            "请使用 Redis 8 或 Redis Stack，或取消 REDIS_URL 设置。",
        ),
    )


async def _missing_commands(client: Redis) -> list[Words]:
    """Return in words which of the two modules the server lacks; needs no right to list modules."""
    known = await client.execute_command("COMMAND INFO", "FT.CREATE", "JSON.SET")  # type: ignore[no-untyped-call]
    modules = Words("the search module", "搜索模块"), Words("the JSON module", " JSON 模块")
    return [name for name, found in zip(modules, known, strict=True) if not found]
