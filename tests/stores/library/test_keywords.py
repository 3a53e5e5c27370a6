"""BM25 order, scope, and coverage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from domain.text import terms
from stores.library import keywords
from stores.library.keywords import KeywordMatches
from stores.sql.database import Database
from stores.sql.tables import metadata

Index = Callable[[int, int, list[str]], Awaitable[None]]
Search = Callable[[list[int], str, int], Awaitable[KeywordMatches]]


@pytest.fixture
def index(database: Database) -> Index:
    """Index texts as chunks of a content."""

    async def add(content_id: int, first: int, texts: list[str]) -> None:
        segment = keywords.segment_of(texts)
        await database.write(lambda db: keywords.insert_segment(db, content_id, first, segment))

    return add


@pytest.fixture
def search(database: Database) -> Search:
    """Search in contents."""

    async def find(content_ids: list[int], query: str, limit: int) -> KeywordMatches:
        return await database.read(lambda db: keywords.search(db, content_ids, query, limit))

    return find


@pytest.mark.parametrize(
    ("texts", "query", "best"),
    [
        (["Cats sleep all day.", "Dogs bark at cats.", "Dogs barked and were barking."], "barking dog", 2),
        (["北京是中国的首都。", "上海是港口城市。", "中国有很多城市。"], "哪个是港口城市", 1),
    ],
)
async def test_best_chunk_first(index: Index, search: Search, texts: list[str], query: str, best: int) -> None:
    await index(5, 10, texts)
    found = await search([5], query, 3)
    assert found.chunks[0] == (5, 10 + best)
    assert list(found.scores) == sorted(found.scores, reverse=True)
    assert 0 < found.coverage[0] <= 1


async def test_only_contents_in_scope_are_searched(index: Index, search: Search) -> None:
    await index(1, 0, ["apple pie", "apple tart"])
    await index(1, 2, ["apple cake"])
    await index(2, 0, ["apple secret"])
    assert set((await search([1], "apple", 10)).chunks) == {(1, 0), (1, 1), (1, 2)}
    assert (await search([1], "secret", 10)).chunks == []
    assert (await search([], "apple", 10)).chunks == []


async def test_coverage_is_the_share_of_the_query_that_a_chunk_holds(index: Index, search: Search) -> None:
    await index(1, 0, ["red green blue", "red", "yellow"])
    coverage = (await search([1], "red green blue", 9)).coverage
    assert coverage[0] == pytest.approx(1.0)
    assert 0 < coverage[1] < 0.5
    assert len(coverage) == 2
    assert (await search([1], "red unknownword", 9)).coverage[0] < 0.5


async def test_index_holds_no_readable_text(index: Index, database: Database) -> None:
    await index(1, 0, ["ZebraMarker 独角兽"])
    rows = await database.read(lambda db: [tuple(row) for t in metadata.sorted_tables for row in db.execute(select(t))])
    assert sum(len(row) == 3 for row in rows) == len(terms("ZebraMarker 独角兽"))
    assert "zebra" not in str(rows).lower() and "独角" not in str(rows)
