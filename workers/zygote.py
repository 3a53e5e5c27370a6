"""The process that children are forked from: modules loaded once, no secrets, no network, one thread.

Started by `workers/process.py` as `python -m workers.zygote <control fd> <module> ...` with a clean environment, so
that a job costs milliseconds. Python's own forkserver is not used because it inherits the server's environment and
imports the server's main module into every child.

On the control socket, 8 bytes each way: 0 with two descriptors starts a job (its channel, its status socket); a process
id kills that job with all that it started. The status socket gets the child's process id, then its wait status.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
from collections.abc import Sequence

from workers import child
from workers.child import WORD

_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000


def main(control_fd: int, modules: Sequence[str]) -> None:
    """Load `modules`, then fork children on request until the control socket closes."""
    control = socket.socket(fileno=control_fd)
    _load(modules)
    _leave_network()
    wake_read, wake_write = os.pipe()
    for end in (wake_read, wake_write):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    statuses: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not control:
                    os.read(wake_read, 4096)
                elif not _handle(control, statuses, (wake_read, wake_write)):
                    for pid in statuses:
                        _kill(pid)
                    return
            _reap(statuses)


def _load(modules: Sequence[str]) -> None:
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as error:
            print(f"{name} is not available: {error}", file=sys.stderr, flush=True)  # noqa: T201
    gc.collect()
    gc.freeze()


def _leave_network() -> None:
    """Move into an empty network namespace where the kernel allows it: no child has business on a network."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "unshare") and libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _handle(control: socket.socket, statuses: dict[int, int], private: tuple[int, int]) -> bool:
    """Act on one control message; False once the other side has gone."""
    try:
        message, fds, _, _ = socket.recv_fds(control, WORD.size, 2)
    except ConnectionError:
        return False
    if len(message) < WORD.size:
        return False
    (pid,) = WORD.unpack(message)
    if not pid:
        _fork(fds[0], fds[1], (control.fileno(), *private), statuses)
    elif pid in statuses:
        _kill(pid)
    return True


def _fork(channel: int, status: int, private: Sequence[int], statuses: dict[int, int]) -> None:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            for fd in (status, *private, *statuses.values()):
                os.close(fd)
            child.run(socket.socket(fileno=channel), parent)
            code = 0
        finally:
            os._exit(code)
    os.close(channel)
    statuses[pid] = status
    _report(status, pid)


def _kill(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:  # it has not made its group yet
        os.kill(pid, signal.SIGKILL)


def _reap(statuses: dict[int, int]) -> None:
    while statuses:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        if pid in statuses:
            fd = statuses.pop(pid)
            _report(fd, status)
            os.close(fd)


def _report(fd: int, number: int) -> None:
    try:
        os.write(fd, WORD.pack(number))
    except OSError:
        return


if __name__ == "__main__":
    from workers.zygote import main as run

    run(int(sys.argv[1]), sys.argv[2:])
