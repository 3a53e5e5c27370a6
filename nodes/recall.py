"""Bring back what this turn needs: the prepared summary, what the user once said, and the passages that fit."""

from __future__ import annotations

from langgraph.runtime import Runtime

from domain.words import Words
from turn.compaction import prepared_summary
from turn.context import Context
from turn.material import document_notes
from turn.passages import Passages
from turn.progress import emit, memory_key_of, owner_of
from turn.recollection import recollections
from turn.state import State, Update
from turn.texts import PARTLY_READ

TITLE = Words("Recall", "回忆")


async def recall(state: State, runtime: Runtime[Context]) -> Update:
    """Collect summary and passages, in documents as they are after the files of this turn were read."""
    services, owner, language = runtime.context.services, owner_of(runtime), state["language"]
    update = await prepared_summary(services, memory_key_of(runtime), state["messages"])
    if state["remembers"]:
        update["memories"] = await recollections(state, runtime)
    notes = await document_notes(services, owner, language) if state["attachments"] else state["documents"]
    if not notes:
        return update
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
