"""Cancelling background tasks reliably."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

RETRY = 0.2


async def end_tasks(tasks: Iterable[asyncio.Task[None] | None]) -> None:
    """Cancel the tasks and wait for them.

    Cancels again when one goes on: `asyncio.wait_for`, which redis-py sends with, swallows a cancellation that arrives
    in the moment it completes (CPython before 3.12, issue 37658).
    """
    left = {task for task in tasks if task is not None}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=RETRY)
