"""SQL over tables of documents: computed over all rows, typed, locked, in a process that can be killed."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from domain.owner import Owner
from models.embeddings.registry import MissingEmbedder
from readers.tables import table_blocks
from settings import Settings
from stores.library.documents import Documents
from stores.library.pages import PageText
from stores.sql.database import Database
from tools.interface import Caller, ToolOutcome
from tools.query_table import MOST_ROWS
from tools.registry import ToolRegistry
from workers.sandbox import Sandbox

HEAD = "| SKU | Product | Unit price | Stock |\n| --- | --- | --- | --- |\n"
PAGES = [
    f"# Prices\n\n{HEAD}| 007 | Brass hinge | 4.20 | 1,310 |\n| 008 | Steel \\| hinge | 2.75 | 540 |\n\nEnd.",
    f"{HEAD}| 009 | Mortice lock | 38.00 | 42 |\n\n| Shop | |\n| --- | --- |\n| North | 1 |",
]
MINE = Caller(owner=Owner("me", "t1"), language="en")
YOURS = Caller(owner=Owner("you", "t1"), language="zh")


class Shelf:
    """Documents, put there as readers would."""

    def __init__(self, store: Documents, registry: ToolRegistry, folder: Path) -> None:
        self.store, self.registry, self.folder = store, registry, folder

    async def put(self, name: str, pages: Sequence[tuple[str, str]], unit: str = "page") -> int:
        from readers.interface import Outline

        ref = await self.store.attachments.put(name.encode(), name=name, owner=MINE.owner)
        content, _ = await self.store.contents.open(ref, key=ref["sha256"], origin="document", language="en")
        assert await self.store.contents.claim(content) == 0
        await self.store.contents.outline(content, Outline("text/plain", unit, len(pages)))  # type: ignore[arg-type]
        made = [PageText(number, label, text) for number, (label, text) in enumerate(pages, 1)]
        await self.store.contents.add_pages(content, made, [], [])
        await self.store.contents.finish(content, language="en")
        return content

    async def ask(self, sql: str, document: str = "prices.csv", caller: Caller = MINE) -> ToolOutcome:
        return await self.registry.call("query_table", {"sql": sql, "document": document}, caller)


@pytest.fixture(scope="module")
async def shelf(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> AsyncIterator[Shelf]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("tables"), _env_file=None)
    database = await Database.open(settings)
    store = await Documents.open(settings, database, MissingEmbedder())
    registry = ToolRegistry(settings, store, sandbox=sandbox)
    made = Shelf(store, registry, settings.data_dir / "tables")
    await made.put("prices.csv", [(str(number), text) for number, text in enumerate(PAGES, 1)])
    yield made
    await registry.aclose()
    await store.aclose()
    await database.aclose()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT count(*) FROM t1", ": 3"),
        ('SELECT sum("Stock") FROM t1;', ": 1892"),
        ('SELECT "SKU", "Product" FROM t1 ORDER BY "Unit price" DESC LIMIT 1', "| 009 | Mortice lock |"),
        ("SELECT Product FROM t1 WHERE SKU = '008'", ": Steel | hinge"),
        ("SELECT * FROM t2", "| Shop | column 2 |\n| --- | --- |\n| North | 1 |"),
        ('FROM t1 SELECT sum("Unit price" * Stock)', ": 8583.00"),
        ("DESCRIBE t1", "| Unit price | DECIMAL(18,2) |"),
        ("SHOW TABLES", "| t1 |\n| t2 |"),
    ],
)
async def test_rows_over_pages_are_queried_and_shown_with_the_query(shelf: Shelf, sql: str, said: str) -> None:
    outcome = await shelf.ask(sql, "prices.CSV")
    assert outcome.run["status"] == "ok" and said in outcome.text, outcome.text
    assert outcome.text.startswith(f"**prices.csv** `{sql}`: ") and outcome.data["sql"] == sql
    json.dumps(outcome.data)


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE t1",
        "ATTACH '/tmp/x.db' AS x",
        "COPY t1 TO '/tmp/out.csv'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "CREATE TABLE z AS SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT * FROM query('DROP TABLE t1')",
        "SELECT nothing FROM t1",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/proc/self/environ')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_csv('http://127.0.0.1:1/x')",
        "SELECT * FROM sqlite_scan('catalog.sqlite3', 'documents')",
        "SELECT getenv('HOME')",
        "SELECT * FROM DUCKDB_settings()",
        'SELECT * FROM "duckdb_settings"()',
        "SELECT current_setting('home_directory')",
        "SELECT repeat('x', 4000000000)",
    ],
)
async def test_anything_but_a_select_on_the_tables_fails_with_what_there_is(shelf: Shelf, sql: str) -> None:
    outcome = await shelf.ask(sql)
    assert outcome.run["status"] == "error" and 't1 [1], 3 rows: "SKU" VARCHAR, "Product" VARCHAR' in outcome.text
    assert "/work" not in outcome.text and "root:" not in outcome.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT count(*) FROM range(100000000000) a, range(100000) b", "too long"),
        ("WITH RECURSIVE r AS (SELECT 1 i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r", "too long"),
        ("SELECT list(range) FROM range(2000000000)", "memory"),
        ("SELECT array_agg(x) FROM (SELECT repeat('a', 1000000) x FROM range(1000))", "memory"),
    ],
)
async def test_endless_and_huge_queries_are_ended(shelf: Shelf, sql: str, said: str) -> None:
    outcome = await shelf.ask(sql)
    assert outcome.run["status"] == "error" and said in outcome.text and "t1 [1]" in outcome.text


async def test_a_query_that_takes_too_long_is_killed(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.query_table.QUERY_SECONDS", 0.5)
    outcome = await shelf.ask("SELECT count(*) FROM range(100000000000) a, range(100000) b")
    assert outcome.run["status"] == "error" and "too long" in outcome.text


async def test_another_user_has_no_table(shelf: Shelf) -> None:
    outcome = await shelf.ask("SELECT * FROM t1", "", YOURS)
    assert outcome.run["status"] == "error" and "没有表格" in outcome.text


async def test_a_deleted_document_leaves_no_table(shelf: Shelf) -> None:
    content = await shelf.put("gone.csv", [("1", "| A | B |\n| --- | --- |\n| 1 | 2 |")])
    assert (await shelf.ask("SELECT sum(A) FROM t1", "gone.csv")).text.endswith(": 1")
    file = shelf.folder / str(content) / "tables.duckdb"
    assert file.is_file() and file.stat().st_size < 100_000
    made = file.stat()
    await shelf.store.tables.make(content, shelf.registry.context(MINE).resources.sandbox)  # two may make it at once
    assert file.stat().st_ino == made.st_ino and file.stat().st_mtime_ns == made.st_mtime_ns, "others may be reading it"
    note = next(item for item in await shelf.store.list(MINE.owner) if item["name"] == "gone.csv")
    await shelf.store.delete(note["id"], MINE.owner)
    assert not file.parent.exists() and not list((shelf.folder / "incoming").iterdir())
    assert "gone.csv" in (await shelf.ask("SELECT 1", "gone.csv")).text


async def test_sheets_are_tables_by_name_and_typed(shelf: Shelf) -> None:
    sheets = [
        ("销售", "# 销售\n\n| 区域 | 季度 | 营收 | 增长 | 日期 |\n| --- | --- | --- | --- | --- |\n"
         "| 华东 | Q3 | ¥1,200.50 | 12.5% | 2026/7/1 |\n| 华北 | Q3 | ¥900 | - | 2026-07-02 |\n"
         "| 华东 | Q2 | ¥5,000 | 3% | 2026年4月5日 |"),
        ("Costs", "# Costs\n\n| 区域 | 季度 | 营收 | 增长 | 日期 |\n| --- | --- | --- | --- | --- |\n"
         "| 华东 | Q3 | ¥1 | 1% | 2026-07-01 |"),
    ]  # fmt: skip
    await shelf.put("sales.xlsx", sheets, "sheet")
    best = await shelf.ask(
        "SELECT 区域, sum(营收) FROM \"销售\" WHERE 季度 = 'Q3' GROUP BY ALL ORDER BY 2 DESC", "sales.xlsx"
    )
    assert best.data["rows"] == [["华东", "1200.50"], ["华北", "900.00"]]
    rows = (await shelf.ask("SELECT max(日期), avg(增长) FROM t1", "sales.xlsx")).data["rows"]
    assert rows == [["2026-07-02", 7.75]]
    assert (await shelf.ask("SELECT count(*) FROM Costs", "sales.xlsx")).data["rows"] == [[1]]
    there = (await shelf.ask("SELECT x FROM t1", "sales.xlsx")).text
    assert 't1 [销售], 3 rows: "区域" VARCHAR' in there and '"营收" DECIMAL(18,2) in ¥' in there and "in %" in there


@pytest.mark.slow
async def test_200_000_rows_are_answered_in_a_second(shelf: Shelf) -> None:
    regions = ("华东", "华北", "华南", "西南")
    rows = [[str(at), regions[at % 4], f"Q{at % 3 + 1}", f"{at % 1000}.25"] for at in range(200_000)]
    blocks = [("1", block) for _, _, block in table_blocks(["编号", "区域", "季度", "营收"], rows)]
    content = await shelf.put("large.csv", blocks)
    await shelf.store.tables.make(content, shelf.registry.context(MINE).resources.sandbox)
    sql = "SELECT 区域, sum(营收) AS s FROM t1 WHERE 季度 = 'Q3' GROUP BY 区域 ORDER BY s DESC LIMIT 1"
    started = time.perf_counter()
    outcome = await shelf.ask(sql, "large.csv")
    seconds = time.perf_counter() - started
    sums = {name: sum(Decimal(row[3]) for row in rows if row[1] == name and row[2] == "Q3") for name in regions}
    best = max(sums, key=lambda name: sums[name])
    assert outcome.data["rows"] == [[best, f"{sums[best]}"]] and seconds < 1
    many = await shelf.ask("SELECT * FROM t1", "large.csv")
    assert len(many.data["rows"]) == MOST_ROWS and many.data["more"] and "first 50 rows" in many.text
