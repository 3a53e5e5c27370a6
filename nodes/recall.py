"""Bring back what this turn needs: the prepared summary, the thread's documents, the passages that fit the question."""

from __future__ import annotations

from typing import cast

from langchain_core.messages import AnyMessage, RemoveMessage
from langgraph.runtime import Runtime

from errors import Unavailable
from graph.context import Context, Services
from graph.progress import memory_key_of, owner_of
from graph.state import Attachment, DocumentNote, Source, State, Update
from stores.ownership import Owner

SUMMARY_FROM = 12
"""Threads of fewer messages than this never have a prepared summary: no look-up is made for them."""
SUMMARY_CHARS = 1200


async def recall(state: State, runtime: Runtime[Context]) -> Update:
    """Collect summary, documents and passages; without documents a plain text turn costs one local look-up."""
    services, owner = runtime.context.services, owner_of(runtime)
    update = await _prepared_summary(state, services, memory_key_of(runtime))
    documents = await services.documents.list(owner)
    if documents:
        update["documents"] = [_note(document) for document in documents]
        update["sources"] = await _passages(state, services, owner)
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


async def _passages(state: State, services: Services, owner: Owner) -> list[Source]:
    """Passages for the question: the files of this turn first, then the rest of the thread in what is left."""
    budget = services.settings.context_tokens_for_sources
    sent = [item["id"] for item in state.get("attachments", []) if item["status"] != "failed"]
    try:
        if not sent:
            return await services.documents.sources(state["question"], owner, token_budget=budget)
        first = await services.documents.sources(
            state["question"], owner, token_budget=budget * 3 // 4, document_ids=sent
        )
        rest = await services.documents.sources(state["question"], owner, token_budget=budget // 4)
    except Unavailable:
        return []
    known = {(source.get("document_id"), source.get("page"), source["start"]) for source in first}
    more = [
        source
        for source in rest
        if source.get("document_id") not in sent
        and (source.get("document_id"), source.get("page"), source["start"]) not in known
    ]
    return [{**source, "number": number} for number, source in enumerate([*first, *more], 1)]
