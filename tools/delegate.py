"""Tool: hands a task to a specialist. The turn's graph carries it out at the specialist's own node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from langchain_core.tools import StructuredTool
from pydantic import Field, create_model

from domain.errors import ToolFailure
from domain.words import Words
from tools.interface import ToolSpec

NAME = "delegate"
MOST_CHARS = 8000
GRAPH_ONLY = Words("specialists work inside a turn only", "专家只能在对话轮次中工作")


def delegate_spec(agents: Mapping[str, str]) -> ToolSpec:
    """Return the tool for these specialists: what each is for, by name."""
    kind: Any = Literal[tuple(agents)]
    arguments = create_model(
        "Delegation",
        agent=(kind, Field(description="Which specialist.")),
        task=(
            Annotated[str, Field(min_length=1, max_length=MOST_CHARS)],
            Field(description="The whole task, with all that it needs: the specialist does not see the conversation."),
        ),
        direct=(
            bool,
            Field(False, description="Give the result to the user as the answer, word for word, with its citations."),
        ),
    )
    lines = "\n".join(f"- {name}: {what}" for name, what in agents.items())
    tool = StructuredTool(
        name=NAME,
        description="Hand a larger task to a specialist, which works on its own and reports back with sources. Several"
        f" calls in one round work side by side (把较大的任务交给专家).\n{lines}",
        args_schema=arguments,
        coroutine=_outside,
    )
    return ToolSpec(
        tool=tool,
        title=Words("Delegate", "委派任务"),
        permission="read",
        examples=(
            "Compare the six contracts clause by clause",
            "Write a report of ten pages and give it to me as a Word file",
            "Draw a chart of the sales by region",
            "逐条比较这六份合同",
            "写一份十页的报告，导出为 Word",
            "把各区域的销售额画成图表",
        ),
    )


async def _outside(**_: Any) -> str:
    raise ToolFailure(reason=GRAPH_ONLY)
