"""Prompts. Append-only inside a turn, so that prompt caches of providers hit.

Order: system prompt (stable), running summary, earlier messages, the user's message with the turn's material, then tool
calls and their results as they come. Material from files, pictures and pages is fenced and labelled: it is data, never
instructions.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage

from domain.fence import CLOSE, fenced
from domain.tokens import count_message_tokens, count_tokens
from turn.material import material_text, shortened
from turn.state import State
from turn.texts import AS_JSON, EARLIER, MISSING_TOOLS, SAME_LANGUAGE, SYSTEM, THIS_LANGUAGE


def answer_prompt(
    state: State, *, system_prompt: str, budget: int, as_json: bool = False, fixed_language: bool = False
) -> list[AnyMessage]:
    """Return the messages of a model call, at most `budget` tokens by our count.

    With `fixed_language` the answer is in the language of the state, else in that of the message.

    Earlier messages are dropped oldest first when they do not fit; the system prompt, the summary, the user's newest
    message, and the tool results of this turn always stay. Material and results that do not fit are cut, longest first.
    """
    language = state["language"]
    start = newest_turn(state["messages"])
    wanted = THIS_LANGUAGE if fixed_language else SAME_LANGUAGE
    role = SYSTEM.text(language).format(language=wanted.text(language))
    head: list[AnyMessage] = [SystemMessage(_system_text(state, role, system_prompt, as_json=as_json))]
    turn: list[AnyMessage] = [_question(state, start), *_paired(state["messages"][start + 1 :])]
    left = budget - count_message_tokens([*head, *turn])
    if left < 0:
        turn = _cut_material(turn, -left)
    return [*head, *_recent(state["messages"][:start], max(left, 0)), *turn]


def newest_turn(messages: Sequence[AnyMessage]) -> int:
    """Return the index of the user's newest message."""
    return next(index for index in reversed(range(len(messages))) if isinstance(messages[index], HumanMessage))


def persona_of(state: State, system_prompt: str) -> str:
    """Return the caller's own instructions: those of the call, else the system messages of the conversation."""
    return system_prompt.strip() or "\n".join(
        str(message.text) for message in state["messages"] if isinstance(message, SystemMessage)
    )


def _paired(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The messages without tool calls that have no result: providers refuse a call alone.

    A call of the caller's own tools stays alone where its conversation goes on without a result.
    """
    answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    return [
        message.model_copy(update={"tool_calls": [call for call in message.tool_calls if call["id"] in answered]})
        if isinstance(message, AIMessage) and message.tool_calls
        else message
        for message in messages
    ]


def _system_text(state: State, role: str, system_prompt: str, *, as_json: bool) -> str:
    language = state["language"]
    parts = [role, persona_of(state, system_prompt), AS_JSON.text(language) if as_json else ""]
    if state.get("profile"):
        parts.append(state["profile"])
    if state.get("missing_tools"):
        parts.append(MISSING_TOOLS.text(language).format(notes="\n".join(state["missing_tools"])))
    if state.get("summary"):
        parts.append(EARLIER.text(language).format(text=fenced(state["summary"])))
    return "\n\n".join(part for part in parts if part)


def _question(state: State, start: int) -> HumanMessage:
    material, text = material_text(state), state["question"]["text"]
    return HumanMessage(f"{fenced(material)}\n\n{text}" if material else text, id=state["messages"][start].id)


def _recent(messages: Sequence[AnyMessage], budget: int) -> list[AnyMessage]:
    """The newest whole turns that fit in `budget` tokens, oldest first; a turn starts with a user's message."""
    kept: list[AnyMessage] = []
    turn: list[AnyMessage] = []
    for message in reversed(_paired(messages)):
        if isinstance(message, SystemMessage):
            continue
        turn.insert(0, _with_notes(message))
        if not isinstance(message, HumanMessage):
            continue
        budget -= count_message_tokens(turn)
        if budget < 0:
            break
        kept, turn = [*turn, *kept], []
    return kept


def _with_notes(message: AnyMessage) -> AnyMessage:
    if not isinstance(message, HumanMessage) or not message.additional_kwargs:
        return message
    notes = message.additional_kwargs.get("notes")
    return HumanMessage(f"{fenced(notes)}\n\n{message.text}" if notes else message.content, id=message.id)


def _cut_material(turn: Sequence[AnyMessage], excess: int) -> list[AnyMessage]:
    """Shorten the longest material until `excess` tokens are gone; the question, calls and pairs stay whole."""
    messages = list(turn)
    for index in sorted(range(len(messages)), key=lambda i: -len(str(messages[i].text))):
        text = str(messages[index].text)
        if excess <= 0:
            break
        if CLOSE in text or isinstance(messages[index], ToolMessage):
            cut = shortened(text, excess)
            excess -= count_tokens(text) - count_tokens(cut)
            messages[index] = messages[index].model_copy(update={"content": cut})
    return messages
