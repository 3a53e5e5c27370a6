"""What the user said in other conversations, as far as it fits the question of this turn."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from langchain_core.messages import HumanMessage
from langgraph.runtime import Runtime

from domain.errors import Unavailable
from domain.tokens import count_tokens
from domain.types import MemoryNote
from stores.memories.items import Memory, same_words
from stores.memories.statements import slots_needed
from turn.context import Context
from turn.profile import time_zone_of
from turn.progress import owner_of
from turn.prompts import newest_turn
from turn.state import State

MOST_TOKENS: Final = 600
MOST_ITEMS: Final = 8
_PAST = re.compile(
    r"\b(?:before|used to|previous(?:ly)?|former(?:ly)?|in the past|earlier|last time|once|old)\b"
    r"|以前|之前|原来|过去|曾经|从前|当时|上次|旧",
    re.IGNORECASE,
)
"""How one asks for what holds no more."""


async def recollections(state: State, runtime: Runtime[Context]) -> list[MemoryNote]:
    """Return what fits, best first, at most `MOST_TOKENS` in all; nothing that stands in the conversation anyway.

    Nothing where the user has switched memory off, or the database does not answer.
    """
    context, services, owner = runtime.context, runtime.context.services, owner_of(runtime)
    question = f"{state['question']['follows']} {state['question']['text']}".strip()
    try:
        if not await services.memories.enabled(owner.user_id):
            return []
        found = await services.memories.recall(
            owner.user_id, question, context.memory_scope, past=_PAST.search(question) is not None,
            slots=slots_needed(question),
        )  # fmt: skip
    except Unavailable:
        return []
    before = state["messages"][: newest_turn(state["messages"])]
    here = "\n".join(same_words(str(one.text)) for one in before if isinstance(one, HumanMessage))
    name = await time_zone_of(runtime)
    zone: tzinfo = await asyncio.to_thread(ZoneInfo, name) if name else UTC
    kept: list[MemoryNote] = []
    left = MOST_TOKENS
    for memory in found:
        cost = count_tokens(memory.text)
        if cost <= left and len(kept) < MOST_ITEMS and same_words(memory.text) not in here:
            left -= cost
            kept.append(recollection(memory, zone))
    return kept


def recollection(memory: Memory, zone: tzinfo = UTC) -> MemoryNote:
    """Return an item as a turn and its answer show it, with the day on which it was said in the user's time zone."""
    said = datetime.fromtimestamp(memory.created, zone).date().isoformat()
    return MemoryNote(
        id=memory.id, text=memory.text, session_id=memory.session_id, said=said, holds=not memory.valid_to
    )
