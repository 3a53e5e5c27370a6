"""The Redis of the service: the one that is configured, or an embedded one that processes on one folder share.

The embedded server belongs to the process that holds a lock file in its data folder. Others on the same folder connect
to its socket; when the owner ends, the kernel frees the lock and one of them starts the server again on the same data.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import hiredis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redisvl.exceptions import RedisVLError  # type: ignore[import-untyped]

from domain.errors import MemoryNotStarted, MemoryUnavailable
from domain.words import Words
from settings import Settings
from stores.redis.log import LogRewriter
from stores.redis.process import INSTALL, find_programs, socket_path, spawn
from stores.redis.tasks import end_tasks

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
POOL_WAIT = 30.0
"""Seconds a command waits for a free connection."""
COMMAND_TIMEOUT = 5.0
"""Seconds without an answer after which a command fails."""
RETRY_WINDOW = 2.0
"""Seconds within which a failed command is sent again: that bridges a restart, and not a Redis that stands still."""
CONNECT_TIMEOUT = 5.0
START_TIMEOUT = 20.0
START_POLL = 0.01
STOP_TIMEOUT = 10.0
WATCH_INTERVAL = 0.5
"""Seconds between two looks at whether the embedded server is still ours to keep alive."""

Kind = Literal["embedded", "shared", "external", "missing"]
NOWHERE = "/nonexistent/redis.sock"
_owning = threading.Lock()
_owned: set[Path] = set()
"""Lock files held by this process: record locks do not exclude a second opening in the same process."""


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn every failure of Redis into `MemoryUnavailable`."""
    try:
        yield
    except (RedisError, RedisVLError, ConnectionError) as exc:
        logger.warning("redis failed", extra={"error": type(exc).__name__})
        raise MemoryUnavailable from exc


@dataclass
class RedisHandle:
    """An open Redis: `client` returns bytes; `detail` is one sentence for people."""

    client: Redis
    kind: Kind
    detail: Words
    _embedded: _Embedded | None = field(default=None, repr=False)
    _log: LogRewriter | None = field(default=None, repr=False)

    def forget_deleted(self) -> None:
        """Have deleted values leave the disk too, soon; how a configured Redis keeps its data is its operator's."""
        if self._log is not None:
            self._log.soon()

    async def ping(self) -> None:
        """Ask Redis for a sign of life.

        Raises:
            MemoryUnavailable: There was none.
        """
        with memory_errors():
            await self.client.ping()

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
    embedded = _Embedded(*await asyncio.to_thread(_folder_and_socket, settings.data_dir))
    await embedded.open()
    version = (await embedded.client.info("server"))["redis_version"]
    whose: Kind = "embedded" if embedded.owned else "shared"
    start, start_zh = ("Started", "已启动") if embedded.owned else ("Already running", "已在运行")
    detail = Words(
        f"{start}: embedded Redis {version} below DATA_DIR; REDIS_URL names another.",
        f"{start_zh}：内置 Redis {version}，数据位于 DATA_DIR 下；可通过 REDIS_URL 改用其他 Redis。",
    )
    handle = RedisHandle(embedded.client, whose, detail, embedded, LogRewriter(embedded.client))
    if embedded.owned and (await embedded.client.info("persistence"))["aof_current_size"]:
        handle.forget_deleted()  # what a process that was killed had no time for
    return handle


async def open_redis_or_go_on(settings: Settings) -> RedisHandle:
    """Open Redis; where there is none, return a handle of kind `missing` whose `detail` says how to get one.

    The server then starts all the same: what needs memory answers 503, and goes on by itself when a configured Redis
    comes up.
    """
    try:
        return await open_redis(settings)
    except MemoryNotStarted as exc:
        logger.error("there is no redis", extra={"reason": str(exc)})
        external = settings.redis_url or settings.redis_host
        client = Redis(connection_pool=_external_pool(settings)) if external else Redis(unix_socket_path=NOWHERE)
        en, zh = exc.body("en"), exc.body("zh")
        detail = Words(f"{en['message']} {en['remedy']}", f"{zh['message']}{zh['remedy']}")
        return RedisHandle(client, "missing", detail)


async def _open_external(settings: Settings) -> RedisHandle:
    client = Redis(connection_pool=_external_pool(settings))
    try:
        await client.ping()
        missing = await _missing_commands(client)
        version = (await client.info("server"))["redis_version"]
    except (RedisError, OSError) as exc:
        await client.aclose()
        raise _silent(type(exc).__name__) from exc
    if missing:
        await client.aclose()
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


def _external_pool(settings: Settings) -> BlockingConnectionPool:
    if settings.redis_url:
        return BlockingConnectionPool.from_url(settings.redis_url.get_secret_value(), **_pool_options())
    password = settings.redis_password.get_secret_value() if settings.redis_password else None
    return BlockingConnectionPool(
        host=settings.redis_host, port=settings.redis_port, password=password, **_pool_options()
    )


