"""Processes of the product without the seconds that their imports take: each is forked from one that has done them.

As `python -m tests.preloaded MODULE FD` this module is that process: nothing opened, no settings read.
What it forks runs the `main` of `server`, with a session, an environment and a log of its own, or of `workers.zygote`.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from readers.formats import MODULES

ROOT = Path(__file__).resolve().parents[1]
LOADED = {
    "server": ("server", "alembic.command", "chromadb.api.rust", "cn2an", "langchain_openai", "langserve"),
    "workers.zygote": ("workers.zygote", *MODULES),
}
"""What such a process has loaded when it is ready."""
WORD = struct.Struct("q")


class Process:
    """A server process, as `subprocess.Popen` shows one."""

    def __init__(self, status: socket.socket) -> None:
        self._status = status
        self.returncode: int | None = None
        (self.pid,) = WORD.unpack(status.recv(WORD.size))

    def poll(self) -> int | None:
        """Return its exit code, None while it runs; minus the signal that ended it."""
        return self._exit_code(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        if (code := self._exit_code(timeout)) is None:
            raise subprocess.TimeoutExpired("server", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal while it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it, as -9 does."""
        self.send_signal(signal.SIGKILL)

    def _exit_code(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self._status.settimeout(timeout)
            try:
                (status,) = WORD.unpack(self._status.recv(WORD.size))
            except (BlockingIOError, TimeoutError):
                return None
            self._status.close()
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def start_server(environment: Mapping[str, str], log: int) -> Process:
    """Start a server that writes to the file `log`."""
    return _start("server", log, dict(environment))


def start_zygote(modules: Sequence[str], control: int) -> Process:
    """Start the process that reads files, as `workers.process` does."""
    return _start("workers.zygote", control, list(modules))


def _start(module: str, fd: int, given: object) -> Process:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        socket.send_fds(_parent(module), [json.dumps(given).encode()], [fd, theirs.fileno()])
    return Process(ours)


@functools.cache
def _parent(module: str) -> socket.socket:
    """Start the process that has the imports, once in a process of tests; it ends with its socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    env = {"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC", "TMPDIR": tempfile.gettempdir()} | one
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.preloaded", module, str(theirs.fileno())], cwd=ROOT, env=env,
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, process_group=0,
        )  # fmt: skip
    atexit.register(process.wait)
    atexit.register(ours.close)  # called first
    return ours


def main(module: str, control: socket.socket) -> None:
    """Fork a process for each request, until the other side has gone.

    Threads do not live on in a fork. Nothing that a server loads starts one, but NumPy, which the environment forbids
    that; one of the readers' stays behind in any case, where workers are forked.
    """
    for name in LOADED[module]:
        importlib.import_module(name)
    gc.freeze()
    while True:
        request, fds, _, _ = socket.recv_fds(control, 65_536, 2)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not request:
            return
        if os.fork() == 0:
            control.close()
            _keep(fds[1], fds[0])
            return (_serve if module == "server" else _fork_workers)(fds[0], json.loads(request))
        for fd in fds:
            os.close(fd)


def _keep(status: int, fd: int) -> None:
    """Fork the process itself, tell its number, and how it ended."""
    pid = os.fork()
    if pid:
        os.close(fd)
        os.write(status, WORD.pack(pid))
        os.write(status, WORD.pack(os.waitpid(pid, 0)[1]))
        os._exit(0)
    os.close(status)


def _serve(log: int, environment: dict[str, str]) -> None:
    os.setsid()
    for ours in (1, 2):
        os.dup2(log, ours)
    os.close(log)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[1:1] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = ["server"]
    sys.modules["server"].main()


def _fork_workers(control: int, modules: list[str]) -> None:
    os.setpgid(0, 0)
    sys.modules["workers.zygote"].main(control, modules)
    os._exit(0)  # what ends with an interpreter waits for threads that the fork has not taken along


if __name__ == "__main__":
    main(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
