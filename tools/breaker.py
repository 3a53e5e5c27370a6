"""Leaves alone, for a while, what has failed several times in a row: a tool, or the server that it comes from."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Literal

THRESHOLD = 5
"""Failures in a row after which calls are no longer made."""
REST_SECONDS = 30.0
"""First rest; each failed trial doubles it."""
MOST_REST = 300.0
MOST_KEPT = 1024

State = Literal["closed", "open", "half_open"]


class Breaker:
    """Counts the failures in a row of one thing; only those of the thing itself, not those of what it was asked."""

    def __init__(self) -> None:
        self.failures = 0
        self._until = 0.0
        self._rest = REST_SECONDS
        self._trial = False

    @property
    def state(self) -> State:
        """`closed`: calls are made; `open`: none is; `half_open`: one is, to see whether it works again."""
        if self.failures < THRESHOLD:
            return "closed"
        return "open" if self.rest() > 0 else "half_open"

    def rest(self) -> float:
        """Return for how many seconds no call will be made."""
        return max(0.0, self._until - time.monotonic())

    def admits(self) -> bool:
        """Tell whether a call may be made; while half open, one at a time."""
        if self.state == "closed":
            return True
        if self.state == "open" or self._trial:
            return False
        self._trial = True
        return True

    def note(self, *, failed: bool | None) -> None:
        """Note how a call ended; None: it was given up, and says nothing."""
        was_trial, self._trial = self._trial, False
        if failed is None:
            return
        if not failed:
            self.failures, self._rest = 0, REST_SECONDS
            return
        self.failures += 1
        if self.failures >= THRESHOLD:
            self._rest = min(self._rest * 2, MOST_REST) if was_trial else self._rest
            self._until = time.monotonic() + self._rest


class Breakers:
    """The breakers of a process by name; those that were used last are kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Breaker] = OrderedDict()

    def of(self, name: str, target: str = "") -> Breaker:
        """Return the breaker of a tool or server, or of one target of a tool."""
        breaker = self._kept.setdefault((name, target), Breaker())
        self._kept.move_to_end((name, target))
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return breaker
