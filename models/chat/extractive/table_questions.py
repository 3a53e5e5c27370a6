"""Questions that a sheet answers by computing: which group has most, totals, averages, counts, and charts of these.

Two queries at most: what columns there are, with what stands in those of few values, and the one that answers. Words
of the question that are names of columns or values of cells decide; where they decide nothing, it is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.asking import content
from domain.text import base_terms, has_han
from domain.units import header_of
from models.chat.extractive import texts
from models.chat.extractive.calls import DELEGATE, Call, Schema
from models.chat.interface import TurnInput

TOOL, CHART = "query_table", "draw_chart"
LOOK: Final = (
    "SELECT typeof(any_value(COLUMNS(*))), CASE WHEN count(DISTINCT COLUMNS(*)) <= 60 "
    "THEN string_agg(DISTINCT COLUMNS(*)::VARCHAR, chr(10)) END FROM t1"
)
"""One row: the types of all columns, then their different values, a line each, where these are few."""
COMPUTED: Final = {"least", "most", "mean", "sum", "count", "chart"}

_SHEET = re.compile(r"\.(?:csv|tsv|tab|xlsx|xlsb|xls|ods)$", re.IGNORECASE)
_SIGNS: Final = {name: re.compile(words, re.IGNORECASE) for name, words in {
    "least": r"\b(?:least|lowest|smallest|fewest|cheapest|worst|minimum)\b|最(?:少|低|小|便宜|差)",
    "most": r"\b(?:most|highest|largest|biggest|greatest|best|maximum|top|dearest)\b|最(?:多|高|大|贵|好)|第一名",
    "mean": r"\b(?:average|mean)\b|平均|均值",
    "sum": r"\b(?:total|sum|altogether|in all)\b|合计|总计|总和|总共|总额|一共|求和|总数",
    "count": r"\bhow many\b|(?:多少|几)(?:个|条|行|笔|家|人|种)",
    "chart": r"\b(?:chart|plot|graph|draw|diagram)\b|图表|柱状图|条形图|折线图|饼图|画[出成个张]?.{0,12}图|图示",
    "pie": r"\bpie\b|饼图",
    "line": r"\bline\b|折线|趋势",
    "which": r"\b(?:which|who|whose)\b|哪|谁|什么",
    "rows": r"\b(?:rows|records|entries|lines|items|list|table|(?:spread)?sheet|file)\b|名?单|表格?|记录|几行",
    "": r"\b(?:sold|sells?|made|earn(?:ed|s)?|each|every|per|are|there)\b|[卖售得出了个的各每在里中请把成共有上几]",
}.items()}  # fmt: skip
"""How each thing that can be computed is asked for, and of what; last, words that name nothing."""
_FRAME = re.compile("|".join(sign.pattern for sign in _SIGNS.values()), re.IGNORECASE)
_SINGLE = re.compile(r"(?i)cheap|expensive|dear|price|便宜|贵|单价|价格")
_NO_MEASURE = re.compile(r"(?i)^(?:id|no\.?|number|year|编号|序号|年份?|月份?)$")
_NUMBERS = re.compile(r"(?i)int|decimal|double|float|real|numeric")


def step(turn: TurnInput, tools: Mapping[str, Schema]) -> Call | str | None:
    """Return the next step towards the answer, or the answer, with its query, or what cannot be done.

    Where specialists are there, the first step is to hand the question to the one for tables. None: nothing of this.
    """
    looked = [result for result in turn.results if result.tool == TOOL]
    failed = any(result.failed for result in turn.results)
    if failed or turn.kind != "passages" or TOOL not in tools or COMPUTED.isdisjoint(_asked(turn.question)):
        return None
    sheets = [note["name"] for note in turn.documents if _SHEET.search(note["name"])]
    if not sheets:
        counted = any(header_of(source["text"]) for source in turn.sources) and sql_of(turn.question, {})
        return Call(TOOL, {"sql": counted}) if counted and not looked else None
    named = [name for name in sheets if name.rpartition(".")[0].casefold() in turn.question.casefold()]
    sheet = (named or sheets)[-1]
    if not looked:
        alone = CHART in tools or DELEGATE not in tools
        handed_over = Call(DELEGATE, {"agent": "analyst", "task": turn.question, "direct": True})
        return Call(TOOL, {"sql": LOOK, "document": sheet}) if alone else handed_over
    if len(looked) > 1:
        return _chart(turn, tools, looked[-1].data) or looked[-1].text
    (row,), names = looked[0].data["rows"], looked[0].data["columns"]
    kinds = zip(names, row, row[len(row) // 2 :], strict=False)
    columns = {name: None if _NUMBERS.search(kind) else (values or "").split("\n") for name, kind, values in kinds}
    if sql := sql_of(turn.question, columns):
        return Call(TOOL, {"sql": sql, "document": sheet})
    return texts.CANNOT_COMPUTE.text(turn.language).format(columns=", ".join(columns))


def sql_of(question: str, columns: Mapping[str, Sequence[str] | None]) -> str | None:
    """Return the query that answers the question; None where its words do not say which columns are meant.

    `columns` are their names, each with its different values where these are few; None where they are numbers.
    """
    asked, terms = _asked(question), frozenset(base_terms(question))
    cells = {name: [one for one in values or () if _is_in(terms, one)] for name, values in columns.items()}
    kept = {name: max(held, key=len) for name, held in cells.items() if held}
    wanted = " AND ".join(f"{_quoted(name)} = {_quoted(value, chr(39))}" for name, value in kept.items())
    table = f"FROM t1 WHERE {wanted}" if wanted else "FROM t1"
    named = [name for name in columns if _is_in(terms, name[:2] if has_han(name) else name)]
    measures = [name for name, values in columns.items() if values is None and not _NO_MEASURE.match(name)]
    groups = [name for name, values in columns.items() if values is not None and name not in kept]
    known, rest = base_terms("\n".join([*columns, *kept.values()])), content(_FRAME.sub("\n", question))
    others = {term for term in rest if len(term) == 1 or not has_han(term)}.difference(known)
    if "count" in asked and not set(named) & set(measures):
        return f"SELECT count(*) {table}" if kept or ("rows" in asked and len(others) <= 1) else None
    alone = measures[0] if len(measures) == 1 and not others else ""
    measure = _quoted(next((name for name in measures if name in named), alone))
    if measure == _quoted(""):
        return None
    ranks = not asked.isdisjoint(("most", "least"))
    alone = groups[0] if len(groups) == 1 and ranks and "which" in asked else ""
    group = next((name for name in groups if name in named), alone)
    extreme, down = ("min", "") if "least" in asked else ("max", " DESC")
    single = ranks and (not group or _SINGLE.search(question))
    value = f"{'avg' if 'mean' in asked else extreme if single else 'sum'}({measure}) AS {measure}"
    if not group:
        return None if ranks and "mean" in asked else f"SELECT {value} {table}"
    first = " LIMIT 1" if ranks and "chart" not in asked else ""
    return f"SELECT {_quoted(group)}, {value} {table} GROUP BY 1 ORDER BY 2{down}{first}"


def _asked(question: str) -> set[str]:
    return {name for name, sign in _SIGNS.items() if sign.search(question)}


def _is_in(terms: frozenset[str], name: str) -> bool:
    return bool(words := base_terms(name)) and terms.issuperset(words)


def _quoted(text: str, mark: str = '"') -> str:
    return mark + text.replace(mark, mark * 2) + mark


def _chart(turn: TurnInput, tools: Mapping[str, Schema], data: Mapping[str, Any]) -> Call | None:
    """Return the call that draws a result of two columns, where that is asked for and not done."""
    asked = _asked(turn.question)
    rows = [row for row in data.get("rows", []) if len(row) == 2 and row[1] is not None]
    if not rows or "chart" not in asked or CHART not in tools or turn.results[-1].tool == CHART:
        return None
    kind = next((kind for kind in ("pie", "line") if kind in asked), "bar")
    series = [{"name": str(data["columns"][1]), "values": [float(row[1]) for row in rows]}]
    labels = [str(row[0])[:100] for row in rows]
    return Call(CHART, {"kind": kind, "title": turn.question[:200], "labels": labels, "series": series})
