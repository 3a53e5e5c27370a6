"""The memory of a thread: repaired after a turn was cut short, rebuilt from transcripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage
from langchain_core.runnables import RunnableConfig

from api.runs.record import index_of, remembered_messages
from domain.errors import BadInput, UnknownRun
from domain.words import Words
from turn.content import split_content

if TYPE_CHECKING:
    from domain.owner import Owner
    from graph.builder import Graph
    from turn.context import Services

LAST_NODE = "remember"
STOPPED = Words("[stopped by the user]", "［已被用户停止］")


def thread_config(memory_key: str) -> RunnableConfig:
    """Return the LangGraph config that names a thread."""
    return {"configurable": {"thread_id": memory_key}}


async def keep_partial(graph: Graph, memory_key: str, sent: Sequence[AnyMessage], text: str, run_id: str) -> None:
    """End a cut-short turn in memory as the user's messages and one (partial) answer.

    Whatever else the turn had written so far (tool calls without results, for one) is removed.
    """
    config = thread_config(memory_key)
    ids = {str(message.id) for message in sent}
    gone = [RemoveMessage(id=i) for i in await _since(graph, config, ids) if i not in ids]
    answer = AIMessage(content=text, id=f"ai-{run_id}", response_metadata={"finish_reason": "stopped"})
    await _write(graph, config, [*gone, *(_text_only(message) for message in sent), answer])


async def forget_turn(graph: Graph, memory_key: str, sent: Sequence[AnyMessage]) -> None:
    """Remove from memory all that a turn brought: the user's messages and what followed."""
    config = thread_config(memory_key)
    gone = await _since(graph, config, {str(message.id) for message in sent})
    if gone:
        await _write(graph, config, [RemoveMessage(id=i) for i in gone])


async def replace_memory(graph: Graph, memory_key: str, messages: Sequence[AnyMessage]) -> None:
    """Replace the memory of a thread by `messages`."""
    saver: Any = graph.checkpointer
    await saver.adelete_thread(memory_key)
    if messages:
        await _write(graph, thread_config(memory_key), list(messages))


async def rewind(graph: Graph, services: Services, owner: Owner, run_id: str, *, gone: bool) -> None:
    """Take a thread back to just before a run: that turn and all after it leave transcript and memory.

    With `gone` there may be no such run any more: it was rolled back already.

    Raises:
        UnknownRun: The thread has no such run.
    """
    entries = (await services.transcripts.export(owner))["entries"]
    place = index_of(entries, run_id)
    if place is None and gone:
        return
    if place is None:
        raise UnknownRun(id=run_id)
    await services.summaries.clear(owner.memory_key)
    await replace_memory(graph, owner.memory_key, remembered_messages(entries[:place]))
    await services.transcripts.truncate(owner, place)


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
