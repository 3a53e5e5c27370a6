"""What a request may use, and what it has used: by its model calls, its tools and its agents together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, cast

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

MOST_NUMBER: Final = 2**31 - 1
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
