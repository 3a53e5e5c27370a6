"""Questions that a sheet answers by computing: which group has most, totals, averages, counts, and charts of these.

Two queries at most: what columns there are, with what stands in those of few values, and the one that answers. Words
of the question that are names of columns or values of cells decide; where they decide nothing, it is said.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from domain.asking import content
from domain.text import base_terms, has_han
from domain.units import header_of
from models.chat.extractive import texts
from models.chat.extractive.calls import DELEGATE, Call, Schema, hand_over
from models.chat.interface import TurnInput

TOOL, CHART = "query_table", "draw_chart"
FEW: Final = 60
"""Most different values of a column whose values are looked at."""
LOOK: Final = (
    f"SELECT typeof(any_value(COLUMNS(*))), CASE WHEN count(DISTINCT COLUMNS(*)) <= {FEW} "
    "THEN string_agg(DISTINCT COLUMNS(*)::VARCHAR, chr(10)) END FROM t1"
)
"""One row: the types of all columns, then their different values, a line each, where these are few."""

_SHEET = re.compile(r"\.(?:csv|tsv|tab|xlsx|xlsb|xls|ods)$", re.IGNORECASE)
_SIGNS: Final = {name: re.compile(words, re.IGNORECASE) for name, words in {
    "least": r"\b(?:least|lowest|smallest|fewest|cheapest|worst|minimum)\b|最(?:少|低|小|便宜|差)",
    "most": r"\b(?:most|highest|largest|biggest|greatest|best|maximum|top|dearest)\b|最(?:多|高|大|贵|好)|第一名",
    "mean": r"\b(?:average|mean)\b|平均|均值",
    "sum": r"\b(?:total|sum|altogether|in all)\b|合计|总计|总和|总共|总额|一共|求和|总数",
    "count": r"\bhow many\b|(?:多少|几)(?:个|条|行|笔|家|人|种)",
    "chart": r"\b(?:chart|plot|graph|draw|diagram)\b|图表|柱状图|条形图|折线图|饼图|画[出成个张]?.{0,12}图|图示",
}.items()}  # fmt: skip
"""How each thing that can be computed is asked for."""
_WHICH = re.compile(r"(?i)\b(?:which|who|whose)\b|哪|谁|什么")
_ROWS = re.compile(
    r"(?i)\b(?:rows|records|entries|lines|items|list|table|(?:spread)?sheet|file)\b|名?单|表格?|记录|几行"
)
"""What is counted where rows are, or what they stand in."""
_EARNED = re.compile(
    r"(?i)\b(?:sold|sells?|made|earn(?:ed|s)?|each|every|per|are|there)\b|[卖售得出了个的各每在里中请把成共有上几]"
)
"""What is done to be counted, and words without a subject."""
_SINGLE = re.compile(r"(?i)cheap|expensive|dear|price|便宜|贵|单价|价格")
_NO_MEASURE = re.compile(r"(?i)^(?:id|no\.?|number|year|编号|序号|年份?|月份?)$")
_NUMBERS = re.compile(r"(?i)int|decimal|double|float|real|numeric")
_KINDS: Final = {"pie": re.compile(r"(?i)\bpie\b|饼图"), "line": re.compile(r"(?i)\bline\b|折线|趋势")}


class Column(NamedTuple):
    """A column: its name, whether it holds numbers, and its different values where these are few."""

    name: str
    numeric: bool
    values: Sequence[str] = ()

    @property
    def quoted(self) -> str:
        """Its name in SQL."""
        return '"' + self.name.replace('"', '""') + '"'

    def is_named(self, question: str) -> bool:
        """Whether the question names it: all its words, or in Chinese how it begins."""
        if has_han(self.name):
            return self.name[:2].casefold() in question.casefold()
        return _stands_in(self.name, set(base_terms(question)))


def step(turn: TurnInput, tools: Mapping[str, Schema]) -> Call | str | None:
    """Return the next step towards the answer, or the answer, with its query, or what cannot be done.

    Where specialists are there, the first step is to hand the question to the one for tables. None: nothing of this.
    """
    asked, looked = _asked(turn.question), [result for result in turn.results if result.tool == TOOL]
    failed = any(result.failed for result in turn.results)
    if not asked or turn.kind != "passages" or failed or TOOL not in tools:
        return None
    if not (sheet := _sheet(turn)):
        rows = any(header_of(source["text"]) for source in turn.sources) and sql_of(turn.question, ())
        return Call(TOOL, {"sql": rows}) if rows and not looked else None
    if not looked:
        alone = CHART in tools or DELEGATE not in tools
        return Call(TOOL, {"sql": LOOK, "document": sheet}) if alone else hand_over("analyst", turn)
    if len(looked) == 1:
        columns = _columns(looked[0].data)
        if sql := sql_of(turn.question, columns):
            return Call(TOOL, {"sql": sql, "document": sheet})
        return texts.CANNOT_COMPUTE.text(turn.language).format(columns=", ".join(column.name for column in columns))
    drawn = any(result.tool == CHART for result in turn.results) or CHART not in tools
    return (_chart(turn, looked[-1].data) if "chart" in asked and not drawn else None) or looked[-1].text


def sql_of(question: str, columns: Sequence[Column]) -> str | None:
    """Return the query that answers the question; None where its words do not say which columns are meant."""
    asked, held = _asked(question), set(base_terms(question))
    values = [(column, max((one for one in column.values if _stands_in(one, held)), key=len, default=""))
              for column in columns]  # fmt: skip
    kept = {column.name: value for column, value in values if value}
    wanted = [f"{column.quoted} = '{value.replace(chr(39), chr(39) * 2)}'" for column, value in values if value]
    where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    left = _left(question, [*(column.name for column in columns), *kept.values()])
    measures = [column for column in columns if column.numeric and not _NO_MEASURE.match(column.name)]
    named = [column for column in measures if column.is_named(question)]
    if "count" in asked and not named:
        rows = wanted or (_ROWS.search(question) and len(left) <= 1)
        return f"SELECT count(*) FROM t1{where}" if rows else None
    measure = named[0] if named else measures[0] if len(measures) == 1 and not left else None
    if measure is None:
        return None
    groups = [column for column in columns if not column.numeric and column.name not in kept]
    group = next((column for column in groups if column.is_named(question)), None)
    ranks = asked & {"most", "least"}
    if group is None and ranks and len(groups) == 1 and _WHICH.search(question):
        group = groups[0]
    extreme = "min" if "least" in asked else "max"
    single = bool(ranks) and (group is None or _SINGLE.search(question) is not None)
    aggregate = "avg" if "mean" in asked else extreme if single else "sum"
    value = f"{aggregate}({measure.quoted}) AS {measure.quoted}"
    if group is None:
        return f"SELECT {value} FROM t1{where}" if not ranks or aggregate == extreme else None
    down = "" if "least" in asked else " DESC"
    one = " LIMIT 1" if ranks and "chart" not in asked else ""
    return f"SELECT {group.quoted}, {value} FROM t1{where} GROUP BY 1 ORDER BY 2{down}{one}"


def _asked(question: str) -> set[str]:
    return {name for name, sign in _SIGNS.items() if sign.search(question)}


def _left(question: str, known: Sequence[str]) -> set[str]:
    """Return what the question names beside what is known and the kind of answer: it may be what is to be counted."""
    for sign in (*_SIGNS.values(), _WHICH, _EARNED, _ROWS):
        question = sign.sub("\n", question)
    left = set(content(question)).difference(*map(base_terms, known))
    return {term for term in left if len(term) == 1 or not has_han(term)}


def _stands_in(name: str, terms: Collection[str]) -> bool:
    return bool(words := base_terms(name)) and all(word in terms for word in words)


def _sheet(turn: TurnInput) -> str:
    """Return the sheet that the question names, else the newest; empty without any."""
    sheets = [note["name"] for note in turn.documents if _SHEET.search(note["name"])]
    named = [name for name in sheets if name.rpartition(".")[0].casefold() in turn.question.casefold()]
    return (named or sheets or [""])[-1]


def _columns(data: Mapping[str, Any]) -> list[Column]:
    """Return what `LOOK` says of each column."""
    names, (row,) = data["columns"], data["rows"]
    half = len(names) // 2
    kinds = [(name, _NUMBERS.search(kind) is not None) for name, kind in zip(names[:half], row, strict=False)]
    return [Column(name, numeric, () if numeric else (values or "").split("\n"))
            for (name, numeric), values in zip(kinds, row[half:], strict=True)]  # fmt: skip


def _chart(turn: TurnInput, data: Mapping[str, Any]) -> Call | None:
    """Return the call that draws a result of two columns."""
    rows = [row for row in data.get("rows", []) if len(row) == 2 and row[1] is not None]
    if not rows:
        return None
    kind = next((kind for kind, sign in _KINDS.items() if sign.search(turn.question)), "bar")
    series = [{"name": str(data["columns"][1]), "values": [float(row[1]) for row in rows]}]
    labels = [str(row[0])[:100] for row in rows]
    return Call(CHART, {"kind": kind, "title": turn.question[:200], "labels": labels, "series": series})
