"""Functions that tests run in sandbox children."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from domain.errors import FileEncrypted
from readers.interface import Page


def add(left: int, right: int) -> int:
    return left + right


def hang(seconds: float = 600) -> None:
    time.sleep(seconds)


def compute(seconds: float, core: int) -> None:
    """Compute for so long on one processor, yielding to others."""
    os.sched_setaffinity(0, {core})
    os.nice(3)
    while time.process_time() < seconds:
        pass


def spin() -> None:
    while True:
        pass


def hold_memory(size: int) -> int:
    return len(bytearray(size))


def recurse() -> None:
    recurse()


def die(number: int) -> None:
    os.kill(os.getpid(), number)


def refuse(name: str) -> None:
    raise FileEncrypted(name=name)


def break_down() -> None:
    raise KeyError("secret words of a document")


def abort() -> None:
    signal.signal(signal.SIGABRT, signal.SIG_DFL)
    os.abort()


def environment() -> dict[str, str]:
    return dict(os.environ)


def network_namespace() -> str:
    return os.readlink("/proc/self/ns/net")


def process() -> int:
    return os.getpid()


def write_to_memory(size: int) -> int:
    with os.fdopen(os.memfd_create("big"), "wb") as file:
        for _ in range(size // (1 << 20)):
            file.write(bytes(1 << 20))
            file.flush()
    return size


def write_what_is_asked(paths: Iterator[str]) -> Iterator[object]:
    yield "ready"
    for path in paths:
        try:
            yield bool(Path(path).write_text("x", "utf-8"))
        except OSError:
            yield False


def connect(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def pages(count: int, size: int) -> Iterator[Page]:
    for number in range(1, count + 1):
        yield Page(number, str(number), chr(ord("a") + number % 26) * size)


def pages_then_hang(count: int) -> Iterator[int]:
    yield os.getpid()
    yield from range(count)
    time.sleep(600)


def items_then_spin(count: int) -> Iterator[int]:
    yield from range(count)
    spin()


def slow_items(count: int, seconds: float) -> Iterator[int]:
    for number in range(count):
        time.sleep(seconds)
        yield number


def stamps(count: int) -> Iterator[float]:
    for _ in range(count):
        yield time.monotonic()


def huge() -> bytes:
    return bytes(200 * 1024 * 1024)


class Sneaky:
    """What a taken-over child might send."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("true",)


def sneak() -> object:
    return Sneaky()


def answer(greeting: str, requests: Iterator[str]) -> Iterator[object]:
    yield "ready"
    for request in requests:
        if request == "hang":
            time.sleep(600)
        if request == "die":
            os._exit(3)
        yield f"{greeting} {request}", os.getpid()


def never_ready(requests: Iterator[str]) -> Iterator[object]:
    raise FileEncrypted(name="models")
    yield from requests


def privileges() -> dict[str, str]:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)