class _SocketConnection(UnixDomainSocketConnection):
    """Packs commands in C, as redis-py's synchronous connections do where hiredis is installed."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """Return a command as it is sent; its name may be of several words."""
        return [hiredis.pack_command((*str(args[0]).encode().split(), *args[1:]))]


class _EarlyRetry(Retry):
    """Tries again what failed early, as when Redis restarts; what has waited for an answer in vain fails at once."""

    async def call_with_retry(
        self,
        do: Callable[[], Awaitable[Any]],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Any:
        """Run `do`, again after an early failure."""
        end = time.monotonic() + RETRY_WINDOW

        async def fail_for_good_when_late(error: Exception, *count: int) -> None:
            await fail(error, *count)
            if time.monotonic() > end:
                raise error

        return await super().call_with_retry(do, fail_for_good_when_late, is_retryable, with_failure_count)


def _pool_options() -> dict[str, Any]:
    return {
        "max_connections": MAX_CONNECTIONS,
        "timeout": POOL_WAIT,
        "socket_timeout": COMMAND_TIMEOUT,
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "retry": _EarlyRetry(
            ExponentialWithJitterBackoff(base=0.05, cap=0.4), 3, supported_errors=(RedisConnectionError,)
        ),
    }


async def _missing_commands(client: Redis) -> list[Words]:
    """Return in words which of the two modules the server lacks; needs no right to list modules."""
    known = await client.execute_command("COMMAND INFO", "FT.CREATE", "JSON.SET")  # type: ignore[no-untyped-call]
    modules = Words("the search module", "搜索模块"), Words("the JSON module", " JSON 模块")
    return [name for name, found in zip(modules, known, strict=True) if not found]


def _folder_and_socket(data_dir: Path) -> tuple[Path, Path]:
    folder = data_dir.resolve() / "redis"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder, socket_path(folder)


class _Embedded:
    """One process's part in the Redis of `folder`: its owner, or a client of the owner's."""

    def __init__(self, folder: Path, socket: Path) -> None:
        self._folder, self._socket = folder, socket
        self._lock: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.client = Redis(
            connection_pool=BlockingConnectionPool(
                connection_class=_SocketConnection, path=str(self._socket), **_pool_options()
            )
        )
        self._probe = Redis(unix_socket_path=str(self._socket), retry=Retry(NoBackoff(), 0), socket_timeout=2)

    @property
    def owned(self) -> bool:
        """Whether this process started the server and ends it."""
        return self._lock is not None

    async def open(self) -> None:
        """Start the server, or wait for the one that another process starts."""
        try:
            await self._join()
        except BaseException:
            await self.aclose()
            raise
        self._watcher = asyncio.create_task(self._watch(), name="redis-watch")

    async def _join(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if await self._joined():
                return
            await asyncio.sleep(START_POLL)
        raise MemoryNotStarted(reason=Words("the embedded Redis does not answer", "内置 Redis 没有响应"), fix=INSTALL)

    async def _joined(self) -> bool:
        if self.owned:
            return await self._started()
        if not await asyncio.to_thread(self._take_lock):
            return await self._answers()
        await self._end_orphan()
        await self._start()
        return await self._started()

    async def _started(self) -> bool:
        if await self._answers():
            return True
        if self._process is not None and self._process.poll() is not None:
            raise MemoryNotStarted(
                reason=Words(
                    "the embedded Redis ended at once; DATA_DIR/redis/redis.log says why",
                    "内置 Redis 启动后立即退出，原因见 DATA_DIR/redis/redis.log",
                ),
                fix=INSTALL,
            )
        return False

    async def _start(self) -> None:
        self._process = await asyncio.to_thread(self._spawn)

    def _spawn(self) -> subprocess.Popen[bytes]:
        return spawn(find_programs(self._folder), self._folder, self._socket)

    async def _answers(self) -> bool:
        try:
            return bool(await self._probe.ping())
        except (RedisError, OSError):
            return False

    async def _end_orphan(self) -> None:
        """End a server whose owner is gone: the kernel has told it to stop, but it may still be writing."""
        deadline = time.monotonic() + STOP_TIMEOUT
        while await self._answers():
            if time.monotonic() > deadline:
                raise MemoryNotStarted(
                    reason=Words("a Redis that does not end uses its socket", "其套接字被一个无法结束的 Redis 占用"),
                    fix=Words("End it, or use REDIS_URL.", "请结束该进程，或设置 REDIS_URL。"),
                )
            with suppress(RedisError, OSError):
                await self._probe.shutdown(nosave=True)
            await asyncio.sleep(START_POLL)

    def _take_lock(self) -> bool:
        path = self._folder / "owner.lock"
        with _owning:
            if path in _owned:
                return False
            lock = path.open("ab")
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                return False
            self._lock = lock
            _owned.add(path)
            return True

    def _free_lock(self) -> None:
        if self._lock is not None:
            _owned.discard(Path(os.fsdecode(self._lock.name)))
            self._lock.close()
            self._lock = None

    async def _watch(self) -> None:
        """Keep the server alive: restart our own when it died, take it over when its owner ended."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            try:
                if self.owned and (self._process is None or self._process.poll() is not None):
                    logger.error("the embedded redis ended and is started again")
                    await self._start()
                elif not self.owned and await asyncio.to_thread(self._take_lock):
                    logger.info("the embedded redis is taken over")
                    await self._end_orphan()
                    await self._start()
            except (OSError, subprocess.SubprocessError, MemoryNotStarted) as exc:
                logger.error("the embedded redis cannot be started", extra={"error": type(exc).__name__})

    async def aclose(self) -> None:
        """End what this process started."""
        await end_tasks([self._watcher])
        await self._probe.aclose()
        if self._process is not None:
            await _end(self._process)
        self._free_lock()


async def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM makes Redis flush its append-only file and leave; one that hangs is killed."""
    if process.poll() is None:
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
