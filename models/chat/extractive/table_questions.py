"""Questions that a sheet answers by computing: which group has most, totals, averages, counts, and charts of these.

Three queries at most: what columns there are, what stands in those with few values, and the one that answers. Words of
the question that are names of columns or values of cells decide; where they decide nothing, it is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.asking import content
from domain.text import base_terms, has_han
from models.chat.extractive import texts
from models.chat.extractive.calls import Call, Schema
from models.chat.interface import TurnInput

TOOL, CHART, DELEGATE = "query_table", "draw_chart", "delegate"
LOOK: Final = "SUMMARIZE t1"
FEW: Final = 60
"""Most different values of a column whose values are looked at."""
SEPARATOR: Final = "\n"

_SHEET = re.compile(r"\.(?:csv|tsv|tab|xlsx|xlsb|xls|ods)$", re.IGNORECASE)
_LEAST = re.compile(r"(?i)\b(?:least|lowest|smallest|fewest|cheapest|worst|minimum)\b|最(?:少|低|小|便宜|差)")
_MOST = re.compile(
    r"(?i)\b(?:most|highest|largest|biggest|greatest|best|maximum|top|dearest)\b|最(?:多|高|大|贵|好)|第一名"
)
_MEAN = re.compile(r"(?i)\b(?:average|mean)\b|平均|均值")
_SUM = re.compile(r"(?i)\b(?:total|sum|altogether|in all)\b|合计|总计|总和|总共|总额|一共|求和|总数")
_COUNT = re.compile(r"(?i)\bhow many\b|多少(?:个|条|行|笔|家|人|种)|几(?:个|条|行|笔|家|人|种)")
_EARNED = re.compile(r"(?i)\b(?:sold|sells?|made|earn(?:ed|s)?|each|every|per)\b|[卖售得出了个的各每在里中请把成共]")
"""What is done to be counted, and words without a subject."""
_WHICH = re.compile(r"(?i)\b(?:which|who|whose)\b|哪|谁|什么")
_CHART = re.compile(
    r"(?i)\b(?:chart|plot|graph|draw|diagram)\b|图表|柱状图|条形图|折线图|饼图|画[出成个张]?.{0,12}图|图示"
)
_LINE, _PIE = re.compile(r"(?i)\bline\b|折线|趋势"), re.compile(r"(?i)\bpie\b|饼图")
_SINGLE = re.compile(r"(?i)cheap|expensive|dear|price|便宜|贵|单价|价格")
_NO_MEASURE = re.compile(r"(?i)^(?:id|no\.?|number|year|编号|序号|年份?|月份?)$")
_NUMBERS = re.compile(r"(?i)int|decimal|double|float|real|numeric")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, whether it holds numbers, and its different values where these are few."""

    name: str
    numeric: bool
    values: Sequence[str] = ()

    @property
    def quoted(self) -> str:
        """Its name in SQL."""
        return '"' + self.name.replace('"', '""') + '"'


def asks_a_table(turn: TurnInput) -> bool:
    """Tell whether a sheet is there and the message asks for what is computed from one."""
    if turn.kind != "passages" or not any(_SHEET.search(note["name"]) for note in turn.documents):
        return False
    return any(sign.search(turn.question) for sign in (_MOST, _LEAST, _MEAN, _SUM, _COUNT, _CHART))


def step(turn: TurnInput, tools: Mapping[str, Schema]) -> Call | str | None:
    """Return the next step towards the answer, or the answer, with its query, or what cannot be done.

    Where specialists are there, the first step is to hand the question to the one for tables. None: nothing of this.
    """
    looked = [result for result in turn.results if result.tool == TOOL]
    if not asks_a_table(turn) or any(result.failed for result in turn.results) or TOOL not in tools:
        return None
    if not looked:
        if DELEGATE in tools and CHART not in tools:
            return Call(DELEGATE, {"agent": "analyst", "task": turn.question, "direct": True})
        return _query(LOOK, turn)
    columns = _columns(looked[0].data)
    few = [column for column, distinct in columns if not column.numeric and distinct <= FEW]
    if len(looked) == 1 and few:
        lists = ", ".join(f"string_agg(DISTINCT {column.quoted}, chr(10)) AS {column.quoted}" for column in few)
        return _query(f"SELECT {lists} FROM t1", turn)
    asked = looked[1 if few else 0]
    known = [_with_values(column, asked.data) if column in few else column for column, _ in columns]
    if len(looked) == (2 if few else 1):
        sql = sql_of(turn.question, known)
        names = ", ".join(column.name for column, _ in columns)
        return _query(sql, turn) if sql else texts.CANNOT_COMPUTE.text(turn.language).format(columns=names)
    drawn = any(result.tool == CHART for result in turn.results)
    wants = CHART in tools and not drawn and _CHART.search(turn.question)
    return (_chart(turn, looked[-1].data) if wants else None) or looked[-1].text


