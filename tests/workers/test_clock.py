"""A limit of time counts what a child computes and sleeps, not what it waits for a processor."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from domain.errors import ReadingTimedOut
from readers.formats import MODULES
from tests.readers.conftest import reader_settings
from tests.workers import jobs
from workers.clock import WorkClock
from workers.sandbox import Sandbox

CORE = min(os.sched_getaffinity(0))


@contextmanager
def process(code: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", f"import os, time; os.sched_setaffinity(0, {{{CORE}}}); {code}"]
    ) as one:
        try:
            yield one
        finally:
            one.kill()


async def counted(code: str) -> tuple[float, float]:
    """Return the seconds that count of a process, and those that passed."""
    with process(code) as one:
        await asyncio.sleep(0.3)
        clock, began = await asyncio.to_thread(WorkClock, one.pid), time.monotonic()
        spent = 0.0
        for _ in range(5):
            await asyncio.sleep(0.2)
            spent += await asyncio.to_thread(clock.spent)
        return spent, time.monotonic() - began


async def test_sleeping_counts() -> None:
    spent, passed = await counted("time.sleep(60)")
    assert spent == pytest.approx(passed, abs=0.1)


async def test_waiting_for_a_processor_does_not_count() -> None:
    with process("\nwhile True: pass"), process("\nwhile True: pass"):
        spent, passed = await counted("os.nice(15)\nwhile True: pass")
    assert spent < passed / 3


def test_a_process_that_ended_counts_as_time_passes() -> None:
    clock = WorkClock(2**22 - 1)
    time.sleep(0.05)
    assert clock.spent() >= 0.05


async def test_a_busy_machine_fails_no_file() -> None:
    async with Sandbox(reader_settings(reader_seconds=1), MODULES) as own:
        await own.run(jobs.add, 1, 1, name="a")
        with process("\nwhile True: pass"), process("\nwhile True: pass"):
            began = time.monotonic()
            assert await own.run(jobs.compute, 0.05, CORE, name="a") is None
            assert time.monotonic() - began > 0.5
        with pytest.raises(ReadingTimedOut):
            await own.run(jobs.hang, name="a")
