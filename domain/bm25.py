"""BM25 over texts that are all in memory.

Source: Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

K1: Final = 1.2
"""How soon more of the same term counts no more."""
B: Final = 0.75
"""How much longer texts are held back, 0..1."""
Scores = NDArray[np.float64]


class Bm25:
    """An index of texts, each given as the counts of its terms; it is never changed."""

    def __init__(self, counts: Sequence[Counter[str]]) -> None:
        lengths = np.array([sum(count.values()) for count in counts], np.float64)
        norms = K1 * (1 - B + B * lengths / max(lengths.mean(), 1.0)) if counts else lengths
        found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, count in enumerate(counts):
            for term, times in count.items():
                found[term].append((place, times))
        self._size = len(counts)
        self._postings: dict[str, tuple[NDArray[np.int64], Scores]] = {}
        for term, hits in found.items():
            places, times = np.array(hits, np.int64).T
            self._postings[term] = places, times * (K1 + 1) / (times + norms[places])

    def scores(self, wanted: Iterable[str]) -> tuple[Scores, Scores]:
        """Return of each text a score, 1 for the best, and the share (0..1) of the weight of the terms that it holds.

        Args:
            wanted: Terms, each once.
        """
        scores, held, total = np.zeros(self._size), np.zeros(self._size), 0.0
        for term in wanted:
            posting = self._postings.get(term)
            hits = 0 if posting is None else len(posting[0])
            idf = float(np.log1p((self._size - hits + 0.5) / (hits + 0.5)))
            total += idf
            if posting is not None:
                scores[posting[0]] += idf * posting[1]
                held[posting[0]] += idf
        return scores / max(scores.max(initial=0.0), 1e-9), held / total if total else held
