"""The server's side of the forking process and of its children."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from domain.errors import AppError
from workers.child import WORD, Job
from workers.confinement import missing

logger = logging.getLogger(__name__)

MAX_ITEM_BYTES = 160 * 1024 * 1024
"""Largest single result that a child may send."""
Cause = Literal["error", "memory", "time", "death"]

_OUT_OF_TIME = {signal.SIGXCPU, signal.SIGALRM, signal.SIGPROF}
_OUT_OF_MEMORY = {signal.SIGKILL, signal.SIGABRT, signal.SIGXFSZ}
_BAD_PICKLE = (pickle.UnpicklingError, AttributeError, EOFError, ImportError, LookupError, TypeError, ValueError)
_TRUSTED_MODULES = {"readers.interface", "domain.errors", "domain.words"}


class ChildFailed(Exception):
    """A child returned no result: its function raised, it ran out of memory or time, or it crashed."""

    def __init__(self, cause: Cause) -> None:
        self.cause = cause
        super().__init__(cause)


class Zygote:
    """The process that children are forked from, started when it is needed and again when it died."""

    def __init__(self, modules: Sequence[str]) -> None:
        """Name the `modules` that it loads ahead of the first job."""
        self._modules = modules
        self._weaknesses = missing()
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Start the process unless it runs; its modules load in the background."""
        async with self._starting:
            if self._running is None:
                self._running = await asyncio.to_thread(self._spawn)
                if self._weaknesses:
                    logger.warning("no %s here: files meet fewer walls", " and no ".join(self._weaknesses))
                    self._weaknesses = []

    async def fork(self, job: Job) -> Child:
        """Return a child that works on `job`.

        Raises:
            ChildFailed: Even a new process cannot fork.
        """
        for _attempt in range(2):
            await self.start()
            running = self._running
            try:
                return await Child(self).start(job)
            except (ConnectionError, asyncio.IncompleteReadError):
                logger.warning("the process that forks workers ended; it is started again")
                if self._running is running:
                    await self.aclose()
        raise ChildFailed("death")

    def send_sockets(self, channel: socket.socket, status: socket.socket) -> None:
        """Ask for a child that uses these two sockets."""
        if self._running is None:
            raise ConnectionError
        socket.send_fds(self._running[1], [WORD.pack(0)], [channel.fileno(), status.fileno()])

    def kill(self, pid: int) -> None:
        """Kill the child `pid` and all that it started."""
        try:
            if self._running is not None:
                self._running[1].send(WORD.pack(pid))
        except OSError:
            return

    async def aclose(self) -> None:
        """End the process and all children."""
        if self._running is None:
            return
        (process, control), self._running = self._running, None
        control.close()
        try:
            await asyncio.to_thread(process.wait, 5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _spawn(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = socket.socketpair()
        libraries = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "workers.zygote", str(theirs.fileno()), *self._modules],
                cwd=Path(__file__).resolve().parent.parent,
                # Of the server's environment children know nothing: no key, no URL, no proxy.
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC", "TMPDIR": tempfile.gettempdir()}
                | libraries
                | threads,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if sys.stderr else subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,  # away from Ctrl-C, but in our session: Linux weighs priorities within one alone
            )
        return process, ours


class Child:
    """One job: its channel and its status socket."""

    def __init__(self, zygote: Zygote) -> None:
        self._zygote = zygote
        self._pid = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._reader: asyncio.StreamReader
        self._status: asyncio.StreamReader

    @property
    def pid(self) -> int:
        """Its process id; 0 once it has ended."""
        return self._pid

    async def start(self, job: Job) -> Self:
        """Fork the child for `job`. Raises ConnectionError or IncompleteReadError where the zygote is gone."""
        channel, channel_theirs = socket.socketpair()
        status, status_theirs = socket.socketpair()
        try:
            with channel_theirs, status_theirs:
                self._reader, writer = await asyncio.open_connection(sock=channel)
                self._status, status_writer = await asyncio.open_connection(sock=status)
                self._writers = [writer, status_writer]
                self._zygote.send_sockets(channel_theirs, status_theirs)
            (self._pid,) = WORD.unpack(await self._status.readexactly(WORD.size))
            self.send(job)
        except BaseException:
            self.close()
            raise
        return self

    def send(self, request: object) -> None:
        """Send the job, and later the requests of a warm one."""
        data = pickle.dumps(request)
        self._writers[0].write(WORD.pack(len(data)) + data)

    async def receive(self) -> tuple[str, Any]:
        """Return ("item", result), or ("end", None) after the last one.

        Raises:
            AppError: As the function raised it.
            ChildFailed: The child gave no result.
        """
        try:
            self._writers[0].write(b"+")
            (size,) = WORD.unpack(await self._reader.readexactly(WORD.size))
            if not 0 <= size <= MAX_ITEM_BYTES:
                raise ChildFailed("memory")
            data = await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ChildFailed(await self._cause_of_death()) from error
        try:
            kind, value = _Unpickler(io.BytesIO(data)).load()
        except _BAD_PICKLE as error:
            raise ChildFailed("error") from error
        if kind != "item":
            self._pid = 0
        if kind == "error" and isinstance(value, AppError):
            raise value
        if kind not in ("item", "end"):
            logger.info("work in a child failed: %s", value)
            raise ChildFailed("memory" if value == "MemoryError" else "error")
        return kind, value

    def close(self) -> None:
        """Kill the process if it still runs, and drop what it has sent."""
        if self._pid:
            self._zygote.kill(self._pid)
            self._pid = 0
        for writer in self._writers:
            writer.transport.abort()

    async def _cause_of_death(self) -> Cause:
        try:
            async with asyncio.timeout(5):
                (status,) = WORD.unpack(await self._status.readexactly(WORD.size))
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            return "death"
        self._pid = 0
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        logger.info("a child died: signal %d, exit code %d", number, os.waitstatus_to_exitcode(status))
        if number in _OUT_OF_TIME:
            return "time"
        return "memory" if number in _OUT_OF_MEMORY else "death"


class _Unpickler(pickle.Unpickler):
    """Takes only built-in values, our page types and our errors: a hostile file may have taken over the child."""

    def find_class(self, module: str, name: str) -> Any:
        if module not in _TRUSTED_MODULES or "." in name:
            raise pickle.UnpicklingError(f"{module}.{name} may not come from a child")
        return super().find_class(module, name)
