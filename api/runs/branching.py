"""A new thread that goes on from a past point of another one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from api.runs.memory import replace_memory
from api.runs.record import index_of, remembered_messages
from api.runs.uploads import ref_of, start_reading
from domain.errors import UnknownRun
from domain.language import language_of
from domain.owner import Owner
from stores.redis.transcripts import Entry, Thread

if TYPE_CHECKING:
    from graph.builder import Graph
    from turn.context import Services


async def branch(
    services: Services, graph: Graph, source: Owner, target: Owner, *, run_id: str | None = None
) -> tuple[Thread, int]:
    """Copy a thread up to a run (all of it without one) with its documents; return the thread and its entries.

    Raises:
        UnknownRun: The thread has no such run.
        UnknownSession: There is no such thread.
    """
    page = await services.transcripts.export(source)
    entries = page["entries"]
    if run_id is not None:
        if index_of(entries, run_id) is None:
            raise UnknownRun(id=run_id)
        last = max(place for place, entry in enumerate(entries) if entry.get("run_id") == run_id)
        entries = entries[: last + 1]
    await fill(services, graph, target, entries, page["thread"]["title"])
    for document in await services.documents.list(source, library=False):
        ref = await services.attachments.share(ref_of(document), target)
        await start_reading(services, [ref], target, language=language_of(ref["name"]))
    return page["thread"], len(entries)


async def fill(services: Services, graph: Graph, owner: Owner, entries: list[Entry], title: str) -> None:
    """Make a thread of the entries of a transcript; the model remembers the end of it."""
    await services.transcripts.import_(owner, _with_own_runs(entries), title)
    await replace_memory(graph, owner.memory_key, remembered_messages(entries))


def _with_own_runs(entries: list[Entry]) -> list[Entry]:
    """Give the turns fresh run ids: a session forgets its runs with it, and these are another session's."""
    ids: dict[str, str] = {}
    return [
        {**entry, "run_id": ids.setdefault(entry["run_id"], uuid.uuid4().hex)} if "run_id" in entry else entry
        for entry in entries
    ]
