"""How long a child works: what it computes and what it sleeps counts, what it waits for a processor or a disk does not.

So a limit of time fails no file because the machine is busy, and still ends a child that hangs.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")

_TICK = 0.25
_SHORT = 0.01
"""Seconds that count as they pass: most results come sooner, and the clock is not asked."""
_WAITING = "RD"
"""States of threads that run or wait for their turn, and that wait for a disk (proc(5))."""


class WorkClock:
    """The time of one process since it was last asked; where the system does not tell, all time counts."""

    def __init__(self, pid: int) -> None:
        """Begin to count for the process `pid`."""
        self._folder = Path("/proc") / str(pid)
        self._seen = time.monotonic()
        self._used = self._cpu() or 0.0

    def spent(self) -> float:
        """Return the seconds that count since the last call."""
        now, used = time.monotonic(), self._cpu()
        passed, self._seen = now - self._seen, now
        if used is None:
            return passed
        computed, self._used = used - self._used, used
        return min(passed, computed) if self._is_waiting() else passed

    def _cpu(self) -> float | None:
        fields = _stat(self._folder / "stat")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else None

    def _is_waiting(self) -> bool:
        try:
            threads = list((self._folder / "task").iterdir())
        except OSError:
            return False
        return any(fields[0] in _WAITING for thread in threads if (fields := _stat(thread / "stat")))


def _stat(path: Path) -> list[str]:
    """Return the fields from the state on: those before hold a name with anything in it."""
    try:
        return path.read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return []


async def within(seconds: float, pid: int, work: Coroutine[Any, Any, Result]) -> tuple[Result, float]:
    """Return what `work`, which waits for the process `pid`, returns, and the working time that is left.

    Raises:
        TimeoutError: The process worked for `seconds`.
    """
    task, began = asyncio.ensure_future(work), time.monotonic()
    try:
        await asyncio.wait({task}, timeout=_SHORT)
        if task.done():
            return task.result(), seconds - (time.monotonic() - began)
        clock = await asyncio.to_thread(WorkClock, pid)
        while seconds > 0:
            await asyncio.wait({task}, timeout=min(_TICK, seconds))
            seconds -= await asyncio.to_thread(clock.spent)
            if task.done():
                return task.result(), seconds
        raise TimeoutError
    finally:
        task.cancel()
