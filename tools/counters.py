"""What happened to each tool since the process started."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from domain.types import ToolRun

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the classes in which durations are counted, in seconds; the last class has none."""


@dataclass(slots=True)
class Counters:
    """The numbers of one tool.

    Attributes:
        calls: Calls that were let through, cached ones too.
        errors: Of these, those that failed.
        unknown: Of these, those that began to change something and whose end is not known.
        refused: Calls that were not let through.
        cached: Calls answered by an earlier result.
        asked: Calls about which the user was asked first.
        seconds: Time of all calls that were not cached.
        durations: Number of these by class of `BOUNDS`.
    """

    calls: int = 0
    errors: int = 0
    unknown: int = 0
    refused: int = 0
    cached: int = 0
    asked: int = 0
    seconds: float = 0.0
    durations: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    def count(self, run: ToolRun) -> None:
        """Count how a call ended; `calls` is counted when it begins."""
        if run["status"] == "refused":
            self.refused += 1
            return
        self.errors += run["status"] == "error"
        self.unknown += run["status"] == "unknown"
        self.cached += run["cached"]
        if not run["cached"]:
            self.seconds += run["seconds"]
            self.durations[bisect_left(BOUNDS, run["seconds"])] += 1
