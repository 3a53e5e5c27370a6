"""What somebody tries who has taken a reading process over: each attempt returns whether it got what it wanted."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path


def attack(file: Path, server: int, data_dir: str, socket_path: str) -> dict[str, bool]:
    """Try everything; `file` is what the reader was given."""
    attempts: dict[str, Callable[[], object]] = {
        "own file": lambda: file.read_bytes(),
        "environment of the server": lambda: Path(f"/proc/{server}/environ").read_bytes(),
        "memory of the server": lambda: Path(f"/proc/{server}/mem").open("rb").close(),
        "environment of the parent": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
        "command lines": lambda: Path(f"/proc/{server}/cmdline").read_bytes(),
        "list of the data": lambda: os.listdir(data_dir),
        "other file": lambda: (Path(data_dir) / "other").read_bytes(),
        "settings": lambda: Path(".env").read_bytes(),
        "passwords": lambda: Path("/etc/passwd").read_bytes(),
        "home": lambda: os.listdir("/root"),
        "write beside": lambda: (Path(data_dir) / "mine").write_bytes(b"x"),
        "write code": lambda: Path("workers/evil.py").write_bytes(b"x"),
        "write own file": lambda: file.write_bytes(b"x"),
        "write temporary": lambda: Path("/tmp/llmchat-attack").write_bytes(b"x"),
        "unix socket": lambda: socket.socket(socket.AF_UNIX).connect(socket_path),
        "internet socket": lambda: socket.socket().close(),
        "fork": _fork,
        "program": lambda: subprocess.run(["/bin/true"], check=True),
        "session": os.setsid,
        "group": lambda: os.setpgid(0, os.getppid()),
        "signal to the server": lambda: os.kill(server, 0),
        "signal to the parent": lambda: os.kill(os.getppid(), 0),
        "signal to the group": lambda: os.killpg(os.getpgid(os.getppid()), 0),
        "trace": lambda: _call(101, 16, server, 0, 0),
        "read of memory": lambda: _read_memory(server),
        "handle of the server": lambda: os.pidfd_open(server),
        "io_uring": lambda: _call(425, 1, ctypes.create_string_buffer(120)),
        "namespace": lambda: _call(272, 0x10000000),
        "mount": lambda: _call(165, b"none", b"/mnt", b"tmpfs", 0, None),
        "become another": lambda: os.setuid(12345),
        "own root": lambda: os.chroot("/"),
    }
    return {name: _works(attempt) for name, attempt in attempts.items()}


def threads() -> int:
    """Return the sum that four threads made: those are allowed."""
    import concurrent.futures

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return sum(pool.map(abs, range(4)))


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _call(number: int, *arguments: object) -> None:
    if ctypes.CDLL(None, use_errno=True).syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _fork() -> None:
    if (pid := os.fork()) == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)


def _read_memory(pid: int) -> None:
    class Span(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    buffer = ctypes.create_string_buffer(8)
    here, there = Span(ctypes.addressof(buffer), 8), Span(ctypes.addressof(buffer), 8)
    _call(310, pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
