"""BM25 order, scope, and coverage."""

from __future__ import annotations

import sqlite3

import pytest

from stores.library import keywords
from stores.library.catalog import SCHEMA


@pytest.fixture
def db() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.executescript(SCHEMA)
    return connection


@pytest.mark.parametrize(
    ("texts", "query", "best"),
    [
        (["Cats sleep all day.", "Dogs bark at cats.", "Dogs barked and were barking."], "barking dog", 2),
        (["北京是中国的首都。", "上海是港口城市。", "中国有很多城市。"], "哪个是港口城市", 1),
    ],
)
def test_best_chunk_first(db: sqlite3.Connection, texts: list[str], query: str, best: int) -> None:
    keywords.index(db, 5, 10, texts)
    found = keywords.search(db, [5], query, 3)
    assert found.chunks[0] == (5, 10 + best)
    assert list(found.scores) == sorted(found.scores, reverse=True)
    assert 0 < found.coverage[0] <= 1


def test_only_contents_in_scope_are_searched(db: sqlite3.Connection) -> None:
    keywords.index(db, 1, 0, ["apple pie", "apple tart"])
    keywords.index(db, 1, 2, ["apple cake"])
    keywords.index(db, 2, 0, ["apple secret"])
    assert set(keywords.search(db, [1], "apple", 10).chunks) == {(1, 0), (1, 1), (1, 2)}
    assert keywords.search(db, [1], "secret", 10).chunks == []
    assert keywords.search(db, [], "apple", 10).chunks == []


def test_coverage_is_the_share_of_the_query_that_a_chunk_holds(db: sqlite3.Connection) -> None:
    keywords.index(db, 1, 0, ["red green blue", "red", "yellow"])
    coverage = keywords.search(db, [1], "red green blue", 9).coverage
    assert coverage[0] == pytest.approx(1.0)
    assert 0 < coverage[1] < 0.5
    assert len(coverage) == 2
    assert keywords.search(db, [1], "red unknownword", 9).coverage[0] < 0.5


def test_index_holds_no_readable_text(db: sqlite3.Connection) -> None:
    keywords.index(db, 1, 0, ["ZebraMarker 独角兽"])
    dump = "\n".join(db.iterdump()).lower()
    assert "zebra" not in dump
    assert "独角" not in dump
