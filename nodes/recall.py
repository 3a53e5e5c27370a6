"""Bring back what this turn needs: the prepared summary, the thread's documents, the passages that fit the question."""

from __future__ import annotations

from typing import cast

from langchain_core.messages import AnyMessage, RemoveMessage
from langgraph.runtime import Runtime

from graph.context import Context, Services
from graph.passages import find_passages, overview
from graph.progress import memory_key_of, owner_of
from graph.state import Attachment, DocumentNote, State, Update

SUMMARY_FROM = 12
"""Threads of fewer messages than this never have a prepared summary: no look-up is made for them."""
SUMMARY_CHARS = 1200


async def recall(state: State, runtime: Runtime[Context]) -> Update:
    """Collect summary, documents and passages; without documents a plain text turn costs one local look-up."""
    services, owner = runtime.context.services, owner_of(runtime)
    update = await _prepared_summary(state, services, memory_key_of(runtime))
    documents = await services.documents.list(owner)
    if documents:
        notes = [_note(document) for document in documents]
        update["documents"], pages = await overview(state, services, owner, notes)
        update["sources"] = pages or await find_passages(state, services, owner, notes)
    return update


async def _prepared_summary(state: State, services: Services, memory_key: str) -> Update:
    if not memory_key or len(state["messages"]) < SUMMARY_FROM:
        return Update()
    prepared = await services.summaries.get(memory_key)
    if prepared is None:
        return Update()
    text, covered = prepared
    present = {message.id for message in state["messages"]}
    gone = cast("list[AnyMessage]", [RemoveMessage(id=i) for i in covered if i in present])
    return Update(summary=text, messages=gone) if gone else Update()


def _note(document: Attachment) -> DocumentNote:
    return DocumentNote(
        id=document["id"],
        name=document["name"],
        kind=document["kind"],
        status=document["status"],
        pages_total=document.get("pages_total", 1),
        pages_done=document.get("pages_done", 0),
        summary=document.get("summary", "")[:SUMMARY_CHARS],
    )