def sql_of(question: str, columns: Sequence[Column]) -> str | None:
    """Return the query that answers the question; None where its words do not say which columns are meant."""
    filters = [(column, value) for column in columns if (value := _value_in(question, column))]
    wanted = [f"{column.quoted} = '{value.replace(chr(39), chr(39) * 2)}'" for column, value in filters]
    where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    measures = [column for column in columns if column.numeric and not _NO_MEASURE.match(column.name)]
    named = [column for column in measures if _is_named(column, question)]
    measure = named[0] if named else measures[0] if len(measures) == 1 and not _else_named(question, columns) else None
    if _COUNT.search(question) and not named:
        return f"SELECT count(*) FROM t1{where}" if where else None
    if measure is None:
        return None
    groups = [column for column in columns if not column.numeric and column not in [kept for kept, _ in filters]]
    group = next((column for column in groups if _is_named(column, question)), None)
    ranks = _MOST.search(question) or _LEAST.search(question)
    if group is None and ranks and len(groups) == 1 and _WHICH.search(question):
        group = groups[0]
    aggregate = _aggregate(question, ranked=group is not None and ranks is not None)
    value = f"{aggregate}({measure.quoted}) AS {measure.quoted}"
    if group is None:
        return f"SELECT {value} FROM t1{where}" if not ranks or aggregate in ("min", "max") else None
    down = "" if _LEAST.search(question) else " DESC"
    one = " LIMIT 1" if ranks and not _CHART.search(question) else ""
    return f"SELECT {group.quoted}, {value} FROM t1{where} GROUP BY 1 ORDER BY 2{down}{one}"


def _else_named(question: str, columns: Sequence[Column]) -> list[str]:
    """Return what the question names beside columns, values and the kind of answer: it may be what is to be counted."""
    rest = question.casefold()
    for sign in (_MOST, _LEAST, _MEAN, _SUM, _COUNT, _CHART, _WHICH, _EARNED):
        rest = sign.sub(" ", rest)
    for column in columns:
        for known in (column.name.casefold(), _value_in(rest, column).casefold()):
            rest = rest.replace(known, " ") if known else rest
    return content(rest)


def _aggregate(question: str, *, ranked: bool) -> str:
    if _MEAN.search(question):
        return "avg"
    extreme = "min" if _LEAST.search(question) else "max" if _MOST.search(question) else ""
    return extreme if extreme and (not ranked or _SINGLE.search(question)) else "sum"


def _query(sql: str, turn: TurnInput) -> Call:
    """Return a query of the sheet that the question names, else of the newest."""
    sheets = [note["name"] for note in turn.documents if _SHEET.search(note["name"])]
    named = [name for name in sheets if name.rpartition(".")[0].casefold() in turn.question.casefold()]
    return Call(TOOL, {"sql": sql, "document": (named or sheets)[-1]})


def _columns(data: Mapping[str, Any]) -> list[tuple[Column, int]]:
    """Return what SUMMARIZE says: each column, with how many different values it has."""
    heads = list(data.get("columns", []))
    rows = [dict(zip(heads, row, strict=True)) for row in data.get("rows", [])]
    return [
        (
            Column(str(row["column_name"]), _NUMBERS.search(str(row["column_type"])) is not None),
            int(row.get("approx_unique") or 0),
        )
        for row in rows
    ]


def _with_values(column: Column, data: Mapping[str, Any]) -> Column:
    rows = data.get("rows", [])
    listed = dict(zip(data.get("columns", []), rows[0], strict=True)).get(column.name) if rows else None
    return Column(column.name, column.numeric, str(listed or "").split(SEPARATOR))


def _value_in(question: str, column: Column) -> str:
    """Return the longest value of a column that the question names as a word."""
    low = question.casefold()
    found = [value for value in column.values if value.strip() and _stands_in(value.strip().casefold(), low)]
    return max(found, key=len, default="")


def _stands_in(word: str, text: str) -> bool:
    edge = "" if has_han(word) else r"(?<![a-z0-9]){}(?![a-z0-9])"
    return word in text if not edge else re.search(edge.format(re.escape(word)), text) is not None


def _is_named(column: Column, question: str) -> bool:
    """Whether the question names a column: all its words, or in Chinese its name or the end of it."""
    name = column.name.casefold()
    if has_han(name):
        return name in question or (len(name) > 2 and name[:2] in question)
    return bool(words := set(base_terms(name))) and words <= set(base_terms(question))


def _chart(turn: TurnInput, data: Mapping[str, Any]) -> Call | None:
    """Return the call that draws a result of two columns."""
    rows = [row for row in data.get("rows", []) if len(row) == 2 and row[1] is not None]
    if not rows:
        return None
    kind = "pie" if _PIE.search(turn.question) else "line" if _LINE.search(turn.question) else "bar"
    series = [{"name": str(data["columns"][1]), "values": [float(row[1]) for row in rows]}]
    labels = [str(row[0])[:100] for row in rows]
    return Call(CHART, {"kind": kind, "title": turn.question[:200], "labels": labels, "series": series})
