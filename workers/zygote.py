"""The process that reading children are forked from: readers loaded once, no secrets, one thread.

Started by `workers/sandbox.py` as `python -m workers.zygote <control fd>` with a clean environment. Each job is a fork
that limits itself, runs one function, and ends. Python's own forkserver is not used because it inherits the server's
environment and imports the server's main module into every child.

On the control socket, 8 bytes each way round: 0 with two descriptors starts a job (its channel, its status socket); a
process id kills that job. The status socket gets the child's process id, then its wait status.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import pickle
import resource
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from domain.errors import AppError

PRELOAD = (
    "readers.pdf.reader",
    "readers.office.docx",
    "readers.office.pptx",
    "readers.office.sheets",
    "readers.text.html",
    "readers.text.epub",
    "readers.text.eml",
    "readers.office.rtf",
    "readers.office.odt",
    "readers.office.doc",
    "readers.text.csv",
    "readers.text.json",
    "readers.text.code",
    "readers.text.markdown",
    "readers.text.plain",
    "readers.picture.reader",
    "readers.reader",
)
WORD = struct.Struct("<q")
_PR_SET_PDEATHSIG = 1
_CLONE_NEWNET = 0x40000000
_CLONE_NEWUSER = 0x10000000
_NICE = 10
"""Reading is background work: turns of others come first."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a child is to do.

    `memory` is address space in bytes, `seconds` the CPU time of all, `item_seconds` that of one item, `file_bytes` the
    largest file. CPU time, so that a busy machine fails no sound file.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    stream: bool
    memory: int
    seconds: int
    item_seconds: float
    file_bytes: int = 256 * 1024 * 1024
    files: int = 256


def main(control_fd: int) -> None:
    """Load the readers, then fork children on request until the control socket closes."""
    control = socket.socket(fileno=control_fd)
    _preload()
    _leave_network()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    statuses: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is control:
                    if not _serve(control, statuses, (wake_read, wake_write)):
                        return _kill_all(statuses)
                else:
                    os.read(wake_read, 4096)
            _reap(statuses)


def _preload() -> None:
    for name in PRELOAD:
        try:
            importlib.import_module(name)
        except ImportError as error:
            print(f"reader {name} is not available: {error}", file=sys.stderr, flush=True)  # noqa: T201
    gc.collect()
    gc.freeze()


def _leave_network() -> None:
    """Move into an empty network namespace where the kernel allows it: no reader has business on a network."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "unshare") and libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _serve(control: socket.socket, statuses: dict[int, int], private: tuple[int, int]) -> bool:
    """Act on one control message; False once the other side has gone."""
    try:
        message, fds, _, _ = socket.recv_fds(control, WORD.size, 2)
    except ConnectionError:
        return False
    if len(message) < WORD.size:
        return False
    (pid,) = WORD.unpack(message)
    if pid:
        if pid in statuses:
            os.kill(pid, signal.SIGKILL)
        return True
    _fork(fds[0], fds[1], control, statuses, private)
    return True


def _fork(
    channel: int, status: int, control: socket.socket, statuses: dict[int, int], private: tuple[int, int]
) -> None:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            control.close()
            for fd in (status, *private, *statuses.values()):
                os.close(fd)
            _die_with(parent)
            _child(socket.socket(fileno=channel))
            code = 0
        finally:
            os._exit(code)
    os.close(channel)
    statuses[pid] = status
    _tell(status, pid)


def _reap(statuses: dict[int, int]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in statuses:
            fd = statuses.pop(pid)
            _tell(fd, status)
            os.close(fd)


def _tell(fd: int, number: int) -> None:
    try:
        os.write(fd, WORD.pack(number))
    except OSError:
        return


def _kill_all(statuses: dict[int, int]) -> None:
    for pid in statuses:
        os.kill(pid, signal.SIGKILL)


def _die_with(parent: int) -> None:
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _child(channel: socket.socket) -> None:
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    job: Job = pickle.loads(_receive(channel))
    _limit(job)
    signal.setitimer(signal.ITIMER_PROF, job.item_seconds)
    for kind, value in _results(job):
        if _receive_credit(channel):
            _send(channel, _pack(kind, value))
        signal.setitimer(signal.ITIMER_PROF, job.item_seconds)


def _pack(kind: str, value: object) -> bytes:
    try:
        return pickle.dumps((kind, value), protocol=pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        return pickle.dumps(("failure", "MemoryError"))


def _limit(job: Job) -> None:
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (job.memory, job.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (job.seconds, job.seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (job.file_bytes, job.file_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (job.files, job.files))


def _results(job: Job) -> Iterator[tuple[str, object]]:
    """Yield what the parent is told: ("item", value) each, then ("end", None), or ("error" | "failure", what)."""
    try:
        result = job.function(*job.args)
        if job.stream:
            for item in result:
                yield "item", item
        else:
            yield "item", result
        yield "end", None
    except AppError as error:
        yield "error", error
    except MemoryError:
        yield "failure", "MemoryError"
    except BaseException as error:  # noqa: BLE001 - parsers raise anything on hostile files, Rust panics included
        yield "failure", type(error).__name__ + ": " + _place(error)


def _place(error: BaseException) -> str:
    """Where `error` was raised, without its message, which may quote the document."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"


def _receive(channel: socket.socket) -> bytes:
    (size,) = WORD.unpack(_exactly(channel, WORD.size))
    return _exactly(channel, size)


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        part = channel.recv(min(size, 1 << 20))
        if not part:
            os._exit(0)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _receive_credit(channel: socket.socket) -> bool:
    """Wait until the parent wants the next item."""
    return bool(_exactly(channel, 1))


def _send(channel: socket.socket, data: bytes) -> None:
    channel.sendall(WORD.pack(len(data)))
    channel.sendall(data)


if __name__ == "__main__":
    from workers.zygote import main as run

    run(int(sys.argv[1]))
