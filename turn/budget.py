"""How much one request may use: counted once for all that work on it, and what that leaves for one model call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from langchain_core.messages import AIMessage, AnyMessage

from domain.errors import BudgetExceeded
from domain.limits import Limits, Prices, Resource, Spent, lowest, used_by
from domain.tokens import count_message_tokens

if TYPE_CHECKING:
    from models.chat.interface import Chat
    from settings import Settings

SPARE_TOKENS = 64
"""Kept free for the note of the last round and what providers add around messages."""
SHORTEST_ANSWER = 32
"""Fewest tokens of an answer: with less room the model is not asked."""
CLOSING = 0.2
"""Share of the time and money of a request that is kept for its answer: tools and agents end before."""
AT_ONCE = 3
"""Most agents of a request that work at the same time, and most parts of one agent's work."""
RESOURCES: tuple[Resource, ...] = ("tokens", "seconds", "calls", "money", "agents")


class Meter:
    """Counts what a request uses and says what is left; the meter of an agent is a share of that of its request."""

    def __init__(self, limits: Limits, prices: Prices, parent: Meter | None = None) -> None:
        """Start counting now.

        Args:
            limits: The most of each resource.
            prices: Of the models.
            parent: The meter of the request, which counts all that this one counts.
        """
        self.limits, self._prices, self._parent = limits, prices, parent
        self.places = asyncio.Semaphore(AT_ONCE)
        """Taken by each agent of the request, or by each part of an agent's work, while it works."""
        self._started = time.monotonic()
        self._used: dict[Resource, float] = dict.fromkeys(RESOURCES, 0.0)

    def share(self, limits: Limits) -> Meter:
        """Return the meter of an agent: it may use at most `limits`, and never more than is left here."""
        return Meter(limits, self._prices, self)

    def restore(self, spent: Spent) -> None:
        """Go on from what was spent before a pause; what is counted already stays."""
        if self._parent is not None:
            self._parent.restore(spent)
            return
        now = self.spent()
        for name in RESOURCES:
            self._used[name] += max(0.0, spent.get(name, 0) - now[name])

    def spent(self) -> Spent:
        """Return what was used so far, since before the last pause."""
        if self._parent is not None:
            return self._parent.spent()
        used = {**self._used, "seconds": self._used["seconds"] + time.monotonic() - self._started}
        return Spent(
            tokens=int(used["tokens"]), seconds=round(used["seconds"], 3), calls=int(used["calls"]),
            money=round(used["money"], 6), agents=int(used["agents"]),
        )  # fmt: skip

    def add_answer(self, message: AIMessage, model: str) -> None:
        """Count one answer of a model; `model` names it where the answer does not."""
        self._add(**used_by(message, model, self._prices))

    def add_call(self) -> None:
        """Count one call of a tool."""
        self._add(calls=1)

    def add_agent(self) -> bool:
        """Count one more agent that is set to work; tell whether the request may have it."""
        if self.left("agents") < 1:
            return False
        self._add(agents=1)
        return True

    def drop_agent(self) -> None:
        """Count one less: it pauses, and is counted again when it goes on."""
        self._add(agents=-1)

    def left(self, resource: Resource) -> float:
        """Return how much of a resource is left; infinite where nothing limits it."""
        used = time.monotonic() - self._started if resource == "seconds" else 0.0
        own = self.limits.get(resource, float("inf")) - used - self._used[resource]
        return own if self._parent is None else min(own, self._parent.left(resource))

    def working_seconds(self) -> float:
        """Return how long tools and agents may still work, so that time for an answer stays."""
        kept = CLOSING * self.limits.get("seconds", 0.0)
        own = self.left("seconds") - kept
        return own if self._parent is None else min(own, self._parent.working_seconds())

    def ended(self) -> Resource | None:
        """Return what has run out, so that nothing more can be asked of a model."""
        return next((name for name in RESOURCES[:-1] if self.left(name) <= 0), None)

    def closing(self) -> Resource | None:
        """Return what is so low that one answer is all that it allows, and no further work."""
        if self.left("calls") <= 1:
            return "calls"
        if self.working_seconds() <= 0:
            return "seconds"
        kept = CLOSING * self.limits.get("money", 0.0)
        return "money" if self.left("money") <= kept else self.ended()

    def _add(self, **amounts: float) -> None:
        for name, amount in amounts.items():
            self._used[cast("Resource", name)] += amount
        if self._parent is not None:
            self._parent._add(**amounts)


def limits_of(asked: int | Limits | None, settings: Settings) -> Limits:
    """Return what a request may use: what it asks for, else the defaults, and never more than the ceilings.

    Time ends before TURN_TIMEOUT does, for a turn that is cut off by that has no answer.
    """
    named = Limits(tokens=asked) if isinstance(asked, int) else asked or Limits()
    longest = Limits(seconds=settings.turn_timeout * (1 - CLOSING / 2))
    return lowest(cast("Limits", {**settings.budget, **named}), settings.budget_ceiling, longest)


class CallRoom:
    """How many tokens one model call may read and write: by the model's window, and by what is left of the request."""

    def __init__(self, chat: Chat, meter: Meter) -> None:
        """Compute what is left before a call of `chat`."""
        self._chat, self._meter = chat, meter
        left = meter.left("tokens")
        self._left = None if left == float("inf") else int(left)

    def prompt(self) -> int:
        """Return the tokens for prompt and tools: an answer takes at most half of a small window or of what is left."""
        answer = min(self._chat.max_output_tokens, self._chat.context_tokens // 2)
        room = self._chat.context_tokens - answer - SPARE_TOKENS
        return room if self._left is None else min(room, self._left - min(answer, self._left // 2))

    def answer(self, prompt: Sequence[AnyMessage], tools: int) -> int | None:
        """Return the most tokens of an answer to `prompt` with `tools` tokens of tool definitions; None for no limit.

        Raises:
            BudgetExceeded: There are none to speak of.
        """
        if self._left is None:
            return None
        asked = count_message_tokens(prompt) + tools
        if self._left - asked < SHORTEST_ANSWER:
            spent = self._meter.spent()["tokens"]
            raise BudgetExceeded(budget=spent + self._left, needed=spent + asked + SHORTEST_ANSWER)
        return self._left - asked
