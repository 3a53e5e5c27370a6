"""The analyst: computes answers from tables, and draws charts of them."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Annotated, Any, Literal

from langchain_core.tools import tool
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, ValidationError, model_validator

from agents import texts
from agents.interface import Agent, OwnStep, step_result
from domain.errors import Unfit
from domain.words import Words
from tools.interface import ToolSpec
from turn.context import Context
from turn.progress import emit, owner_of
from turn.state import CallInput, Update

MOST_LABELS, MOST_SERIES = 200, 12
Label = Annotated[str, Field(max_length=100)]


class Series(BaseModel):
    """Values of one line, one colour of bars, or the slices of a pie."""

    name: Label = ""
    values: Annotated[list[float | None], Field(min_length=1, max_length=MOST_LABELS)]


class Chart(BaseModel):
    """The arguments of `draw_chart`."""

    kind: Literal["bar", "line", "pie"]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    labels: Annotated[list[Label], Field(min_length=1, max_length=MOST_LABELS)]
    series: Annotated[list[Series], Field(min_length=1, max_length=MOST_SERIES)]

    @model_validator(mode="after")
    def _fits(self) -> Chart:
        if any(len(one.values) != len(self.labels) for one in self.series):
            raise Unfit("each series needs one value a label", "每个系列的数值个数须与标签一致")
        return self


@tool(args_schema=Chart)
def draw_chart(**_: Any) -> None:
    """Draw a chart of figures that a query gave, and show it to the user as a picture (画图、柱状图、折线图、饼图)."""


async def draw(state: CallInput, runtime: Runtime[Context]) -> Update:
    """Draw one chart and keep it as a file of the conversation."""
    call, language, started = state["call"], state["language"], time.perf_counter()
    try:
        chart = Chart.model_validate(call["args"])
    except ValidationError as exc:
        text = "; ".join(str(row["msg"]) for row in exc.errors(include_url=False)[:3])
        result = step_result(state, text, started, code="bad_arguments")
    else:
        data = await asyncio.to_thread(svg_of, chart)
        attachments = runtime.context.services.attachments
        file = await attachments.put(data, name=f"{chart.title}.svg", owner=owner_of(runtime))
        text = texts.DRAWN.text(language).format(title=chart.title, name=file["name"])
        result = step_result(state, text, started, files=[file])
    emit(runtime, "tool", result["run"])
    return Update(call_results=[result])


def svg_of(chart: Chart) -> bytes:
    """Return a chart as SVG: no scripts, nothing that is loaded from elsewhere."""
    import pygal
    from lxml import etree
    from pygal.style import CleanStyle

    # pygal puts a finder for its plug-ins behind every import of the process, of a kind that Python has given up.
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]
    style = CleanStyle(font_family="system-ui, 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif")
    made = {"bar": pygal.Bar, "line": pygal.Line, "pie": pygal.Pie}[chart.kind](
        style=style, js=[], explicit_size=True, width=760, height=460, title=chart.title, print_values=False,
        legend_at_bottom=True, show_legend=chart.kind == "pie" or len(chart.series) > 1 or bool(chart.series[0].name),
    )  # fmt: skip
    if chart.kind == "pie":
        for label, value in zip(chart.labels, chart.series[0].values, strict=True):
            made.add(label, value)
    else:
        made.x_labels = chart.labels
        made.x_label_rotation = 30 if sum(map(len, chart.labels)) > 60 else 0
        for one in chart.series:
            made.add(one.name, one.values)
    tree = made.render_tree()
    for script in list(tree.iter("{*}script", "script")):
        script.getparent().remove(script)
    return bytes(etree.tostring(tree, encoding="utf-8", xml_declaration=True))


AGENT = Agent(
    name="analyst",
    title=Words("Analyst", "分析师"),
    description="answers questions about tables and spreadsheets with numbers computed by SQL, and draws charts",
    prompt=texts.ANALYST,
    tools=("query_table", "list_documents", "read_document", "read_result", "search_documents", "calculate"),
    permissions=frozenset({"read"}),
    steps=(
        OwnStep(
            function=ToolSpec(tool=draw_chart, title=Words("Draw a chart", "绘制图表"), permission="read"), run=draw
        ),
    ),
)
