"""What may be an attempt to get at something: the kinds, and how much each counts."""

from __future__ import annotations

from typing import Literal, NamedTuple

AttemptKind = Literal["wrong_key", "foreign_id", "unknown_id", "refused_call", "steered_call", "burst", "cost"]
Level = Literal["watch", "slow", "stop"]


class Weight(NamedTuple):
    """How a kind counts: in a window the first `free` are nobody's concern, each further one adds `points`."""

    free: int
    points: int


KINDS: dict[AttemptKind, Weight] = {
    "wrong_key": Weight(5, 10),  # of an address: a request with a key that there is none of
    "foreign_id": Weight(1, 25),  # a thing of another user was asked for
    "unknown_id": Weight(30, 4),  # different ids under which there is nothing: links to what was deleted are common
    "refused_call": Weight(10, 5),  # a tool call that the rules deny
    "steered_call": Weight(5, 2),  # a call in others' words that was not let through: its user may be the victim
    "burst": Weight(2, 20),  # more than BURST requests within BURST_SECONDS, in one process
    "cost": Weight(0, 100),  # a day that uses COST_FACTOR times as many tokens as the usual one
}
WINDOW = 600
"""Seconds from the first attempt that counts until counting begins anew."""
SLOW_AT = 100
"""Points at which an event is raised."""
STOP_AT = 200
"""Points at which a second one is."""
HELD = 900
"""Seconds that access is slow or stopped after the event."""
DELAY = 2.0
"""Seconds that each request waits while access is slow."""
BURST, BURST_SECONDS = 300, 10
COST_FACTOR, COST_LEAST = 10, 500_000
"""A day is unusual from this many tokens on, where it has this many times the mean of the days before."""


def level_at(points: int) -> Level | None:
    """Return what a number of points leads to, the setting allowing.

    >>> [level_at(points) for points in (99, 100, 200)]
    [None, 'slow', 'stop']
    """
    return "stop" if points >= STOP_AT else "slow" if points >= SLOW_AT else None
