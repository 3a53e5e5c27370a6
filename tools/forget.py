"""Tool: forget what is remembered of the user."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from domain.errors import UnknownMemory
from domain.words import Words
from stores.memories.items import Memory
from tools.interface import Found, ToolContext, ToolSpec, memories_of

GONE = Words("Forgotten: {texts}", "已忘记：{texts}")


@tool(response_format="content_and_artifact", parse_docstring=True)
async def forget(
    runtime: ToolRuntime[ToolContext], ids: Annotated[list[str], Field(min_length=1, max_length=50)]
) -> tuple[str, Found]:
    """Forget things about the user, when the user asks for it ('forget that', '忘掉'); `recall` finds the ids.

    Args:
        runtime: Who asks.
        ids: Ids of what is to be forgotten.
    """
    context = runtime.context
    gone = await memories_of(context).remove(context.owner.user_id, [item.id for item in await _named(context, ids)])
    if not gone:
        raise UnknownMemory(id=ids[0])
    text = GONE.text(context.language).format(texts="; ".join(item.text for item in gone))
    return Found(text, data={"ids": [item.id for item in gone]}).answer()


async def preview(context: ToolContext, arguments: Mapping[str, Any]) -> str:
    """Return what a call would have forgotten; ids say nothing to who is asked."""
    return "; ".join(item.text for item in await _named(context, arguments["ids"]))


async def _named(context: ToolContext, ids: Sequence[str]) -> list[Memory]:
    seen = await memories_of(context).items(context.owner.user_id, past=True, scope=context.memory_scope)
    return [item for item in seen if item.id in ids]


SPEC = ToolSpec(
    tool=forget,
    title=Words("Forget", "忘记"),
    permission="write",
    examples=(
        "Forget where I live",
        "Delete what you remember about my job",
        "Forget my phone number",
        "忘掉我的住址",
        "忘了我的电话号码吧",
        "别再记着我的生日了",
        "删除你记住的关于我工作的内容",
    ),
    fits=lambda turn: turn.memories,
    preview=preview,
)
