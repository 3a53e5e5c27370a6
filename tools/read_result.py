"""Tool: the pages of a result that was too long to be shown whole."""

from typing import Annotated

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from domain.errors import ToolFailure
from domain.words import Words
from tools.interface import Found, ToolContext, ToolSpec
from tools.long_results import page_chars

READ_RESULT = "read_result"
PAGE = Words("Page {page} of {pages} of the result {id!r}:", "结果 {id!r} 的第 {page} 页，共 {pages} 页：")
GONE = Words(
    "there is no result {id!r} in this conversation, or it is no longer kept; call its tool again",
    "此会话中没有结果 {id!r}，或其已不再保留；请重新调用相应的工具",
)
NO_PAGE = Words("the result {id!r} has {pages} pages", "结果 {id!r} 共 {pages} 页")


@tool(response_format="content_and_artifact", parse_docstring=True)
async def read_result(
    id: Annotated[str, Field(min_length=1, max_length=40)],
    runtime: ToolRuntime[ToolContext],
    page: Annotated[int, Field(ge=1)] = 1,
) -> tuple[str, Found]:
    """Read a page of a long result of another tool, of which only the beginning was shown (分页读取较长的工具结果).

    Args:
        id: Id of the result, as its beginning names it.
        runtime: Who asks.
        page: Which page, from 1.
    """
    context = runtime.context
    results, budget = context.resources.results, context.resources.settings.tool_result_tokens
    found = await results.page(context.owner.memory_key, id, page, page_chars(budget)) if results else None
    if found is None:
        raise ToolFailure(reason=Words(*(text.format(id=id) for text in GONE)))
    if page > found.pages:
        raise ToolFailure(reason=Words(*(text.format(id=id, pages=found.pages) for text in NO_PAGE)))
    head = PAGE.text(context.language).format(page=page, pages=found.pages, id=id)
    return Found(f"{head}\n{found.text}", data={"page": page, "pages": found.pages}).answer()


SPEC = ToolSpec(
    tool=read_result,
    title=Words("Read a long result", "读取较长结果"),
    permission="read",
    examples=(
        "Show me the rest of that result",
        "Read the next page of the result",
        "查看该结果的下一页",
        "继续读取剩余结果",
    ),
    fits=lambda turn: turn.long_results,
    needs=Words("The conversation needs a long result of a tool.", "会话中要有较长的工具结果。"),
    timeout=5,
)
