"""Tool: what is remembered of the user."""

from datetime import UTC, datetime
from typing import Annotated

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from domain.errors import ToolFailure
from domain.words import Words
from stores.memories.statements import slots_needed
from tools.interface import Found, ToolContext, ToolSpec, memories_of
from tools.texts import NOTHING_KEPT

NOTHING = Words("Nothing about that is remembered.", "没有关于这个的记忆。")
LINE = Words("- {text} (said on {date}{past})", "- {text}（{date} 说的{past}）")
PAST = Words(", no longer so", "，现已不是这样")
MOST = 20


@tool(response_format="content_and_artifact", parse_docstring=True)
async def recall(
    runtime: ToolRuntime[ToolContext], query: Annotated[str, Field(max_length=1000)] = "", past: bool = False
) -> tuple[str, Found]:
    """Find what is remembered of the user from other conversations ('what do you know about me', '你记得我什么').

    Args:
        runtime: Who asks.
        query: What about, in the user's language; empty: the newest.
        past: Whether to find what holds no more as well ('where did I live before').
    """
    context = runtime.context
    if context.owner.temporary:
        raise ToolFailure(reason=NOTHING_KEPT)
    memories, user_id, language = memories_of(context), context.owner.user_id, context.language
    if not await memories.enabled(user_id):
        found = []
    elif query.strip():
        slots = slots_needed(query)
        found = await memories.search(user_id, query, past=past, most=MOST, scope=context.memory_scope, slots=slots)
    else:
        found = (await memories.items(user_id, past=past, scope=context.memory_scope))[:MOST]
    lines = [
        LINE.text(language).format(
            text=item.text,
            date=datetime.fromtimestamp(item.created, UTC).date(),
            past=PAST.text(language) if item.valid_to else "",
        )
        for item in found
    ]
    listed = [{"id": item.id, "text": item.text, "session_id": item.session_id} for item in found]
    text = "\n".join(f"{line} [id {item.id}]" for line, item in zip(lines, found, strict=True))
    shown = "\n".join(lines) or NOTHING.text(language)
    return Found(text or shown, data={"memories": listed, "shown": shown}).answer()


SPEC = ToolSpec(
    tool=recall,
    title=Words("Recall", "回忆"),
    permission="read",
    examples=(
        "What do you know about me?",
        "What have I told you about my family?",
        "你记得我什么？",
        "我跟你说过哪些关于我的事？",
    ),
    fits=lambda turn: turn.memories,
)
