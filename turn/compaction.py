"""Keeps the window of a thread bounded: older messages become a running summary, made off the user's path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, ToolMessage

from domain.tokens import count_message_tokens
from domain.words import Language
from turn.context import Services
from turn.state import Update

HIGH, LOW = 0.5, 0.25
"""Compaction starts when the messages fill this share of the model's window, and leaves that share verbatim."""
MAX_WINDOW = 16_000
"""Most tokens of verbatim messages, however large the model's window is: the cost of a turn stays bounded."""
SUMMARY_TOKENS = 600


def window_is_full(messages: Sequence[AnyMessage], context_tokens: int) -> bool:
    """Tell whether messages should leave the window of a model with so many tokens of context."""
    return count_message_tokens(messages) > min(context_tokens * HIGH, MAX_WINDOW)


def window_excess(messages: Sequence[AnyMessage], context_tokens: int) -> list[AnyMessage]:
    """Return the oldest whole turns that should leave the window; empty while there is room."""
    if not window_is_full(messages, context_tokens):
        return []
    sizes = [count_message_tokens([message]) for message in messages]
    cut, kept = 0, sum(sizes)
    for index, message in enumerate(messages):
        if isinstance(message, HumanMessage):
            cut = index
            if kept <= min(context_tokens, MAX_WINDOW / HIGH) * LOW:
                break
        kept -= sizes[index]
    return list(messages[:cut])


async def compact(
    services: Services, memory_key: str, summary: str, old: Sequence[AnyMessage], language: Language
) -> None:
    """Summarise `old` on top of `summary` and leave the result for the next turn of the thread.

    Raises:
        ModelUnavailable: The model failed; the messages stay in the window and the next turn tries again.
    """
    text = "\n".join(_line(message) for message in old if not isinstance(message, ToolMessage) and message.text)
    before = f"{summary}\n\n" if summary else ""
    made = await services.summarizer.conversation(f"{before}{text}", language, SUMMARY_TOKENS)
    await services.summaries.put(memory_key, made, [message.id for message in old if message.id])


async def prepared_summary(services: Services, memory_key: str, messages: Sequence[AnyMessage]) -> Update:
    """Return the summary that `compact` left and the removal of what it covers; nothing without a new one."""
    prepared = await services.summaries.get(memory_key) if memory_key else None
    if prepared is None:
        return Update()
    text, covered = prepared
    present = {message.id for message in messages}
    gone = cast("list[AnyMessage]", [RemoveMessage(id=i) for i in covered if i in present])
    return Update(summary=text, messages=gone) if gone else Update()


def _line(message: AnyMessage) -> str:
    who = "Assistant" if isinstance(message, AIMessage) else "User"
    return f"{who}: {message.text}"
