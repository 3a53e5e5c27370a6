"""The memory of a thread: repaired after a turn was cut short, rebuilt from transcripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage
from langchain_core.runnables import RunnableConfig

from api.runs.record import remembered_messages
from domain.errors import BadInput
from domain.words import Words
from turn.content import split_content

if TYPE_CHECKING:
    from graph.builder import Graph
    from stores.conversations.entries import Spot
    from turn.context import Services

LAST_NODE = "remember"
STOPPED = Words("[stopped by the user]", "［已被用户停止］")


def thread_config(memory_key: str, run_id: str = "") -> RunnableConfig:
    """Return the LangGraph config that names a thread, and the run that its checkpoint is written by."""
    return {"configurable": {"thread_id": memory_key, "run_id": run_id}}


async def keep_partial(graph: Graph, memory_key: str, sent: Sequence[AnyMessage], text: str, run_id: str) -> None:
    """End a cut-short turn in memory as the user's messages and one (partial) answer.

    Whatever else the turn had written so far (tool calls without results, for one) is removed.
    """
    config = thread_config(memory_key, run_id)
    ids = {str(message.id) for message in sent}
    gone = [RemoveMessage(id=i) for i in await _since(graph, config, ids) if i not in ids]
    answer = AIMessage(content=text, id=f"ai-{run_id}", response_metadata={"finish_reason": "stopped"})
    await _write(graph, config, [*gone, *(_text_only(message) for message in sent), answer])


async def forget_turn(graph: Graph, memory_key: str, sent: Sequence[AnyMessage], run_id: str) -> None:
    """Remove from memory all that a turn brought: the user's messages and what followed."""
    config = thread_config(memory_key, run_id)
    gone = await _since(graph, config, {str(message.id) for message in sent})
    if gone:
        await _write(graph, config, [RemoveMessage(id=i) for i in gone])


async def sent_messages(graph: Graph, memory_key: str, ids: Sequence[str]) -> list[AnyMessage]:
    """Return the messages of these ids that the thread remembers."""
    messages = (await graph.aget_state(thread_config(memory_key))).values.get("messages", [])
    return [message for message in messages if message.id in ids]


async def restore(graph: Graph, services: Services, memory_key: str, place: Spot, run_id: str) -> None:
    """Make the memory of a thread anew from what was said up to `place`."""
    known = await services.conversations.recollect(place)
    values: dict[str, Any] = {"messages": remembered_messages(known.entries)}
    if known.summary:
        values["summary"] = known.summary
    if known.entries and (citations := known.entries[-1].get("citations")):
        values["citations"] = citations
    if values["messages"]:
        await graph.aupdate_state(thread_config(memory_key, run_id), values, as_node=LAST_NODE)


async def forget_memory(graph: Graph, services: Services, memory_key: str) -> None:
    """Drop the memory of a thread: it is made anew from its transcript when the thread goes on."""
    await services.summaries.clear(memory_key)
    await graph.checkpointer.adelete_thread(memory_key)  # type: ignore[union-attr]  # it has one


async def _since(graph: Graph, config: RunnableConfig, ids: set[str]) -> list[str]:
    """Ids of the messages from the first of `ids` on."""
    messages = (await graph.aget_state(config)).values.get("messages", [])
    first = next((place for place, message in enumerate(messages) if message.id in ids), len(messages))
    return [str(message.id) for message in messages[first:]]


async def _write(graph: Graph, config: RunnableConfig, messages: Sequence[AnyMessage | RemoveMessage]) -> None:
    await graph.aupdate_state(config, {"messages": list(messages)}, as_node=LAST_NODE)


def _text_only(message: AnyMessage) -> AnyMessage:
    """Return the message as memory may hold it: a turn cut short early still has its files in it."""
    if not isinstance(message, HumanMessage) or isinstance(message.content, str):
        return message
    try:
        text, parts = split_content(message.content)
    except BadInput:
        text, parts = "", []
    names = " ".join(f"[{part.name}]" for part in parts)
    return HumanMessage(content=f"{text}\n{names}".strip() or "...", id=message.id)
