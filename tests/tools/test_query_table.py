from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from domain.owner import Owner
from models.embeddings.registry import MissingEmbedder
from settings import Settings
from stores.library.documents import Documents
from stores.library.pages import PageText
from stores.sql.database import Database
from tools.interface import Caller
from tools.query_table import tables_of
from tools.registry import ToolRegistry

HEAD = "| SKU | Product | Unit price | Stock |\n| --- | --- | --- | --- |\n"
PAGES = [
    f"# Prices\n\n{HEAD}| 007 | Brass hinge | 4.20 | 1,310 |\n| 008 | Steel \\| hinge | 2.75 | 540 |\n\nEnd.",
    f"{HEAD}| 009 | Mortice lock | 38.00 | 42 |\n\n| Shop | |\n| --- | --- |\n| North | 1 |",
]
MINE = Caller(owner=Owner("me", "t1"), language="en")
YOURS = Caller(owner=Owner("you", "t1"), language="zh")


@pytest.fixture
async def tools(settings: Settings) -> AsyncIterator[ToolRegistry]:
    database = await Database.open(settings)
    store = await Documents.open(settings, database, MissingEmbedder())
    ref = await store.attachments.put(b"x", name="prices.csv", owner=MINE.owner)
    content, _ = await store.contents.open(ref, key=ref["sha256"], origin="document", language="en")
    assert await store.contents.claim(content) == 0
    await store.contents.add_pages(content, [PageText(n, str(n), text) for n, text in enumerate(PAGES, 1)], [], [])
    await store.contents.finish(content, language="en")
    registry = ToolRegistry(settings, store)
    yield registry
    await registry.aclose()
    await store.aclose()
    await database.aclose()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT count(*) FROM t1", "**prices.csv**: 3"),
        ('SELECT sum("Stock") FROM t1', "**prices.csv**: 1892"),
        ('SELECT "SKU", "Product" FROM t1 ORDER BY "Unit price" DESC LIMIT 1', "| 009 | Mortice lock |"),
        ("SELECT * FROM t2", "| Shop | column 2 |\n| --- | --- |\n| North | 1 |"),
    ],
)
async def test_rows_over_pages_are_queried_by_sql(tools: ToolRegistry, sql: str, said: str) -> None:
    for document in ("", "prices.CSV"):
        outcome = await tools.call("query_table", {"sql": sql, "document": document}, MINE)
        assert outcome.run["status"] == "ok" and outcome.text.endswith(said), outcome.text


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE t1",
        "ATTACH DATABASE '/tmp/x.db' AS x",
        "PRAGMA database_list",
        "SELECT 1; SELECT 2",
        "SELECT nothing FROM t1",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "SELECT length(zeroblob(2000000))",
        "SELECT load_extension('x')",
    ],
)
async def test_anything_but_a_select_on_the_tables_fails_with_what_there_is(tools: ToolRegistry, sql: str) -> None:
    outcome = await tools.call("query_table", {"sql": sql}, MINE)
    assert outcome.run["status"] == "error" and "t1(SKU, Product, Unit price, Stock)" in outcome.text


async def test_another_user_has_no_table(tools: ToolRegistry) -> None:
    outcome = await tools.call("query_table", {"sql": "SELECT * FROM t1"}, YOURS)
    assert outcome.run["status"] == "error" and "没有表格" in outcome.text


def test_names_are_told_apart_and_short_rows_filled() -> None:
    text = "| A | a | |\n|---|---|---|\n| 1 |\n| 1 | 2 | 3 | 4 |"
    assert tables_of([text]) == [(("A", "a 2", "column 3"), [["1", "", ""], ["1", "2", "3"]])]
