"""What a request may use, and what it has used: by its model calls, its tools and its agents together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal, cast

from langchain_core.messages import AIMessage
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

MOST_NUMBER: Final = 2**31 - 1
PER_TOKENS: Final = 1_000_000
"""Tokens that a price is for."""
Prices = Mapping[str, tuple[float, float]]
"""Of a model, by name: price of a million tokens read, and written."""
Resource = Literal["tokens", "seconds", "calls", "money", "agents"]


class Limits(TypedDict, total=False):
    """The most that a request may use; a resource that is left out is not limited."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    tokens: Annotated[int, Field(ge=1, le=MOST_NUMBER, description="Tokens, read and written by chat models.")]
    seconds: Annotated[float, Field(gt=0, le=86_400, description="Seconds of work; waiting for people is none.")]
    calls: Annotated[int, Field(ge=1, le=MOST_NUMBER, description="Calls of models and tools together.")]
    money: Annotated[float, Field(gt=0, le=1e9, description="Cost of the models, in the currency of MODEL_PRICES.")]
    agents: Annotated[int, Field(ge=0, le=100, description="Specialists that are set to work.")]


class Spent(TypedDict):
    """What a request has used. `money` counts the models that have a price."""

    tokens: int
    seconds: float
    calls: int
    money: float
    agents: int


class Used(TypedDict):
    """What one answer of a model has used."""

    tokens: int
    calls: int
    money: float


def used_by(answer: AIMessage, model: str, prices: Prices) -> Used:
    """Return what an answer has used; `model` names who gave it where the answer does not.

    >>> said = AIMessage("", usage_metadata={"input_tokens": 900, "output_tokens": 100, "total_tokens": 1000})
    >>> used_by(said, "small", {"small": (1.0, 4.0)})
    {'tokens': 1000, 'calls': 1, 'money': 0.0013}
    """
    told = answer.usage_metadata or {"input_tokens": 0, "output_tokens": 0}
    asked, said = max(0, told["input_tokens"]), max(0, told["output_tokens"])
    name = str(answer.response_metadata.get("model_name") or model)
    read, written = prices.get(name) or prices.get(model) or (0.0, 0.0)
    return Used(tokens=asked + said, calls=1, money=(asked * read + said * written) / PER_TOKENS)


CountAnswer = Callable[[AIMessage, str], None]
"""Counts an answer of the model of this name."""


def lowest(*limits: Limits) -> Limits:
    """Return, for each resource, the lowest of its limits.

    >>> lowest({"tokens": 500, "calls": 9}, {"tokens": 300})
    {'tokens': 300, 'calls': 9}
    """
    found: dict[str, float] = {}
    for limit in limits:
        for name, most in cast("Mapping[str, float]", limit).items():
            found[name] = min(most, found.get(name, most))
    return cast("Limits", found)
