"""BM25 against the formula written out."""

from __future__ import annotations

from collections import Counter
from math import log

import pytest

from domain.bm25 import Bm25

TEXTS = ("red fox red", "fox den", "grey wolf in a den")


def test_scores_are_those_of_the_formula() -> None:
    counts = [Counter(text.split()) for text in TEXTS]
    scores, coverage = Bm25(counts).scores(["red", "den", "bear"])

    def idf(hits: int) -> float:
        return log(1 + (3 - hits + 0.5) / (hits + 0.5))

    mean = (3 + 2 + 5) / 3
    first = idf(1) * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / mean))
    second, third = (idf(2) * 2.2 / (1 + 1.2 * (0.25 + 0.75 * length / mean)) for length in (2, 5))
    assert scores == pytest.approx([1, second / first, third / first])
    total = idf(1) + idf(2) + idf(0)
    assert coverage == pytest.approx([idf(1) / total, idf(2) / total, idf(2) / total])


def test_no_texts_and_no_terms_score_nothing() -> None:
    assert [list(part) for part in Bm25([]).scores(["red"])] == [[], []]
    assert [list(part) for part in Bm25([Counter("a")]).scores([])] == [[0], [0]]
