"""What is read of users for nearly every request: kept for a moment, and read once for all who ask meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class BriefCache(Generic[Value]):
    """Values by key. Who asks while one is read gets it in the order of asking, so that no request overtakes another.

    Args:
        seconds: How long a value is known.
        most: Values that are kept; of more, the ones read longest ago go.
    """

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._known: OrderedDict[str, tuple[float, Value]] = OrderedDict()
        self._reading: dict[str, asyncio.Task[Value]] = {}

    async def get(self, key: str, read: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """Return what is known under a key, else what `read` gives."""
        known = self._known.get(key)
        if known is not None and known[0] >= time.time():
            return known[1]
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(self._read(key, read))
        return await asyncio.shield(reading)

    async def _read(self, key: str, read: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        own = asyncio.current_task()
        try:
            value = await read()
            if self._reading.get(key) is own:  # it was not dropped meanwhile
                self._known[key] = (time.time() + self._seconds, value)
                self._known.move_to_end(key)
                while len(self._known) > self._most:
                    self._known.popitem(last=False)
            return value
        finally:
            if self._reading.get(key) is own:
                del self._reading[key]

    def drop(self, key: str) -> None:
        """Forget a key; what is being read of it is older."""
        self._known.pop(key, None)
        self._reading.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()
        self._reading.clear()
