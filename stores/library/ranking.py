"""Fuses the keyword list and the dense list of one query: gated reciprocal rank, then the evidence of both methods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stores.library.keywords import KeywordMatches

RANK_CONSTANT = 60
"""k of Cormack, Clarke and Buettcher, Reciprocal Rank Fusion (SIGIR 2009)."""
GATE = (0.1, 0.35)
"""Share of the query's term weight that the best keyword hit holds: below the first the keyword list counts nothing,
from the second on fully. A question in another language than the text shares a number or a name with it at most."""
WEIGHTS = (1.0, 1.0, 2.0)
"""Of reciprocal rank, closeness and coverage. The form was chosen among several on SQuAD and CMRC samples with the
bundled embedder: a weight of 1 to 3 for coverage moved Recall@1 by at most half a point there, and gated reciprocal
rank alone was half a point below keywords on English. It was not checked on other questions."""
LEANS = (0.5, 2.0)
"""Bounds of how much more than by default keywords may count against vectors: within them neither list is silenced."""
LEAST_SPREAD = 0.02
"""Cosines of candidates that differ by less are taken as equal enough not to be stretched to the full 0..1."""

Mode = Literal["hybrid", "dense", "keyword"]
Key = tuple[int, int]
"""A chunk: content id and ordinal."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk with its score of 0..1, which is comparable within one query only."""

    key: Key
    score: float


def by_content(keys: Iterable[Key]) -> dict[int, list[int]]:
    """Return the ordinals of chunks by their content."""
    found: dict[int, list[int]] = {}
    for content_id, ordinal in keys:
        found.setdefault(content_id, []).append(ordinal)
    return found


def fuse(cosines: dict[Key, float], keyword: KeywordMatches, *, depth: int, lean: float = 1.0) -> list[Ranked]:
    """Return the first `depth` chunks of either list, best first.

    The score of a chunk is the weighted mean of its reciprocal rank in both lists, its cosine stretched over the range
    of the candidates, and its coverage of the query's terms. The keyword list weighs what `gate` says: without that,
    rank fusion ruins searches across languages, where keyword hits are chance. Without any vector yet, the keyword list
    is all there is and counts fully.

    Args:
        cosines: The nearest chunks, nearest first.
        keyword: The keyword hits, best first.
        depth: How far down each list candidates are taken from.
        lean: How much more the keywords count than by default; taken within `LEANS`.
    """
    lean = min(max(lean, LEANS[0]), LEANS[1])
    weight = gate(keyword) * lean if cosines else 1.0
    dense = list(cosines)[:depth]
    reciprocal: dict[Key, float] = {}
    for keys, share in ((dense, 1.0), (keyword.chunks[:depth], weight)):
        for rank, key in enumerate(keys if share else ()):
            reciprocal[key] = reciprocal.get(key, 0.0) + share * (RANK_CONSTANT + 1) / (RANK_CONSTANT + 1 + rank)
    coverage = dict(zip(keyword.chunks, keyword.coverage.tolist(), strict=True))
    far, near = (cosines[dense[-1]], cosines[dense[0]]) if dense else (0.0, 0.0)
    weights = (WEIGHTS[0], WEIGHTS[1], WEIGHTS[2] * lean)
    by_rank, by_cosine, by_terms = (share / sum(weights) for share in weights)
    ranked = [
        Ranked(
            key,
            by_rank * ranks / (bool(dense) + weight)
            + by_cosine * (max(cosines.get(key, far), far) - far) / max(near - far, LEAST_SPREAD)
            + by_terms * coverage.get(key, 0.0),
        )
        for key, ranks in reciprocal.items()
    ]
    return sorted(ranked, key=lambda item: -item.score)


def gate(keyword: KeywordMatches) -> float:
    """Return how much the keyword hits are to be trusted, 0..1."""
    low, high = GATE
    best = float(np.max(keyword.coverage, initial=0.0))
    return min(max((best - low) / (high - low), 0.0), 1.0)
