"""Runs one function per killable child process, with limits on memory, time, files and output.

Small hostile files hang PyMuPDF with the GIL held, or abort the process in a parser written in Rust or C; only a kill
from outside helps. Children are forked from `workers/zygote.py`, which has the readers loaded, so a job costs
milliseconds.
"""

from __future__ import annotations

import asyncio
import io
import logging
import math
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from domain.errors import AppError, FileCorrupt, FileTooLarge, ReadingTimedOut
from settings import Settings
from workers.zygote import WORD, Job

logger = logging.getLogger(__name__)

MAX_ITEM_BYTES = 160 * 1024 * 1024
"""Largest single item that a child may send."""
PATIENCE = 2.0

_OUT_OF_TIME = {signal.SIGXCPU, signal.SIGALRM, signal.SIGPROF}
_OUT_OF_MEMORY = {signal.SIGKILL, signal.SIGABRT, signal.SIGXFSZ}
_BAD_PICKLE = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
)
_TRUSTED_MODULES = {"readers.interface", "domain.errors", "domain.words"}


class Sandbox:
    """Children with limits. `settings.reader_workers` of them work at the same time; the others wait their turn.

    As many again may work aside: those that give nothing for `PATIENCE` seconds, so that files which hang their readers
    keep nobody waiting for longer.

    A child whose consumer is busy is paused after one item of work ahead and does not count as working, so slow
    consumers keep nobody waiting and readings may be nested.
    """

    def __init__(self, settings: Settings) -> None:
        """Keep the limits; nothing starts before `open` or the first job."""
        self._seconds = settings.reader_seconds
        self._memory = settings.reader_memory
        self._slots = asyncio.Semaphore(settings.reader_workers)
        self._aside = asyncio.Semaphore(settings.reader_workers)
        self._zygote: _Zygote | None = None
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def open(self) -> None:
        """Start loading the readers in the background; jobs may be given at once."""
        await self._ready()

    async def aclose(self) -> None:
        """End all children."""
        if self._zygote is not None:
            zygote, self._zygote = self._zygote, None
            await asyncio.to_thread(zygote.close)

    async def run(
        self,
        function: Callable[..., Any],
        *args: object,
        name: str,
        seconds: float | None = None,
        memory: int | None = None,
    ) -> Any:
        """Return `function(*args)`, run in a child of its own.

        Args:
            function: importable by name; returns built-in values or types of `readers/interface.py`.
            args: picklable.
            name: the file's name, for error texts.
            seconds: working time allowed; `settings.reader_seconds` unless given.
            memory: bytes of address space allowed; `settings.reader_memory` unless given.

        Raises:
            FileTooLarge: out of memory.
            FileCorrupt: the function failed or its process crashed.
            ReadingTimedOut: out of time.
            AppError: as the function raised it.
        """
        job = self._job(function, args, seconds, memory)
        async with aclosing(self._items(job, name, seconds)) as items:
            return await anext(items)

    async def stream(
        self,
        function: Callable[..., Any],
        *args: object,
        name: str,
        seconds: float | None = None,
        memory: int | None = None,
        item_seconds: float | None = None,
    ) -> AsyncGenerator[Any, None]:
        """Yield the items of the generator `function(*args)` one by one; closing the iterator kills the child.

        Arguments and errors are those of `run`; `seconds` counts only time spent waiting for the child. A child that
        computes for `item_seconds` without giving an item is out of time too: a file that hangs its reader on one page
        keeps others waiting no longer than that.
        """
        job = replace(self._job(function, args, seconds, memory), stream=True)
        if item_seconds is not None:
            job = replace(job, item_seconds=item_seconds)
        async with aclosing(self._items(job, name, seconds)) as items:
            async for item in items:
                yield item

    def _job(
        self, function: Callable[..., Any], args: tuple[object, ...], seconds: float | None, memory: int | None
    ) -> Job:
        allowed = math.ceil(seconds or self._seconds)
        return Job(function, args, False, memory or self._memory, allowed, allowed)

    async def _items(self, job: Job, name: str, seconds: float | None) -> AsyncGenerator[Any, None]:
        allowed = seconds or self._seconds
        child: _Child | None = None
        try:
            while True:
                async with AsyncExitStack() as place:
                    await place.enter_async_context(self._slots)
                    if child is None:
                        child = await self._start(job, name, allowed)
                    kind, value = await self._next(child, place)
                if kind == "end":
                    return
                yield value
        finally:
            if child is not None:
                child.close()

    async def _next(self, child: _Child, place: AsyncExitStack) -> tuple[str, Any]:
        """Return what the child gives next; when that takes long it goes aside, where there is room, for others."""
        receiving = asyncio.ensure_future(child.receive())
        try:
            await asyncio.wait({receiving}, timeout=PATIENCE)
            if not receiving.done() and not self._aside.locked():
                async with self._aside:
                    await place.aclose()
                    return await receiving
            return await receiving
        finally:
            receiving.cancel()

    async def _start(self, job: Job, name: str, seconds: float) -> _Child:
        child = _Child(name, seconds)
        for attempt in (1, 2):
            zygote = await self._ready()
            try:
                await child.start(zygote, job)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                if attempt == 2:
                    raise FileCorrupt(name=name) from error
                logger.warning("the reading process ended and is started anew")
                if self._zygote is zygote:
                    await self.aclose()
            else:
                return child
        raise AssertionError

    async def _ready(self) -> _Zygote:
        async with self._starting:
            if self._zygote is None:
                self._zygote = await asyncio.to_thread(_Zygote)
            return self._zygote


