"""The door to reranking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.words import Words


class Reranker(Protocol):
    """Puts the best candidates of a search into their final order.

    Attributes:
        name: Model name.
        detail: One plain sentence: what it is, why it was chosen, how to change it.
        failing: Whether the last call failed; searches then keep the order that they had.
    """

    name: str
    detail: Words
    failing: bool

    async def rank(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return the relevance of each of `texts`, usually 0..1; more is better.

        Raises:
            Unavailable: The model does not answer in time, or gave something else than one number a text.
        """
