"""Runs (one turn each): states and events, under the same names in Redis, the API and the clients."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from domain.errors import AppError

RunState = Literal["queued", "running", "waiting", "done", "stopped", "interrupted", "rolled_back", "error"]
CutState = Literal["stopped", "interrupted", "rolled_back"]
"""Final states of a run that somebody ended: the user, the next message, or the next message in place of this one."""
Cut = CutState | AppError
"""Why a run ends before its work does."""
FINAL_STATES: frozenset[RunState] = frozenset({"done", "stopped", "interrupted", "rolled_back", "error"})
TERMINAL_EVENTS = frozenset({"done", "error"})
"""The last event of a run is `error` where that is its state, and `done` in every other final state."""
RESTS = TERMINAL_EVENTS | {"waiting"}
"""With these a stream of events ends. A run that waits for a person goes on with the next number once answered."""
ConcurrencyPolicy = Literal["enqueue", "reject", "interrupt", "rollback"]
"""What a run does when its thread is still answering: wait, give up, or end the run before it in one of two ways."""


class Event(NamedTuple):
    """Something that happened in a run."""

    number: int
    """Place within the run, from 1 on, a takeover leaves some out; 0 for events of a single reader (`gap`, `audio`)."""
    name: str
    data: Any
    """JSON-native."""


def last_event(state: RunState) -> Literal["done", "error", "waiting"]:
    """Return the name of the newest event of a run that ended, or waits, in `state`."""
    return "error" if state == "error" else "waiting" if state == "waiting" else "done"


def is_takeover(event: Event) -> bool:
    """Tell whether another process goes on with the run: what a step that had not ended has told is told again."""
    return event.name == "run" and "begins_again" in event.data
