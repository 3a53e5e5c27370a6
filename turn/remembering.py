"""What a turn leaves in the memory of its user: found after the answer, from the user's own words alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from domain.owner import Owner
from domain.words import Language
from privacy.structured import holds_secret
from stores.memories.items import Memory
from turn.context import Services
from turn.statements import Statement, may_state, own_words, statements
from turn.texts import FIND_STATEMENTS

logger = logging.getLogger(__name__)

MOST_FOUND: Final = 8
"""Most items that one message leaves."""
SLOT_PATTERN: Final = r"^[a-z_]{1,20}(:[\w .'-]{1,40})?$"


class _Found(BaseModel):
    """One statement, as a hosted model returns it."""

    quote: str = Field(min_length=3, max_length=300)
    kind: Literal["fact", "preference", "episode"] = "fact"
    slot: str = Field("", pattern=SLOT_PATTERN + "|^$")
    sensitive: bool = False
    confidence: float = Field(0.8, ge=0, le=1)


_FOUND = TypeAdapter(list[_Found])
LEAST_CONFIDENCE: Final = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message of a user, and where it was said."""

    text: str
    language: Language
    owner: Owner
    run_id: str
    persona: str = ""


async def keep(services: Services, said: Said) -> None:
    """Keep what a message states of its user; nothing where memory is off or there is nothing.

    Raises:
        Unavailable: The database does not answer.
    """
    if not may_state(said.text) or not await services.memories.enabled(said.owner.user_id):
        return
    for one in (await _found(services, said))[:MOST_FOUND]:
        written = await services.memories.write(_memory(one, said))
        if written.memory is not None:
            services.actions.append(
                "memory", said.owner, content={"text": one.text}, id=written.memory.id,
                change="renewed" if written.merged else "written", superseded=len(written.superseded), run=said.run_id,
            )  # fmt: skip


async def _found(services: Services, said: Said) -> Sequence[Statement]:
    """By a hosted model with a schema, held to the user's words; by rules where there is none, or it fails."""
    found = await asyncio.to_thread(statements, said.text)
    if (
        services.settings.memory_extraction == "rules"
        or services.chat.kind != "hosted"
        or any(one.asked for one in found)
    ):
        return found
    own = own_words(said.text)
    if not own.strip():
        return []
    try:
        prompt = [SystemMessage(FIND_STATEMENTS.text(said.language)), HumanMessage(own)]
        answer = str((await services.chat.model.ainvoke(prompt)).text)
        listed = _FOUND.validate_json(answer[answer.index("[") : answer.rindex("]") + 1])
    except (ValidationError, ValueError) as exc:
        logger.info("the model's list of statements cannot be read", extra={"error": type(exc).__name__})
        return found
    return [
        Statement(one.quote, one.kind, one.slot, one.sensitive)
        for one in listed
        if one.quote in own and one.confidence >= LEAST_CONFIDENCE and not holds_secret(one.quote)
    ]


def _memory(one: Statement, said: Said) -> Memory:
    return Memory(
        id="",
        user_id=said.owner.user_id,
        persona=said.persona,
        kind=one.kind,
        slot=one.slot,
        text=one.text,
        origin="asked" if one.asked else "said",
        session_id=said.owner.thread_id or "",
        turn_id=said.run_id,
        sensitive=one.sensitive,
        confidence=1.0 if one.asked else 0.9,
    )
