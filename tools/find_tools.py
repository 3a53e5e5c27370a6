"""Tool: which other tools there are, where there are more than a turn is offered."""

from typing import Annotated

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from domain.words import Words
from tools.interface import Found, ToolContext, ToolSpec, plain_line

MOST_FOUND = 8
DESCRIPTION_CHARS = 160
NOTHING = Words("There are no tools besides those that are offered.", "除已提供的工具外，没有其他工具。")
FOUND = Words(
    "Tools for {request!r}, nearest first; they can be called from now on:",
    "与 {request!r} 最相近的工具（由近及远），现在起可以调用：",
)


@tool(response_format="content_and_artifact", parse_docstring=True)
async def find_tools(
    request: Annotated[str, Field(min_length=1, max_length=1000)], runtime: ToolRuntime[ToolContext]
) -> tuple[str, Found]:
    """Look for a tool that is not offered here: only some of all tools are shown at a time (查找其他可用工具).

    Use it when what has to be done needs a tool that you do not see; what it finds can be called in the next step.

    Args:
        request: What has to be done, in a sentence.
        runtime: Who asks.
    """
    context = runtime.context
    documents = bool(await context.resources.documents.list(context.owner))
    found = await context.resources.find_tools(request, documents=documents, names=context.tools)
    specs = [spec for spec in found if spec is not SPEC][:MOST_FOUND]
    if not specs:
        return Found(NOTHING.text(context.language), data={"tools": []}).answer()
    lines = [f"- {spec.name}: {plain_line(spec.tool.description, DESCRIPTION_CHARS)}" for spec in specs]
    text = "\n".join([FOUND.text(context.language).format(request=request), *lines])
    return Found(text, data={"tools": [spec.name for spec in specs]}).answer()


SPEC = ToolSpec(
    tool=find_tools,
    title=Words("Find tools", "查找工具"),
    permission="read",
    examples=(
        "Is there a tool for this?",
        "Which tools can you use?",
        "有没有可以做这件事的工具？",
        "你还能使用哪些工具？",
    ),
    fits=lambda turn: turn.many_tools,
    needs=Words("There must be more than 24 tools.", "工具须多于 24 个。"),
)
