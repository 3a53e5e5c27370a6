"""Fusion: agreement wins, keywords of another language do not count, scores stay within 0..1."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stores.library.keywords import KeywordMatches
from stores.library.ranking import fuse, gate

A, B, C, D = (1, 0), (1, 1), (1, 2), (2, 0)


def matches(keys: list[tuple[int, int]], coverage: list[float]) -> KeywordMatches:
    return KeywordMatches(keys, np.arange(len(keys), 0, -1, dtype=float), np.array(coverage, float))


def test_chunk_that_both_methods_like_is_first() -> None:
    ranked = fuse({A: 0.9, B: 0.89, C: 0.5}, matches([B, D], [0.9, 0.6]), depth=10)
    assert ranked[0].key == B
    assert {item.key for item in ranked} == {A, B, C, D}


def test_keywords_that_match_by_chance_change_nothing() -> None:
    cosines = {A: 0.8, B: 0.79, C: 0.7}
    chance = matches([D, C, B, A], [0.05, 0.05, 0.05, 0.02])
    assert [item.key for item in fuse(cosines, chance, depth=10)] == [A, B, C]


def test_without_vectors_keywords_rank_alone() -> None:
    assert [item.key for item in fuse({}, matches([B, A], [0.9, 0.4]), depth=10)] == [B, A]
    assert fuse({}, matches([], []), depth=10) == []


def test_without_vectors_even_weak_keywords_count() -> None:
    assert [item.key for item in fuse({}, matches([B, A], [0.05, 0.02]), depth=10)] == [B, A]


def test_a_lean_moves_keywords_against_vectors_within_bounds() -> None:
    cosines, keyword = {A: 0.9, B: 0.5}, matches([B, A], [0.9, 0.55])
    firsts = [fuse(cosines, keyword, depth=10, lean=lean)[0].key for lean in (0.5, 1.0, 2.0)]
    assert firsts[0] == A and firsts[2] == B
    assert fuse(cosines, keyword, depth=10, lean=9) == fuse(cosines, keyword, depth=10, lean=2)
    assert fuse(cosines, keyword, depth=10, lean=0) == fuse(cosines, keyword, depth=10, lean=0.5)
    assert fuse({}, keyword, depth=10, lean=2)[0].key == B


def test_gate_opens_with_coverage() -> None:
    assert gate(matches([A], [0.02])) == 0
    assert gate(matches([A], [0.5])) == 1
    assert 0 < gate(matches([A], [0.2])) < 1


Keys = list[tuple[int, int]]
KEYS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 9)), unique=True, max_size=12)


@given(KEYS, KEYS, st.floats(0, 1), st.floats(0, 3))
def test_scores_are_within_bounds_and_sorted(dense: Keys, keyed: Keys, top: float, lean: float) -> None:
    cosines = {key: 0.9 - 0.01 * rank for rank, key in enumerate(dense)}
    ranked = fuse(cosines, matches(keyed, [top] * len(keyed)), depth=8, lean=lean)
    scores = [item.score for item in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1.0000001 for score in scores)
    assert len({item.key for item in ranked}) == len(ranked)
