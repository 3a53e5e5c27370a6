"""An embedder that keeps the vectors it made."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.embeddings.interface import Embedder, Role, Vectors

KEPT: Final = 4000
NEIGHBOURS: Final = 2
"""How near a text is to a label: mean similarity to this many of its nearest examples."""


class KeptVectors:
    """Embeds texts once; of more than `KEPT` vectors the least recently used are dropped."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._kept: OrderedDict[tuple[str, str], NDArray[np.float32]] = OrderedDict()

    async def of(self, role: Role, texts: Sequence[str]) -> Vectors:
        """Return the vectors of queries or passages, of shape (len(texts), dimensions).

        Raises:
            Unavailable: The embedding model failed.
        """
        found = {text: self._kept.get((role, text)) for text in texts}
        missing = [text for text, vector in found.items() if vector is None]
        if missing and role == "passage":
            found.update(zip(missing, await self._embedder.passages(missing), strict=True))
        for text in missing if role == "query" else ():
            found[text] = await self._embedder.query(text)
        for text, vector in found.items():
            if vector is not None:
                self._kept[role, text] = vector
                self._kept.move_to_end((role, text))
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return np.stack([vector for text in texts if (vector := found[text]) is not None])

    async def nearest(self, text: str, labels: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """Return labels with their similarity (-1..1) to `text`, nearest first.

        The mean of all examples is subtracted first: the vectors of E5 all point much the same way.

        Args:
            text: What is compared with the examples.
            labels: Each with its examples; those without any are left out.

        Raises:
            Unavailable: The embedding model failed.
        """
        owner = np.array([label for label, texts in labels.items() for _ in texts])
        made = await self.of("query", [*(example for texts in labels.values() for example in texts), text])
        centred = made - made[:-1].mean(axis=0)
        unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
        near = unit[:-1] @ unit[-1]
        scores = {
            str(label): float(np.sort(near[owner == label])[-NEIGHBOURS:].mean()) for label in dict.fromkeys(owner)
        }
        return dict(sorted(scores.items(), key=lambda item: -item[1]))
