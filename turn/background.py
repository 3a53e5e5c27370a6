"""Work that goes on after the answer: kept alive, logged when it fails, cancelled when the server stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable

from domain.errors import AppError

logger = logging.getLogger(__name__)


class Background:
    """A set of tasks that run after the answer."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def spawn(self, name: str, work: Coroutine[object, object, None]) -> bool:
        """Start `work` unless a task of that name is still running; return whether it was started."""
        if name in self._tasks:
            work.close()
            return False
        task = asyncio.get_running_loop().create_task(self._guard(name, work), name=name)
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name, None))
        return True

    async def _guard(self, name: str, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except (AppError, OSError, ValueError, RuntimeError) as exc:
            logger.warning("background task failed", extra={"task": name, "error": type(exc).__name__})

    async def wait(self, names: Iterable[str], seconds: float) -> None:
        """Wait until the tasks of these names are done, at the longest so long."""
        if tasks := [self._tasks[name] for name in names if name in self._tasks]:
            await asyncio.wait(tasks, timeout=seconds)

    async def cancel(self, *names: str) -> None:
        """Cancel the tasks of these names and wait for their end."""
        tasks = [self._tasks[name] for name in names if name in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settle(self) -> None:
        """Wait until all tasks that run now are done."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def aclose(self) -> None:
        """Cancel what still runs and wait for it."""
        for task in list(self._tasks.values()):
            task.cancel()
        await self.settle()
