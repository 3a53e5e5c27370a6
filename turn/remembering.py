"""What a turn leaves of its user, found after the answer in their own words: memories, and how they want answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from domain.errors import AppError
from domain.owner import Owner
from domain.words import Language
from privacy.structured import holds_secret
from stores.memories.items import Memory
from stores.memories.statements import Statement, may_state, own_words, statements
from stores.people.profiles import FIELDS, is_zone
from tools.time_zones import find_zone
from turn.context import Services
from turn.texts import FIND_STATEMENTS
from turn.wishes import MOST_VALUE, Wish, may_wish, wishes

logger = logging.getLogger(__name__)

MOST_FOUND: Final = 8
"""Most items that one message leaves."""
SLOT_PATTERN: Final = r"^[a-z_]{1,20}(:[\w .'-]{1,40})?$"


class _Found(BaseModel):
    """One statement, as a hosted model returns it."""

    quote: str = Field(min_length=3, max_length=300)
    kind: Literal["fact", "preference", "episode", "wish"] = "fact"
    slot: str = Field("", pattern=SLOT_PATTERN + "|^$")
    value: str = Field("", max_length=MOST_VALUE)
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
    wishes: bool = True
    """Whether the profile may learn of it: not of what is said to a role."""
    time_zone: str = ""
    """Of the user's device."""
    before: bool = False
    """Whether the message was said before."""


def keeping(run_id: str) -> str:
    """Return what the work in the background is called that keeps what a turn says of its user."""
    return f"remember {run_id}"


async def keep(services: Services, said: Said) -> None:
    """Keep what a message says of its user; nothing where memory is off or there is nothing.

    Raises:
        Unavailable: The database does not answer.
    """
    may = may_state(said.text), said.wishes and may_wish(said.text)
    if not any(may) and not said.time_zone or not await services.memories.enabled(said.owner.user_id):
        return
    stated, wished = await _found(services, said) if any(may) else ([], [])
    for one in stated[:MOST_FOUND]:
        written = await services.memories.write(_memory(one, said), said_before=said.before)
        if written.memory is not None:
            services.actions.append(
                "memory", said.owner, content={"text": one.text}, id=written.memory.id,
                change="renewed" if written.merged else "written", superseded=len(written.superseded), run=said.run_id,
            )  # fmt: skip
    if said.wishes:
        await _learn(services, said, wished[:MOST_FOUND])


async def _learn(services: Services, said: Said, wished: Sequence[Wish]) -> None:
    found = [{"field": one.field, "value": one.value, "said": one.said} for one in wished]
    for one in found:
        if one["field"] == "time_zone":
            one["value"] = await asyncio.to_thread(_zone, one["value"])
    if said.time_zone and await is_zone(said.time_zone):
        found.append({"field": "time_zone", "value": said.time_zone, "said": ""})
    where = {"session_id": said.owner.thread_id or "", "run_id": said.run_id}
    for item in await services.profiles.learn(said.owner.user_id, [{**one, **where} for one in found]):
        services.actions.append(
            "memory", said.owner, content={"text": item["value"]}, id=item["id"], change="learned",
            field=item["field"], run=said.run_id,
        )  # fmt: skip


def _zone(place: str) -> str:
    try:
        return getattr(find_zone(place), "key", "")
    except AppError:
        return ""


async def _found(services: Services, said: Said) -> tuple[Sequence[Statement], Sequence[Wish]]:
    """By a hosted model with a schema, held to the user's words; by rules where there is none, or it fails."""
    by_rules = await asyncio.to_thread(lambda: (statements(said.text), wishes(said.text) if said.wishes else []))
    if (
        services.settings.memory_extraction == "rules"
        or services.chat.kind != "hosted"
        or any(one.asked for one in by_rules[0])
    ):
        return by_rules
    own = own_words(said.text)
    if not own.strip():
        return [], []
    try:
        prompt = [SystemMessage(FIND_STATEMENTS.text(said.language)), HumanMessage(own)]
        answered = await services.chat.model.ainvoke(prompt)
        services.usage.add_answer(answered, services.chat.name)
        answer = str(answered.text)
        listed = _FOUND.validate_json(answer[answer.index("[") : answer.rindex("]") + 1])
    except (ValidationError, ValueError) as exc:
        logger.info("the model's list of statements cannot be read", extra={"error": type(exc).__name__})
        return by_rules
    sound = [
        one for one in listed
        if one.quote in own and one.confidence >= LEAST_CONFIDENCE and not holds_secret(one.quote)
    ]  # fmt: skip
    stated = [Statement(one.quote, one.kind, one.slot, one.sensitive) for one in sound if one.kind != "wish"]
    return stated, [Wish(one.slot, one.value, one.quote) for one in sound if one.kind == "wish" and _is_wish(one)]  # type: ignore[arg-type]


def _is_wish(one: _Found) -> bool:
    """Tell whether a wish names a field, and says of the user nothing but what they said."""
    told = one.slot not in ("name", "expertise", "interests") or one.value.lower() in one.quote.lower()
    return one.slot in FIELDS and bool(one.value.strip()) and told


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
