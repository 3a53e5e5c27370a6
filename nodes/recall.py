"""Bring back what this turn needs: the prepared summary, the thread's documents, the passages that fit the question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from langchain_core.messages import AnyMessage, RemoveMessage
from langgraph.runtime import Runtime

from domain.types import Attachment, DocumentNote
from domain.words import Language
from turn.context import Context, Services
from turn.material import coverage_text
from turn.passages import Passages
from turn.progress import emit, memory_key_of, owner_of
from turn.state import State, Update
from turn.texts import PARTLY_READ

SUMMARY_CHARS = 1200


async def recall(state: State, runtime: Runtime[Context]) -> Update:
    """Collect summary, documents and passages; without documents a plain text turn costs one local look-up."""
    services, owner = runtime.context.services, owner_of(runtime)
    update = await _prepared_summary(state, services, memory_key_of(runtime))
    documents = await services.documents.list(owner)
    if documents:
        notes = [_note(document, state["language"]) for document in documents]
        update["documents"], update["sources"] = await Passages(state, services, owner, notes).find()
        update["warnings"] = [*state.get("warnings", []), *_partly_read(notes, state["language"], runtime)]
    return update


def _partly_read(notes: Sequence[DocumentNote], language: Language, runtime: Runtime[Context]) -> list[str]:
    """Say of each document that is being read how much of it there is to answer from."""
    reading = [note for note in notes if note["status"] == "reading"]
    warnings = [
        PARTLY_READ.text(language).format(name=note["name"], done=note["pages_done"], total=note["pages_total"])
        for note in reading
    ]
    for warning in warnings:
        emit(runtime, "warning", {"code": "partly_read", "message": warning})
    return warnings


async def _prepared_summary(state: State, services: Services, memory_key: str) -> Update:
    """Take up what `remember` had summarised; the server has read it together with the thread."""
    if not memory_key:
        return Update()
    prepared = await services.summaries.get(memory_key)
    if prepared is None:
        return Update()
    text, covered = prepared
    present = {message.id for message in state["messages"]}
    gone = cast("list[AnyMessage]", [RemoveMessage(id=i) for i in covered if i in present])
    return Update(summary=text, messages=gone) if gone else Update()


def _note(document: Attachment, language: Language) -> DocumentNote:
    note = DocumentNote(
        id=document["id"],
        name=document["name"],
        kind=document["kind"],
        status=document["status"],
        pages_total=document.get("pages_total", 1),
        pages_done=document.get("pages_done", 0),
        summary=document.get("summary", "")[:SUMMARY_CHARS],
    )
    if "language" in document:
        note["language"] = document["language"]
    if coverage := coverage_text(document, language):
        note["coverage"] = coverage
    return note
