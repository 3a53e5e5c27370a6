"""The interface of text embedders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.words import Words

Vectors = NDArray[np.float32]
Role = Literal["query", "passage"]


class Embedder(Protocol):
    """Turns text into unit vectors. Queries and passages may be embedded differently (E5 prefixes).

    Attributes:
        name: Model name; vectors of different names must not be compared.
        dimensions: Length of a vector; 0 where there are no vectors in this process.
        detail: One plain sentence: what it is, why it was chosen, how to change it.
    """

    name: str
    dimensions: int
    detail: Words

    async def passages(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors of shape (len(texts), dimensions), each of length 1."""

    async def query(self, text: str) -> Vectors:
        """Return a float32 vector of shape (dimensions,), of length 1."""
