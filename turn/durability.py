"""When LangGraph saves a run: at its end, until it comes to work that takes long; from then on after every step."""

from __future__ import annotations

from collections.abc import Callable


class Durability(str):
    """What a run gives LangGraph as `durability`: equal to "exit" until `keep` is called, and to "sync" from then on.

    A plain turn pays for one checkpoint, at its end. Whether a turn is plain is known when the model has answered, in
    the middle of the run; LangGraph compares this value before each write, so that the step in which it changes is the
    first that is saved. With "sync" the next step begins when the one before it is kept: none of its effects can happen
    twice because nobody knows that it had begun.
    """

    _now = "exit"

    def __new__(cls, _: Callable[[], None] | None = None) -> Durability:
        """Make the value."""
        return super().__new__(cls, "exit")

    def __init__(self, when_kept: Callable[[], None] | None = None) -> None:
        """Call `when_kept` once steps are to be saved."""
        self._when_kept = when_kept

    def keep(self) -> None:
        """Save the run after every step from the one that runs now on."""
        if self._now != "sync":
            self._now = "sync"
            if self._when_kept is not None:
                self._when_kept()

    def __eq__(self, other: object) -> bool:
        return other == self._now

    def __ne__(self, other: object) -> bool:
        return other != self._now

    __hash__ = str.__hash__
