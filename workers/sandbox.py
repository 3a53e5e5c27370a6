"""Runs functions in killable child processes, with limits on memory, time, files, processes and output.

Small hostile files hang PyMuPDF with the GIL held, or abort the process in a parser written in Rust or C; only a kill
from outside helps. Children are forked from `workers/zygote.py`, which has their modules loaded.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any, Self

from domain.errors import AppError, FileCorrupt, FileTooLarge, ReadingTimedOut
from domain.words import Words
from settings import Settings
from workers.child import Job, Limits
from workers.clock import within
from workers.process import Cause, Child, ChildFailed, Zygote

PATIENCE = 2.0


class Sandbox:
    """Children with limits. `settings.reader_workers` of them work at the same time; the others wait their turn.

    A child that gives nothing for `PATIENCE` seconds leaves its slot; as many again may work outside the slots, so that
    files which hang their readers do not block others for longer.

    A child whose consumer is busy is paused after one item of work ahead and does not count as working, so slow
    consumers block no one and readings may be nested.
    """

    def __init__(self, settings: Settings, modules: Sequence[str] = ()) -> None:
        """Keep the limits, and the `modules` that children find loaded; nothing starts before `open` or a job."""
        self._seconds = settings.reader_seconds
        self._memory = settings.reader_memory
        self._slots = asyncio.Semaphore(settings.reader_workers)
        self._aside = asyncio.Semaphore(settings.reader_workers)
        self.zygote = Zygote(modules)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def open(self) -> None:
        """Start loading the modules in the background; jobs may be given at once."""
        await self.zygote.start()

    async def aclose(self) -> None:
        """End all children."""
        await self.zygote.aclose()

    async def run(
        self,
        function: Callable[..., Any],
        *args: object,
        name: str,
        seconds: float | None = None,
        memory: int | None = None,
        writable: Sequence[Path] = (),
    ) -> Any:
        """Run `function(*args)` in a child and return its result.

        Args:
            function: importable by name; returns built-in values or types of `readers/interface.py`.
            args: picklable; files and folders that are a `Path` among them may be read, no others. In place of a
                `SealedFile` the function gets a path under which it is read in the clear.
            name: the file's name, for error texts.
            seconds: working time allowed; `settings.reader_seconds` unless given.
            memory: bytes of address space allowed; `settings.reader_memory` unless given.
            writable: folders that it may change.

        Raises:
            FileTooLarge: out of memory.
            FileCorrupt: the function failed or its process crashed.
            ReadingTimedOut: out of time.
            AppError: as the function raised it.
        """
        items = self.stream(function, *args, name=name, seconds=seconds, memory=memory, writable=writable)
        async with aclosing(items):
            return await anext(items)

    async def stream(
        self,
        function: Callable[..., Any],
        *args: object,
        name: str,
        seconds: float | None = None,
        memory: int | None = None,
        item_seconds: float | None = None,
        writable: Sequence[Path] = (),
    ) -> AsyncGenerator[Any, None]:
        """Yield the items of the generator `function(*args)` one by one; closing the iterator kills the child.

        Arguments and errors are those of `run`; `seconds` counts while the child is waited for and works or sleeps, not
        while it waits for a processor. A child that computes for `item_seconds` without giving an item is out of time
        too: a file that hangs its reader on one page keeps others waiting no longer than that.
        """
        left = seconds or self._seconds
        paths = tuple(arg for arg in args if isinstance(arg, Path))
        limits = Limits(
            memory or self._memory, math.ceil(left), item_seconds or math.ceil(left), readable=paths,
            writable=tuple(writable),
        )  # fmt: skip
        job = Job("reader", function, args, limits)
        child: Child | None = None
        try:
            while True:
                async with AsyncExitStack() as place:
                    await place.enter_async_context(self._slots)
                    child = child or await self.zygote.fork(job)
                    (kind, value), left = await within(left, child.pid, self._next(child, place))
                if kind == "end":
                    return
                yield value
        except TimeoutError as error:
            raise _file_error("time", name) from error
        except ChildFailed as error:
            raise _file_error(error.cause, name) from error
        finally:
            if child is not None:
                child.close()

    async def _next(self, child: Child, place: AsyncExitStack) -> tuple[str, Any]:
        """Return the child's next message; free its slot for others when that takes long and there is room outside."""
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


def _file_error(cause: Cause, name: str) -> AppError:
    if cause == "time":
        return ReadingTimedOut(name=name)
    return (
        FileTooLarge(name=name, limit=Words("it needs too much memory", "占用内存过多"))
        if cause == "memory"
        else FileCorrupt(name=name)
    )
