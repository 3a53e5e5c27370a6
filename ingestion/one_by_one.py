"""Work on contents behind the reading: queued, one after the other, each once at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class OneByOne:
    """A queue of contents for one kind of work.

    Args:
        name: Of the work, for its tasks.
        work: What is done for a content id; it deals with its own failures.
    """

    def __init__(self, name: str, work: Callable[[int], Awaitable[None]]) -> None:
        self._name, self._work = name, work
        self._turn = asyncio.Lock()
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def add(self, content_id: int) -> None:
        """Queue a content, unless it is queued already."""
        if content_id not in self._tasks:
            task = asyncio.create_task(self._in_turn(content_id), name=f"{self._name} {content_id}")
            self._tasks[content_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(content_id, None))

    async def wait(self, content_id: int) -> None:
        """Return when the work on a content that was added is done, or has failed."""
        if content_id in self._tasks:
            await asyncio.gather(self._tasks[content_id], return_exceptions=True)

    async def aclose(self) -> None:
        """Stop; what is left undone is another start's."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _in_turn(self, content_id: int) -> None:
        async with self._turn:
            await self._work(content_id)
