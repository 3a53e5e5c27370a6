"""Tool: SQL over the rows of the tables in a document, in a database that lives for one call and holds nothing else."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from domain.errors import ToolFailure
from domain.words import Words
from tools.interface import Found, ToolContext, ToolSpec, plain_line

MOST_ROWS, MOST_CHARS = 50, 8000
"""Rows and characters of a result that are shown."""
MOST_STEPS = 20_000_000
"""Instructions of SQLite's machine for one query: a second or so."""
LONGEST_CELL = 1_000_000
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}
NO_TABLE = Words("no document has a table", "文档中没有表格")
BAD_QUERY = Words("{error}; there are: {tables}", "{error}；现有：{tables}")

_BLOCK = re.compile(r"^\|(?P<header>.*)\|[ \t]*\n\|[\s:|-]*-[\s:|-]*\n(?P<rows>(?:\|.*(?:\n|\Z))*)", re.MULTILINE)
_CELL = re.compile(r"(?<!\\)\|")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14}|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d+)?")

Table = tuple[tuple[str, ...], list[list[str]]]


@tool(response_format="content_and_artifact", parse_docstring=True)
async def query_table(
    sql: Annotated[str, Field(min_length=1, max_length=2000)],
    runtime: ToolRuntime[ToolContext],
    document: Annotated[str, Field(max_length=500)] = "",
) -> tuple[str, Found]:
    """Run one SQLite SELECT over the tables of a document: count, sum, average, sort, filter (统计行数、合计、均值).

    Args:
        sql: A SELECT on t1, t2, ... (the tables in order), columns named as in their header row, in double quotes.
        runtime: Who asks.
        document: Name or id of the document; omit for the newest with a table.
    """
    context = runtime.context
    for note in reversed(await context.resources.documents.list(context.owner)):
        if document and document.casefold() not in (note["id"].casefold(), note["name"].casefold()):
            continue
        if note["status"] == "failed":
            continue
        pages = await context.resources.documents.pages(note["id"], context.owner)
        tables = await asyncio.to_thread(tables_of, [page["markdown"] for page in pages])
        if tables:
            columns, rows = await asyncio.to_thread(answered, tables, sql)
            shown = _shown(columns, rows)
            return Found(f"**{plain_line(note['name'])}**: {shown}", data={"columns": columns, "rows": rows}).answer()
    raise ToolFailure(reason=NO_TABLE)


def tables_of(pages: Sequence[str]) -> list[Table]:
    """Return the tables in the Markdown of pages; one that goes on under the same header is one table."""
    found: dict[tuple[str, ...], list[list[str]]] = {}
    for header, rows in (block for page in pages for block in _blocks(page)):
        found.setdefault(header, []).extend(rows)
    return list(found.items())


def _blocks(text: str) -> Iterator[Table]:
    for block in _BLOCK.finditer(text):
        names = [cell.strip() or f"column {place}" for place, cell in enumerate(_CELL.split(block["header"]), 1)]
        low = [name.casefold() for name in names]
        names = [f"{name} {place + 1}" if low[place] in low[:place] else name for place, name in enumerate(names)]
        cells = [[cell.strip() for cell in _CELL.split(row.strip().strip("|"))] for row in block["rows"].splitlines()]
        yield tuple(names), [(row + [""] * len(names))[: len(names)] for row in cells]


def answered(tables: Sequence[Table], sql: str) -> tuple[list[str], list[list[Any]]]:
    """Return the names of the columns and the first rows that a SELECT gives; numbers in cells are numbers.

    Raises:
        ToolFailure: It is no SELECT on these tables, or takes too long.
    """
    db = sqlite3.connect(":memory:")
    try:
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_CELL)
        for number, (names, rows) in enumerate(tables, 1):
            quoted = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in names)
            db.execute(f"CREATE TABLE t{number} ({quoted})")
            marks = ", ".join("?" * len(names))
            db.executemany(f"INSERT INTO t{number} VALUES ({marks})", [[_value(cell) for cell in row] for row in rows])
        db.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY)
        db.set_progress_handler(lambda: 1, MOST_STEPS)
        cursor = db.execute(sql)
        return [column[0] for column in cursor.description or ()], [list(row) for row in cursor.fetchmany(MOST_ROWS)]
    except sqlite3.Error as exc:
        there = "; ".join(f"t{number}({', '.join(names)})" for number, (names, _) in enumerate(tables, 1))
        reason = Words(*(text.format(error=exc, tables=there[:MOST_CHARS]) for text in BAD_QUERY))
        raise ToolFailure(reason=reason) from exc
    finally:
        db.close()


def _value(cell: str) -> str | int | float:
    """Read a cell as a number where that loses nothing but the zeros at its end."""
    if not _NUMBER.fullmatch(cell):
        return cell or ""
    plain = cell.replace(",", "")
    return float(plain) if "." in plain else int(plain)


def _shown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if len(rows) == len(columns) == 1:
        return str(rows[0][0])
    lines = [columns, ["---"] * len(columns), *rows]
    return ("\n\n" + "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines))[:MOST_CHARS]


SPEC = ToolSpec(
    tool=query_table,
    title=Words("Query tables", "查询表格"),
    permission="read",
    examples=(
        "Which product in the price list is the cheapest?",
        "What is the average of the salary column?",
        "价目表里哪一种最便宜？",
        "工资这一列的平均值是多少？",
    ),
    fits=lambda turn: turn.documents,
    needs=Words("The conversation needs a document.", "会话中要有文档。"),
    timeout=10,
)
