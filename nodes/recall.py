"""Bring back what this turn needs: the prepared summary, the thread's documents, the passages that fit the question."""

from __future__ import annotations

from langgraph.runtime import Runtime

from turn.compaction import prepared_summary
from turn.context import Context
from turn.material import document_note
from turn.passages import Passages
from turn.progress import emit, memory_key_of, owner_of
from turn.state import State, Update
from turn.texts import PARTLY_READ


async def recall(state: State, runtime: Runtime[Context]) -> Update:
    """Collect summary, documents and passages; without documents a plain text turn costs one local look-up."""
    services, owner, language = runtime.context.services, owner_of(runtime), state["language"]
    update = await prepared_summary(services, memory_key_of(runtime), state["messages"])
    documents = await services.documents.list(owner)
    if not documents:
        return update
    notes = [document_note(document, language) for document in documents]
    update["documents"], update["sources"] = await Passages(state, services, owner, notes).find()
    update["warnings"] = [*state.get("warnings", [])]
    for note in notes:
        if note["status"] == "reading":
            warning = PARTLY_READ.text(language).format(
                name=note["name"], done=note["pages_done"], total=note["pages_total"]
            )
            update["warnings"].append(warning)
            emit(runtime, "warning", {"code": "partly_read", "message": warning})
    return update
