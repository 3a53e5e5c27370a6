"""What a JSON body may look like: measured on its bytes, before anything is built of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from domain.errors import BadInput, BodyTooLarge
from domain.words import Words
from settings import MiB

T = TypeVar("T")
JSON_BYTES = 4 * MiB
"""Most JSON beside files. On routes whose JSON carries files, long strings without escapes (base64) are not counted."""
MOST_VALUES = 100_000
MOST_DEPTH = 64
_MOST_STEPS = 2 * MOST_VALUES
"""Strings, and stretches of those with quotes inside: what the walk costs."""
_STRETCHES = 32
"""Quotes inside a string up to which it is walked from one to the next, behind them by windows that double."""
_WINDOW, _LARGEST_WINDOW = 1024, 64 * 1024
_QUOTE, _BACKSLASH = b'"\\'
_FILE_BYTES = 64 * 1024
_CHEAP_BYTES = 16 * 1024
_BRACKETS = re.compile(rb"[\[\]{}]")
_SHORT = 256
_STEPS = np.zeros(256, np.int8)
_STEPS[list(b"[{")], _STEPS[list(b"]}")] = 1, -1
_TOO_MANY = Words(f"the body holds more than {MOST_VALUES:,} JSON values", f"请求体中的 JSON 值超过 {MOST_VALUES:,} 个")
_TOO_DEEP = Words(f"the body is nested deeper than {MOST_DEPTH} levels", f"请求体的嵌套超过 {MOST_DEPTH} 层")


async def off_loop(work: Callable[[bytes], T], body: bytes) -> T:
    """Return what `work` makes of `body`: in a thread, unless it is so small that a thread would take longer."""
    return work(body) if len(body) < _CHEAP_BYTES else await asyncio.to_thread(work, body)


def check_shape(body: bytes) -> None:
    """Walk from string to string and count; whether it is JSON at all is found out by whoever parses it.

    Two to three orders of magnitude cheaper than parsing where it matters: a value costs a parser, a validator and an
    encoder up to a kilobyte and 10 microseconds, and they hold the interpreter all that time.

    Raises:
        BodyTooLarge: There is more than `JSON_BYTES` beside files.
        BadInput: It holds too many values, or is nested too deeply.
    """
    counted = values = steps = depth = place = 0
    while 0 <= place < len(body):
        quote = body.find(b'"', place)
        between = body[place : quote if quote >= 0 else min(len(body), place + JSON_BYTES + 1)]
        values += between.count(b",") + between.count(b"[") + between.count(b"{")
        counted += len(between)
        if counted > JSON_BYTES:
            raise BodyTooLarge(limit=JSON_BYTES)
        if values > MOST_VALUES or steps > _MOST_STEPS:
            raise BadInput(reason=_TOO_MANY)
        depth = _deeper(between, depth)
        place, escaped = _after_string(body, quote + 1) if quote >= 0 else (-1, 0)
        steps += 1 + escaped
        if escaped or place - quote < _FILE_BYTES:
            counted += place - quote


def _deeper(between: bytes, depth: int) -> int:
    if len(between) < _SHORT:
        for bracket in _BRACKETS.findall(between):
            depth += 1 if bracket in b"[{" else -1
            if depth > MOST_DEPTH:
                raise BadInput(reason=_TOO_DEEP)
        return depth
    levels = np.cumsum(_STEPS[np.frombuffer(between, np.uint8)], dtype=np.int32)
    if depth + int(levels.max()) > MOST_DEPTH:
        raise BadInput(reason=_TOO_DEEP)
    return depth + int(levels[-1])


def _after_string(body: bytes, start: int) -> tuple[int, int]:
    """Return where the string that begins at `start` has ended, and how many stretches with an escape that took."""
    since = start
    for escaped in range(_STRETCHES):
        quote = body.find(b'"', since)
        if quote < 0:
            return len(body), escaped
        backslash = body.find(b"\\", since, quote)
        if backslash < 0:
            return quote + 1, escaped
        run = body[backslash:quote]
        if (len(run) - len(run.rstrip(b"\\"))) % 2 == 0:
            return quote + 1, escaped + 1
        since = quote + 1
    return _after_escapes(body, since)


def _after_escapes(body: bytes, since: int) -> tuple[int, int]:
    """Go on in a string of many escapes: it ends with the first quote behind an even run of backslashes."""
    size, escaped, steps = _WINDOW, 0, _STRETCHES  # `escaped`: whether the first byte of a window is
    while since < len(body):
        window = np.frombuffer(body, np.uint8, min(size, len(body) - since), since)
        plain = np.concatenate(([-1], np.flatnonzero(window != _BACKSLASH)))
        ranks = 1 + np.flatnonzero(window[plain[1:]] == _QUOTE)
        quotes, before = plain[ranks], plain[ranks - 1]
        ends = quotes[(quotes - 1 - before - escaped * (before < 0)) % 2 == 0]
        steps += 1
        if len(ends):
            return since + int(ends[0]) + 1, steps
        last = int(plain[-1])
        escaped = (len(window) - 1 - last - escaped * (last < 0)) % 2
        since += len(window)
        size = min(2 * size, _LARGEST_WINDOW)
    return len(body), steps
