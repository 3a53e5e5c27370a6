"""A new thread that goes on from a past point of another one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from api.runs.uploads import ref_of, start_reading
from domain.errors import UnknownMessage, UnknownRun
from domain.language import language_of
from domain.owner import Owner

if TYPE_CHECKING:
    from stores.conversations.entries import Message, Whole
    from turn.context import Services


async def branch(
    services: Services, source: Owner, target: Owner, *, run_id: str | None = None, message_id: str | None = None
) -> tuple[str, int]:
    """Copy a thread up to a run or message (all that is shown without one) with its documents.

    Returns:
        The title of the new thread and the number of its messages.

    Raises:
        UnknownMessage: The thread has no such message.
        UnknownRun: The thread has no such run.
        UnknownSession: There is no such thread.
    """
    whole = await services.conversations.whole(source)
    path = path_to(whole, run_id=run_id, message_id=message_id)
    title = await services.conversations.free_title(source.user_id, whole["thread"]["title"])
    await services.conversations.add(target, with_own_runs(path), title)
    thread = whole["thread"]
    await services.conversations.hold_with(target, persona=thread["persona"], memory=thread["memory"])
    for document in await services.documents.list(source, library=False):
        ref = await services.attachments.share(ref_of(document), target)
        await start_reading(services, [ref], target, language=language_of(ref["name"]))
    return title, len(path)


def path_to(whole: Whole, *, run_id: str | None = None, message_id: str | None = None) -> list[Message]:
    """Return what was said up to the last message of a run, or to a message; without either, what is shown.

    Raises:
        UnknownMessage: There is no such message.
        UnknownRun: There is no such run.
    """
    last = whole["current"] if message_id is None else message_id
    if run_id is not None:
        of_run = [entry["message_id"] for entry in whole["entries"] if entry.get("run_id") == run_id]
        if not of_run:
            raise UnknownRun(id=run_id)
        last = of_run[-1]
    by_id = {entry["message_id"]: entry for entry in whole["entries"]}
    if last is not None and last not in by_id:
        raise UnknownMessage(id=last)
    path: list[Message] = []
    while last is not None:
        path.append(by_id[last])
        last = path[-1]["parent_message_id"]
    return path[::-1]


def with_own_runs(entries: list[Message]) -> list[Message]:
    """Give the turns fresh run ids: a session forgets its runs with it, and these are another session's."""
    ids: dict[str, str] = {}
    return [
        {**entry, "run_id": ids.setdefault(entry["run_id"], uuid.uuid4().hex)} if "run_id" in entry else entry
        for entry in entries
    ]
