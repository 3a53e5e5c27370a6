"""The child's side of a job: limits itself, runs one function, and hands its results over one at a time.

On the channel, both ways, a message is its size (8 bytes) and a pickle. First comes the `Job`. Then the parent sends
one byte for each result that it wants, after the request that the result answers where the job takes requests.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from domain.errors import AppError
from domain.sealing import SealedFile
from workers.confinement import confine
from workers.memory_file import MemoryFile

WORD = struct.Struct("<q")
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use; 0 is no limit. Times are CPU time, so that a busy machine fails no sound file.

    Attributes:
        memory: Address space in bytes.
        seconds: Of the whole job.
        item_seconds: Of one result.
        file_bytes: Largest file that it may write.
        files: Open files.
        readable: Files and folders that it may read, beside the system's and Python's own.
        writable: Folders that it may change.
        niceness: Added to the server's: work in children yields to answering people.
    """

    memory: int = 0
    seconds: int = 0
    item_seconds: float = 0
    file_bytes: int = 256 * 1024 * 1024
    files: int = 256
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    niceness: int = 10


@dataclass(frozen=True, slots=True)
class Job:
    """What a child is to do: the results are what `function(*args)` returns, or yields where it is a generator.

    With `warm`, the function gets an iterator of requests as its last argument; it yields once when it is ready, then
    an answer to each request, and may write to the server's standard error.
    """

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    limits: Limits
    warm: bool = False


def run(channel: socket.socket, parent: int) -> None:
    """Do the job that comes on `channel`; end at once when `parent` or the other end of the channel is gone."""
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    libc = ctypes.CDLL(None)
    _prctl(libc, _PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    job: Job = pickle.loads(_receive(channel))
    null = os.open(os.devnull, os.O_RDWR)
    for fd, target in ((0, null), (1, 2 if job.warm else null), *(() if job.warm else ((2, null),))):
        os.dup2(target, fd)
    # What is encrypted is read before anything else, so that the file itself is out of the job's reach.
    held = [MemoryFile(arg.blocks()) if isinstance(arg, SealedFile) else arg for arg in job.args]
    job = replace(job, args=tuple(arg.path if isinstance(arg, MemoryFile) else arg for arg in held))
    _confine(libc, job)
    for kind, value in _results(job, channel):
        signal.setitimer(signal.ITIMER_PROF, 0)
        _exactly(channel, 1)
        data = _packed(kind, value)
        channel.sendall(WORD.pack(len(data)))
        channel.sendall(data)
        signal.setitimer(signal.ITIMER_PROF, job.limits.item_seconds)


def _confine(libc: ctypes.CDLL, job: Job) -> None:
    """Drop, permanently, every permission that the job does not need."""
    _prctl(libc, _PR_SET_NAME, job.name.encode()[:15])
    limits = job.limits
    os.nice(limits.niceness)
    for kind, most in (
        (resource.RLIMIT_CORE, (0, 0)),
        (resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes)),
        (resource.RLIMIT_NOFILE, (limits.files, limits.files)),
        (resource.RLIMIT_AS, (limits.memory, limits.memory)),
        (resource.RLIMIT_CPU, (limits.seconds, limits.seconds and limits.seconds + 1)),
    ):
        if most[0] or kind == resource.RLIMIT_CORE:
            resource.setrlimit(kind, most)
    confine(limits.readable, limits.writable, threads=job.warm)
    signal.setitimer(signal.ITIMER_PROF, limits.item_seconds)


def _prctl(libc: ctypes.CDLL, option: int, value: int | bytes) -> None:
    if hasattr(libc, "prctl"):  # Linux
        libc.prctl(option, value, 0, 0, 0)


def _results(job: Job, channel: socket.socket) -> Iterator[tuple[str, object]]:
    """Yield the messages to the parent: ("item", value) each, then ("end", None), or ("error" | "failure", what)."""
    try:
        result = job.function(*job.args, *([_requests(channel)] if job.warm else []))
        if isinstance(result, Iterator):
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
        if job.warm:
            traceback.print_exc()
        trace = traceback.extract_tb(error.__traceback__)[-1:]
        place = f"{os.path.basename(trace[0].filename)}:{trace[0].lineno}" if trace else "unknown"
        yield "failure", f"{type(error).__name__}: {place}"  # without its message, which may quote the document


def _requests(channel: socket.socket) -> Iterator[Any]:
    while True:
        yield pickle.loads(_receive(channel))


def _packed(kind: str, value: object) -> bytes:
    try:
        return pickle.dumps((kind, value), protocol=pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        return pickle.dumps(("failure", "MemoryError"))


def _receive(channel: socket.socket) -> bytes:
    return _exactly(channel, WORD.unpack(_exactly(channel, WORD.size))[0])


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        part = channel.recv(min(size, 1 << 20))
        if not part:
            sys.stderr.flush()
            os._exit(0)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
