"""The embedded Redis, which all processes on one data folder share.

It belongs to the process that holds a lock file in the folder. Others connect to its socket; when the owner ends, the
kernel frees the lock and one of them starts the server again on the same data.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from domain.errors import MemoryNotStarted
from domain.words import Words
from stores.redis.pool import socket_pool
from stores.redis.process import INSTALL, find_programs, socket_path, spawn
from stores.redis.tasks import end_tasks

logger = logging.getLogger(__name__)

START_TIMEOUT = 20.0
START_POLL = 0.01
STOP_TIMEOUT = 10.0
WATCH_INTERVAL = 0.5
"""Seconds between two looks at whether the embedded server is still ours to keep alive."""
_owning = threading.Lock()
_owned: set[Path] = set()
"""Lock files held by this process: record locks do not exclude a second opening in the same process."""


def folder_and_socket(data_dir: Path) -> tuple[Path, Path]:
    """Return the folder of the embedded Redis below `data_dir`, which is made, and the path of its socket."""
    folder = data_dir.resolve() / "redis"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder, socket_path(folder)


class EmbeddedRedis:
    """One process's part in the Redis of `folder`: its owner, or a client of the owner's."""

    def __init__(self, folder: Path, socket: Path) -> None:
        self._folder, self._socket = folder, socket
        self._lock: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.client = Redis(connection_pool=socket_pool(self._socket))
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
        """End a server whose owner is gone: the kernel has signalled it, but it may still be writing."""
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

    def _leave_nothing(self) -> None:
        """Remove the folder in the temporary directory, unless somebody has taken it over."""
        self._socket.unlink(missing_ok=True)
        with suppress(OSError):
            self._socket.parent.rmdir()

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
        """End the server, if this process started it."""
        await end_tasks([self._watcher])
        await self._probe.aclose()
        if self._process is not None:
            await _end(self._process)
            if self._socket.parent != self._folder:
                await asyncio.to_thread(self._leave_nothing)
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
