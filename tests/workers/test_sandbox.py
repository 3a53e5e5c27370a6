"""The sandbox: results, limits, deaths, backpressure, and a parent that stays well."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from domain.errors import FileCorrupt, FileEncrypted, FileTooLarge, ReadingTimedOut
from readers.interface import Page
from tests.readers.conftest import reader_settings
from tests.workers import jobs
from workers.sandbox import PATIENCE, Sandbox

MiB = 1024 * 1024


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "State:\tZ" not in status


async def gone(pid: int, seconds: float = 5) -> bool:
    for _ in range(int(seconds * 50)):
        if not alive(pid):
            return True
        await asyncio.sleep(0.02)
    return False


def resident() -> int:
    return int(next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line).split()[1])


async def test_runs_a_function_in_another_process(sandbox: Sandbox) -> None:
    assert await sandbox.run(jobs.add, 2, 3, name="a") == 5
    assert await sandbox.run(jobs.process, name="a") != os.getpid()


async def test_a_warm_job_costs_a_fraction_of_the_first() -> None:
    async with Sandbox(reader_settings()) as own:
        began = time.perf_counter()
        await own.run(jobs.add, 1, 1, name="a")
        first = time.perf_counter()
        for _ in range(5):
            await own.run(jobs.add, 1, 1, name="a")
        assert (time.perf_counter() - first) / 5 < (first - began) / 2


async def test_own_errors_cross_the_border(sandbox: Sandbox) -> None:
    with pytest.raises(FileEncrypted) as caught:
        await sandbox.run(jobs.refuse, "合同.pdf", name="x")
    assert caught.value.details == {"name": "合同.pdf"}


async def test_any_other_error_is_a_damaged_file_and_quotes_nothing(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"), pytest.raises(FileCorrupt) as caught:
        await sandbox.run(jobs.break_down, name="x")
    assert "secret" not in str(caught.value) + caplog.text


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [
        (jobs.hold_memory, (900 * MiB,), FileTooLarge),
        (jobs.recurse, (), FileCorrupt),
        (jobs.abort, (), FileTooLarge),
        (jobs.die, (signal.SIGSEGV,), FileCorrupt),
        (jobs.die, (signal.SIGKILL,), FileTooLarge),
        (jobs.sneak, (), FileCorrupt),
        (jobs.huge, (), FileTooLarge),
    ],
)
async def test_ends_of_a_child(
    sandbox: Sandbox, function: Callable[..., object], args: tuple[int, ...], expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        await sandbox.run(function, *args, name="x", memory=700 * MiB)
    assert await sandbox.run(jobs.add, 1, 1, name="y") == 2


@pytest.mark.parametrize("function", [jobs.hang, jobs.spin])
async def test_a_hanging_child_is_killed_in_time_while_the_loop_runs_on(
    sandbox: Sandbox, function: Callable[..., object]
) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticker = asyncio.create_task(tick())
    began = time.perf_counter()
    with pytest.raises(ReadingTimedOut):
        await sandbox.run(function, name="x", seconds=1)
    took = time.perf_counter() - began
    ticker.cancel()
    assert 0.9 < took < 20
    assert ticks > 10


async def test_the_file_limit_ends_a_child(sandbox: Sandbox) -> None:
    assert await sandbox.run(jobs.write_to_memory, 100 * MiB, name="x") == 100 * MiB
    with pytest.raises((FileTooLarge, FileCorrupt)):
        await sandbox.run(jobs.write_to_memory, 400 * MiB, name="x")


async def test_children_see_no_secret_and_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_API_KEY", "sk-very-secret")
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    async with server, Sandbox(reader_settings()) as own:
        seen = await own.run(jobs.environment, name="x")
        assert "sk-very-secret" not in str(seen)
        assert set(seen) <= {"PATH", "LANG", "LC_CTYPE", "TZ", "TMPDIR", "OMP_NUM_THREADS"} | {
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
        }
        namespace = await own.run(jobs.network_namespace, name="x")
        if namespace == jobs.network_namespace():
            pytest.skip("this kernel gives no network namespaces to a user")
        assert not await own.run(jobs.connect, server.sockets[0].getsockname()[1], name="x")


async def test_items_come_one_by_one_and_the_parent_stays_flat(sandbox: Sandbox) -> None:
    before = resident()
    count = 0
    async for page in sandbox.stream(jobs.pages, 300, MiB, name="x"):
        assert isinstance(page, Page)
        assert len(page.markdown) == MiB
        count += 1
    assert count == 300
    assert resident() - before < 60_000


async def test_a_slow_consumer_pauses_the_child_and_keeps_nobody_waiting() -> None:
    async with Sandbox(reader_settings(reader_workers=1)) as own:
        async with aclosing(own.stream(jobs.stamps, 1000, name="x", seconds=5)) as items:
            await anext(items)
            assert await asyncio.wait_for(own.run(jobs.add, 1, 2, name="y"), 5) == 3
            await asyncio.sleep(0.3)
            asked = time.monotonic()
            ahead, later = await anext(items), await anext(items)
            assert ahead < asked <= later, "one item is made ahead, no more"


async def test_time_spent_by_the_consumer_does_not_count(sandbox: Sandbox) -> None:
    seen = 0
    async for _ in sandbox.stream(jobs.pages, 4, 10, name="x", seconds=1.5):
        seen += 1
        await asyncio.sleep(0.6)
    assert seen == 4


async def test_closing_the_iterator_kills_the_child(sandbox: Sandbox) -> None:
    async with aclosing(sandbox.stream(jobs.pages_then_hang, 3, name="x")) as items:
        pid = await anext(items)
        assert alive(pid)
    assert await gone(pid)


async def test_cancelling_a_run_kills_the_child(sandbox: Sandbox) -> None:
    stream = sandbox.stream(jobs.pages_then_hang, 0, name="x")
    pid = await anext(stream)
    task = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await gone(pid)


async def test_no_more_work_at_once_than_allowed() -> None:
    async with Sandbox(reader_settings(reader_workers=2)) as own:
        await own.run(jobs.add, 1, 1, name="x")
        began = time.perf_counter()
        await asyncio.gather(*(own.run(jobs.hang, 0.3, name="x") for _ in range(6)))
        assert time.perf_counter() - began > 0.85


async def test_those_that_hang_go_aside_for_the_others() -> None:
    async with Sandbox(reader_settings(reader_workers=1)) as own:
        await own.run(jobs.add, 1, 1, name="x")
        hanging = asyncio.create_task(own.run(jobs.hang, name="x"))
        await asyncio.sleep(0.1)
        assert await asyncio.wait_for(own.run(jobs.add, 1, 2, name="y"), PATIENCE + 20) == 3
        assert not hanging.done()
        hanging.cancel()


async def test_time_for_one_item_is_computing_time(sandbox: Sandbox) -> None:
    began = time.perf_counter()
    with pytest.raises(ReadingTimedOut):
        async for _ in sandbox.stream(jobs.items_then_spin, 2, name="x", item_seconds=0.4):
            began = time.perf_counter()
    assert time.perf_counter() - began < 20
    items = [item async for item in sandbox.stream(jobs.slow_items, 3, 0.3, name="x", item_seconds=0.2)]
    assert items == [0, 1, 2], "sleeping costs nothing"


async def test_closing_the_sandbox_ends_every_child() -> None:
    own = Sandbox(reader_settings())
    await own.open()
    stream = own.stream(jobs.pages_then_hang, 0, name="x")
    pid = await anext(stream)
    await own.aclose()
    assert await gone(pid)
    await stream.aclose()


async def test_a_dead_forking_process_is_started_anew() -> None:
    async with Sandbox(reader_settings()) as own:
        assert await own.run(jobs.add, 1, 1, name="x") == 2
        parent = await own.run(os.getppid, name="x")
        os.kill(parent, signal.SIGKILL)
        assert await gone(parent)
        assert await own.run(jobs.add, 2, 2, name="x") == 4


async def test_children_die_with_a_killed_server() -> None:
    script = (
        "import asyncio, sys\n"
        "from workers.sandbox import PATIENCE, Sandbox\n"
        "from settings import Settings\n"
        "from tests.workers import jobs\n"
        "async def main():\n"
        "    async with Sandbox(Settings(_env_file=None)) as own:\n"
        "        async for item in own.stream(jobs.pages_then_hang, 0, name='x'):\n"
        "            print(item, await own.run(__import__('os').getppid, name='x'), flush=True)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).resolve().parents[2]
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=root, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    child, zygote = map(int, (await asyncio.wait_for(server.stdout.readline(), 30)).split())
    assert alive(child)
    server.kill()
    await server.wait()
    assert await gone(child)
    assert await gone(zygote)
