"""Tool: SQL over the rows of the tables in a document, in a process that can read these tables and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from domain.errors import FileCorrupt, FileTooLarge, ReadingTimedOut, ToolFailure
from domain.types import Attachment
from domain.words import Words
from readers.tables import table
from stores.library.table_database import Answer, Refusal, described, select
from tools.interface import Found, ToolContext, ToolSpec, plain_line

MOST_ROWS, MOST_CHARS = 50, 8000
"""Rows and characters of a result that are shown."""
QUERY_SECONDS = 3
"""Of computing, for one query."""
NO_TABLE = Words("no document has a table", "文档中没有表格")
NO_SUCH = Words("no document called {name!r} has a table", "名为 {name!r} 的文档没有表格")
READING = Words("{name} is still being read", "{name} 仍在读取")
BAD_QUERY = Words("{error}; there are: {tables}", "{error}；现有：{tables}")
TOO_LONG = Words("the query takes too long; there are: {tables}", "查询耗时过长；现有：{tables}")
TOO_LARGE = Words("the query needs too much memory; there are: {tables}", "查询占用内存过多；现有：{tables}")
MORE = Words("The first {count} rows are shown.", "仅显示前 {count} 行。")


@tool(response_format="content_and_artifact", parse_docstring=True)
async def query_table(
    sql: Annotated[str, Field(min_length=1, max_length=4000)],
    runtime: ToolRuntime[ToolContext],
    document: Annotated[str, Field(max_length=500)] = "",
) -> tuple[str, Found]:
    """Run one SELECT (DuckDB SQL) over all rows of a document's tables: count, sum, group, sort (求和、统计、排序).

    Use it for every question that is answered by computing over a table. `DESCRIBE t1` tells columns and types.

    Args:
        sql: A SELECT on t1, t2, ... (the tables in order, or a sheet by its name), columns in double quotes as in their
            header row.
        runtime: Who asks.
        document: Name or id of the document; omit for the newest with a table.
    """
    context = runtime.context
    resources, owner, sandbox = context.resources, context.owner, context.resources.sandbox
    for note in _wanted(await resources.documents.list(owner), document):
        tables = await resources.documents.table_file(note["id"], owner, sandbox)
        try:
            answer: Answer | Refusal | None = await sandbox.run(
                select, *tables, sql, MOST_ROWS, name=note["name"], seconds=QUERY_SECONDS
            )
        except (ReadingTimedOut, FileTooLarge, FileCorrupt) as exc:
            there = "; ".join(await sandbox.run(described, *tables, name=note["name"]))[:MOST_CHARS]
            words = TOO_LONG if isinstance(exc, ReadingTimedOut) else TOO_LARGE
            raise ToolFailure(reason=_filled(words, tables=there)) from exc
        if answer is None:
            continue
        if "refused" in answer:
            there = "; ".join(answer["tables"])[:MOST_CHARS]
            raise ToolFailure(reason=_filled(BAD_QUERY, error=answer["refused"], tables=there))
        more = f"\n\n{MORE.text(context.language).format(count=MOST_ROWS)}" if answer["more"] else ""
        asked = plain_line(sql, 1000).replace("`", "'")
        text = f"**{plain_line(note['name'])}** `{asked}`: {_shown(answer['columns'], answer['rows'])}{more}"
        return Found(text, data={"document": note["name"], "sql": sql, **answer}).answer()
    raise ToolFailure(reason=_filled(NO_SUCH, name=document) if document else NO_TABLE)


def _wanted(documents: Sequence[Attachment], wanted: str) -> list[Attachment]:
    """Return the documents that were read to their end, newest first; of a name or id if one is given.

    Raises:
        ToolFailure: The one that is asked for is still being read.
    """
    low = wanted.strip().casefold()
    named = [note for note in documents if low in ("", note["id"].casefold(), note["name"].casefold())]
    if named and named[-1]["status"] in ("queued", "reading"):
        raise ToolFailure(reason=_filled(READING, name=plain_line(named[-1]["name"])))
    return [note for note in reversed(named) if note["status"] == "ready"]


def _shown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if len(rows) == len(columns) == 1:
        return str(rows[0][0])
    cells = [["" if value is None else str(value) for value in row] for row in rows]
    return ("\n\n" + table(columns, cells))[:MOST_CHARS]


def _filled(words: Words, **given: object) -> Words:
    return Words(*(text.format(**given) for text in words))


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
)
