"""A turn as data, for a model that takes it beside the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from langchain_core.messages import HumanMessage

from domain.fence import unfenced
from domain.summary import said_by_user
from models.chat.interface import ToolResult, TurnInput
from stores.memories.statements import is_statement, slots_asked, statement_of, statements
from turn.material import findings, first_sources, tool_results
from turn.prompts import newest_turn, persona_of
from turn.question import only_tells
from turn.state import State


def turn_input(state: State, *, system_prompt: str, examples: Mapping[str, Sequence[str]]) -> TurnInput:
    """Return what the turn knows: the question, its files and passages, tool results, and what was said before.

    `examples` are requests that each offered tool serves.
    """
    before = state["messages"][: newest_turn(state["messages"])]
    earlier = [str(message.text) for message in before if isinstance(message, HumanMessage)]
    question, memories = state["question"]["text"], state.get("memories", [])
    asked = slots_asked(question)
    said = (one for text in reversed(earlier) for one in statements(text) if one.base_slot in asked) if asked else ()
    stated = [one.text for one in islice(said, 1)]
    known = [one for one in memories if asked and statement_of(one["text"]).base_slot in asked]
    past = [one["text"] for one in known if not one["holds"]]
    return TurnInput(
        state["language"],
        question=state["question"]["text"],
        kind=state["question"]["kind"],
        page=state["question"]["page"],
        follows=state["question"]["follows"],
        sources=first_sources(state),
        attachments=state.get("attachments", []),
        documents=state.get("documents", []),
        cited=state.get("cited", []),
        results=[
            ToolResult(
                tool=message.name or "",
                text=unfenced(str(message.text)),
                failed=message.status == "error",
                sources=findings(message)["sources"],
                data=findings(message)["data"],
                code=findings(message)["code"],
            )
            for message in tool_results(state["messages"])
        ],
        told=told(earlier, state.get("summary", ""), [one["text"] for one in memories]),
        known=past or stated or [one["text"] for one in known],
        tells=only_tells(state["question"]["text"]),
        persona=persona_of(state, system_prompt),
        examples=examples,
    )


def told(earlier: Sequence[str], summary: str, remembered: Sequence[str]) -> list[str]:
    """Return what a user stated: in messages, newest first, in the running summary, and in other conversations.

    Args:
        earlier: The user's messages before, oldest first.
        summary: Running summary of what left the window.
        remembered: Statements of other conversations.
    """
    return [*filter(is_statement, [*reversed(earlier), *said_by_user(summary)]), *remembered]
