"""Ranks the items of one user: by keyword, by meaning, and by what was said around them.

Vectors are compared after the mean of their own side is taken away (items from items, questions from everyday requests
of their language): the vectors of E5 all point much the same way. The weights were chosen on five of the ten dialogues
of LoCoMo; bench/long_memory.py has the figures.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.bm25 import Bm25
from domain.text import terms

WORDS, AROUND, GROUP = 0.4, 0.5, 0.5
"""Weights beside a cosine: of a keyword score (1 for the best), of the cosine of an item with its neighbours, and of
the keyword score of what it was said in."""
USUAL = 20
Floats = NDArray[np.float32]


class Ranked(NamedTuple):
    """An item that was found.

    Attributes:
        place: Its place among the items.
        closeness: Cosine to the question, both without what their side has in common; 0 without vectors.
        coverage: Share (0..1) of the weight of the question's terms that it holds.
    """

    place: int
    closeness: float
    coverage: float


class MemoryRanking:
    """An index of texts, built in one go and never changed."""

    def __init__(
        self, texts: Sequence[str], vectors: Floats | None, groups: Sequence[str], usual: Floats | None = None
    ) -> None:
        """Index texts.

        Args:
            texts: In the order in which they were said.
            vectors: Their vectors, of shape (len(texts), dimensions); rows of zeros where there is none yet.
            groups: What each was said in: only neighbours of one group belong together.
            usual: What everyday texts have in common; it counts as much as `USUAL` texts, since few say little of it.
        """
        counts = [Counter(terms(text)) for text in texts]
        together: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for group, count in zip(groups, counts, strict=True):
            together[group].update(count)
        self._size = len(texts)
        self._words, self._groups = Bm25(counts), Bm25(list(together.values()))
        places = {group: place for place, group in enumerate(together)}
        self._group_of = np.array([places[group] for group in groups], np.int64)
        self._vectors: Floats | None = None
        if vectors is not None and len(vectors):
            present = np.abs(vectors).sum(axis=1) > 0
            weight = USUAL if usual is not None else 0
            total = vectors[present].sum(axis=0) + (weight * usual if usual is not None else 0)
            common = total / max(weight + int(present.sum()), 1) if weight or present.sum() > 2 else total * 0
            self._vectors = _unit(np.where(present[:, None], vectors - common, 0))
            self._same = np.array([one == other for one, other in zip(groups, groups[1:], strict=False)], bool)
            sums = _with_neighbours(self._vectors, self._same)
            self._lengths = np.maximum(np.linalg.norm(sums, axis=1), 1e-9).astype(np.float32)

    def find(self, query: str, vector: Floats | None, most: int, seen: Sequence[bool] | None = None) -> list[Ranked]:
        """Return the best items.

        Args:
            query: The question.
            vector: Its vector without what questions of its language have in common.
            most: How many at most.
            seen: Of each item, whether it may be found; None: all may.
        """
        if not self._size:
            return []
        wanted = list(dict.fromkeys(terms(query)))
        words, coverage = self._words.scores(wanted)
        score = WORDS * words + GROUP * self._groups.scores(wanted)[0][self._group_of]
        closeness = np.zeros(self._size, np.float32)
        if vector is not None and self._vectors is not None:
            closeness = self._vectors @ (vector / max(float(np.linalg.norm(vector)), 1e-9))
            # The cosine of a sum of vectors needs their products alone.
            score += closeness + AROUND * _with_neighbours(closeness, self._same) / self._lengths
        places = np.arange(self._size) if seen is None else np.flatnonzero(seen)
        best = places[np.argpartition(-score[places], most)[:most]] if most < len(places) else places
        order = best[np.argsort(-score[best], kind="stable")]
        return [Ranked(int(place), float(closeness[place]), float(coverage[place])) for place in order]


def _with_neighbours(values: Floats, same: NDArray[np.bool_]) -> Floats:
    """Return the sum of each value, or vector, and those before and behind it in its group.

    Args:
        values: In order.
        same: Whether each and the next are of one group.
    """
    mask = same.reshape(-1, *[1] * (values.ndim - 1))
    total = values.copy()
    total[1:] += np.where(mask, values[:-1], 0)
    total[:-1] += np.where(mask, values[1:], 0)
    return total


def _unit(vectors: Floats) -> Floats:
    made: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return made.astype(np.float32)