class _Zygote:
    """The process that children are forked from, and the socket that commands it."""

    def __init__(self) -> None:
        root = Path(__file__).resolve().parent.parent
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workers.zygote", str(theirs.fileno())],
                cwd=root,
                env=_clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,  # away from Ctrl-C, but in our session: Linux weighs priorities within one alone
            )
        self._control = ours

    def fork(self, channel: socket.socket, status: socket.socket) -> None:
        socket.send_fds(self._control, [WORD.pack(0)], [channel.fileno(), status.fileno()])

    def kill(self, pid: int) -> None:
        try:
            self._control.send(WORD.pack(pid))
        except OSError:
            return

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _clean_environment() -> dict[str, str]:
    """What a child may know of the server's environment: nothing."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC", "TMPDIR": tempfile.gettempdir(), **threads}


class _Child:
    """One job: its channel, its status, and how long it may still work."""

    def __init__(self, name: str, seconds: float) -> None:
        self._name = name
        self._left = seconds
        self._zygote: _Zygote | None = None
        self._pid = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self, zygote: _Zygote, job: Job) -> None:
        self.close()
        channel, channel_theirs = socket.socketpair()
        status, status_theirs = socket.socketpair()
        with channel_theirs, status_theirs:
            self._reader, self._writer = await asyncio.open_connection(sock=channel)
            self._status, status_writer = await asyncio.open_connection(sock=status)
            self._writers = [self._writer, status_writer]
            zygote.fork(channel_theirs, status_theirs)
        (self._pid,) = WORD.unpack(await self._status.readexactly(WORD.size))
        self._zygote = zygote
        data = pickle.dumps(job)
        self._writer.write(WORD.pack(len(data)) + data)

    async def receive(self) -> tuple[str, Any]:
        """Return ("item", value) or ("end", None). Raises what ended the child otherwise."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(self._left):
                kind, value = await self._next_frame()
        except TimeoutError as error:
            raise ReadingTimedOut(name=self._name) from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise await self._cause_of_death() from error
        self._left -= clock() - began
        if kind == "error" and isinstance(value, AppError):
            raise value
        if kind == "failure":
            raise self._failure(str(value))
        return kind, value

    async def _next_frame(self) -> tuple[str, Any]:
        self._writer.write(b"+")
        (size,) = WORD.unpack(await self._reader.readexactly(WORD.size))
        if not 0 <= size <= MAX_ITEM_BYTES:
            raise FileTooLarge(name=self._name, limit=f"> {MAX_ITEM_BYTES >> 20} MiB")
        data = await self._reader.readexactly(size)
        try:
            kind, value = _Unpickler(io.BytesIO(data)).load()
        except _BAD_PICKLE as error:
            raise FileCorrupt(name=self._name) from error
        if kind != "item":
            self._pid = 0
        return kind, value

    def _failure(self, what: str) -> AppError:
        logger.info("reading failed: %s", what)
        if what == "MemoryError":
            return FileTooLarge(name=self._name, limit="RAM")
        return FileCorrupt(name=self._name)

    async def _cause_of_death(self) -> AppError:
        try:
            async with asyncio.timeout(5):
                (status,) = WORD.unpack(await self._status.readexactly(WORD.size))
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            return FileCorrupt(name=self._name)
        self._pid = 0
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        logger.info("a reading process died: signal %d, exit code %d", number, os.waitstatus_to_exitcode(status))
        if number in _OUT_OF_TIME:
            return ReadingTimedOut(name=self._name)
        if number in _OUT_OF_MEMORY:
            return FileTooLarge(name=self._name, limit="RAM")
        return FileCorrupt(name=self._name)

    def close(self) -> None:
        """Kill the process if it still runs, and drop what it has sent."""
        if self._zygote is not None and self._pid:
            self._zygote.kill(self._pid)
            self._pid = 0
        for writer in self._writers:
            writer.transport.abort()


class _Unpickler(pickle.Unpickler):
    """Takes only built-in values, our page types and our errors: a hostile file may have taken over the child."""

    def find_class(self, module: str, name: str) -> Any:
        if module not in _TRUSTED_MODULES or "." in name:
            raise pickle.UnpicklingError(f"{module}.{name} may not come from a child")
        return super().find_class(module, name)
