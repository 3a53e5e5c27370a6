"""A reading process that was taken over reaches its own file and nothing else of the machine."""

from __future__ import annotations

import json
import logging
import os
import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.readers.conftest import reader_settings
from tests.workers import attacker, jobs
from workers import process
from workers.child import Limits
from workers.confinement import missing, system_paths
from workers.sandbox import Sandbox
from workers.warm import WarmWorker

confined = pytest.mark.skipif(
    bool(missing()) or platform.machine() != "x86_64", reason="this kernel lacks Landlock or seccomp"
)


@confined
async def test_an_attacker_inside_a_reader_reaches_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("own", "other"):
        (tmp_path / name).write_bytes(b"words")
    Path("/tmp/llmchat-attack").unlink(missing_ok=True)
    path = tmp_path / "redis.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        outside = attacker.attack.__name__
        reached = await sandbox.run(
            attacker.attack, tmp_path / "own", os.getpid(), str(tmp_path), str(path), name=outside
        )
    assert {name for name, works in reached.items() if works} == {"own file"}
    assert len(reached) > 25 and (tmp_path / "own").read_bytes() == b"words"


@confined
async def test_threads_are_allowed_and_what_may_be_written_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    assert await sandbox.run(attacker.threads, name="x") == 6
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
    worker = WarmWorker(
        sandbox.zygote, "writer", jobs.write_what_is_asked, start_seconds=30, most_requests=10,
        limits=Limits(writable=(tmp_path / "inside",)),
    )  # fmt: skip
    assert await worker.ask(str(tmp_path / "inside" / "a"), 5) and (tmp_path / "inside" / "a").read_text() == "x"
    assert not await worker.ask(str(tmp_path / "outside" / "a"), 5)
    worker.close()


def test_neither_settings_nor_data_are_among_what_everyone_may_read() -> None:
    root = Path(process.__file__).resolve().parent.parent
    readable = [Path(path) for path in system_paths()]
    for secret in (root / ".env", root / ".data", Path("/etc/shadow"), Path.home() / ".ssh"):
        assert not any(secret == path or path in secret.parents for path in readable), secret


def test_the_memory_of_the_server_is_hidden_from_others_of_its_user() -> None:
    code = (
        "import ctypes; from workers.confinement import hide_memory; hide_memory(); print(ctypes.CDLL(None).prctl(3))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0\n"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_where_there_is_neither_the_other_walls_stand() -> None:
    code = (
        "import ctypes, json, resource, workers.confinement as it\n"
        "it._landlock, it._seccomp = lambda: 0, lambda: False\n"
        "assert it.missing() == ['Landlock', 'seccomp']\n"
        "it.confine([], [], threads=False)\n"
        "rights = next(line for line in open('/proc/self/status') if line.startswith('CapEff'))\n"
        "prctl = ctypes.CDLL(None).prctl\n"
        "walls = int(rights.split()[1], 16), prctl(39, 0, 0, 0, 0), prctl(3, 0, 0, 0, 0)\n"
        "print(json.dumps([*walls, *resource.getrlimit(resource.RLIMIT_NPROC)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [0, 1, 0, 0, 0]  # capabilities, no new privileges, dumpable, processes


async def test_a_kernel_without_these_is_told_of_once_and_files_are_read(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(process, "missing", lambda: ["Landlock"])
    with caplog.at_level(logging.WARNING):
        async with Sandbox(reader_settings()) as own:
            assert await own.run(jobs.add, 1, 2, name="x") == 3
            await own.zygote.aclose()
            assert await own.run(jobs.add, 1, 2, name="x") == 3
    assert len([record for record in caplog.records if "no Landlock here" in record.message]) == 1
