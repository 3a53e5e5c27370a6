"""Deletes a document, a session or a user from every store, and finishes what an earlier process began.

Each deletion is noted on disk first and struck off last. What it removes in between can be removed again, so after a
kill at any point it is simply done once more.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from api.runs.clearing import Counts
from api.runs.memory import forget_memory
from domain.errors import AppError, MemoryUnavailable, UnknownDocument, UnknownSession
from domain.language import language_of
from domain.owner import Owner
from domain.words import Words

if TYPE_CHECKING:
    from api.backend import Backend
    from stores.conversations.entries import Message
    from stores.library.deletions import Deletion
    from stores.library.deletions import Kind as DeletionKind

logger = logging.getLogger(__name__)

RETRY_SECONDS = 30.0
REMOVED = Words("[removed: this answer rested on a document that was deleted]", "［已移除：该回答依据的文档已被删除］")
DELETED = Words("[deleted document]", "［已删除的文档］")


async def delete_document(backend: Backend, owner: Owner, document_id: str) -> Counts:
    """Delete a document, and what its owner's conversations hold of it: answers that rest on it, memory, events.

    Raises:
        UnknownDocument: There is none, or it is another user's.
        MemoryUnavailable: Redis failed; the deletion is finished later.
    """
    ids = await backend.services.documents.family(document_id, owner)
    return await _delete(backend, "document", owner.user_id, ",".join(ids))


async def delete_session(backend: Backend, owner: Owner) -> Counts:
    """Delete a session with its documents.

    Raises:
        MemoryUnavailable: Redis failed; the deletion is finished later.
    """
    return await _delete(backend, "session", owner.user_id, owner.thread_id or "")


async def delete_user(backend: Backend, user_id: str) -> Counts:
    """Delete all sessions and documents of a user, the lasting library included.

    Raises:
        MemoryUnavailable: Redis failed; the deletion is finished later.
    """
    return await _delete(backend, "user", user_id)


async def finish_deletions(backend: Backend) -> None:
    """Carry out what is noted: deletions that a process had no time for. Waits for Redis where it is away."""
    for deletion in await backend.services.documents.deletions.under_way():
        while True:
            try:
                await _carry_out(backend, deletion)
                break
            except MemoryUnavailable:
                await asyncio.sleep(RETRY_SECONDS)
            except AppError as exc:
                logger.warning("a deletion is left for the next start", extra={"error": exc.code})
                break


async def _delete(backend: Backend, kind: DeletionKind, user_id: str, target: str = "") -> Counts:
    """Note a deletion and carry it out, each with the room that is kept for it where the disk is full."""
    deletions = backend.services.documents.deletions
    deletion = await backend.reserve.spend(lambda: deletions.begin(kind, user_id, target))
    return await backend.reserve.spend(lambda: _carry_out(backend, deletion))


async def _carry_out(backend: Backend, deletion: Deletion) -> Counts:
    owner = Owner(deletion.user_id, deletion.target if deletion.kind == "session" else None)
    if deletion.kind == "session":
        counts = await backend.runner.clear(owner)
    elif deletion.kind == "user":
        counts = await _user(backend, owner)
    else:
        counts = await _document(backend, owner, deletion.target.split(","))
    await backend.services.documents.deletions.end(deletion)
    backend.redis.erase_deleted()
    backend.services.actions.append(
        "deletion", owner, what=deletion.kind, documents=deletion.target if deletion.kind == "document" else None,
        removed={name: count["before"] for name, count in counts.items() if count["before"]},
    )  # fmt: skip
    return counts


async def _user(backend: Backend, owner: Owner) -> Counts:
    counts: Counts = {}
    while threads := await backend.services.conversations.threads(owner.user_id):  # one may begin meanwhile
        for thread_id in threads:
            _add(counts, await backend.runner.clear(Owner(owner.user_id, thread_id)))
    _add(counts, await backend.services.documents.delete_owner(owner))
    await backend.services.call_stores.cache.forget(owner.user_id)
    for part in backend.services.personal_data:
        held = await part.forget(owner.user_id)
        _add(counts, {name: {"before": count, "after": 0} for name, count in held.items()})
    return counts


async def _document(backend: Backend, owner: Owner, ids: Sequence[str]) -> Counts:
    """The document goes first, so that nothing finds it any more; then the conversations that it was used in."""
    names = await _names(backend, owner, ids)
    temporary = await _temporary_with(backend, owner, ids if names else ())
    at_work = await _at_work_with(backend, owner, ids if names else ())
    counts: Counts = {}
    try:
        _add(counts, await backend.services.documents.delete(ids[0], owner))
    except UnknownDocument:
        logger.info("a document was deleted already")
    await backend.services.call_stores.cache.forget(owner.user_id)
    for thread_id, run_ids in at_work.items():  # first, so that no process goes on with what they have found
        await backend.events.forget(list(run_ids), Owner(owner.user_id, thread_id))
    naming = await backend.services.conversations.naming(owner.user_id, ids)
    whole = {thread.thread_id for thread in temporary}
    changed = [
        await _forget_in(backend, Owner(owner.user_id, thread_id), set(ids), names, at_work.get(thread_id, set()))
        for thread_id in dict.fromkeys([*naming, *at_work])
        if thread_id not in whole
    ]
    _add(counts, {"messages": {"before": sum(changed), "after": 0}})
    for thread in temporary:
        await _forget_temporary(backend, thread)
    return counts


async def _names(backend: Backend, owner: Owner, ids: Sequence[str]) -> list[str]:
    names = []
    for document_id in ids:
        try:
            names.append((await backend.services.documents.get(document_id, owner))["name"])
        except UnknownDocument:
            continue
    return names


async def _forget_in(backend: Backend, owner: Owner, ids: set[str], names: list[str], run_ids: set[str]) -> int:
    """Remove these documents from one session, and what these runs say, which may be of them; count the messages."""
    conversations = backend.services.conversations
    try:
        async with backend.turns.hold(owner.memory_key, f"forget-{uuid.uuid4().hex}", policy="interrupt"):
            whole = await conversations.whole(owner)
            changed = [
                _without(entry, ids)
                for entry in whole["entries"]
                if _names_one(entry, ids) or entry.get("run_id") in run_ids
            ]
            title = whole["thread"]["title"]
            if any(name in title for name in names):
                await conversations.change(owner, title=DELETED.text(language_of(title)))
            await conversations.replace(owner, changed)
            await backend.services.shares.clear(owner)
            await backend.services.call_stores.results.clear(owner.memory_key)
            await forget_memory(backend.runner.graph, backend.services, owner.memory_key)
            told = {str(entry["run_id"]) for entry in changed if "run_id" in entry}
            await backend.events.forget([*(told | run_ids)], owner)
    except UnknownSession:
        return 0
    return len(changed)


async def _temporary_with(backend: Backend, owner: Owner, ids: Sequence[str]) -> list[Owner]:
    """Return the temporary sessions that could see one of these documents, all without any: none tells what it used."""
    threads = [Owner(owner.user_id, name) for name in await backend.services.conversations.temporary(owner.user_id)]
    return [thread for thread in threads if await _sees(backend, thread, ids)]


async def _at_work_with(backend: Backend, owner: Owner, ids: Sequence[str]) -> dict[str, set[str]]:
    """Return the runs that may have found one of these documents and go on, or would on another process, by thread."""
    found: dict[str, set[str]] = {}
    running = await backend.services.conversations.running(owner.user_id)
    for thread_id, run_id in [*running, *backend.runner.running(owner.user_id)]:
        if await _sees(backend, Owner(owner.user_id, thread_id), ids):
            found.setdefault(thread_id, set()).add(run_id)
    return found


async def _sees(backend: Backend, thread: Owner, ids: Sequence[str]) -> bool:
    """Whether a session can see one of these documents; any of them where there are none to tell."""
    return not ids or not {document["id"] for document in await backend.services.documents.list(thread)}.isdisjoint(ids)


async def _forget_temporary(backend: Backend, owner: Owner) -> None:
    """Forget what was said in a temporary session; it goes on without that."""
    async with backend.turns.hold(owner.memory_key, f"forget-{uuid.uuid4().hex}", policy="interrupt"):
        await backend.services.call_stores.results.clear(owner.memory_key)
        await forget_memory(backend.runner.graph, backend.services, owner.memory_key)
        await backend.events.forget_thread(owner)


def _names_one(entry: Message, ids: set[str]) -> bool:
    named = {item.get("id") for item in entry.get("attachments", [])}
    return bool(ids & (named | {item.get("document_id") for item in entry.get("citations", [])}))


_ANSWERED = ("citations", "reasoning", "reasoning_seconds", "steps", "error", "warnings", "agents", "artifacts")
"""What of an answer may hold words of the documents that it rests on, beside its text."""


def _without(entry: Message, ids: set[str]) -> Message:
    """A question keeps its words; an answer that quotes the document, or that the document came with, does not."""
    kept: dict[str, Any] = {**entry}
    kept["attachments"] = [item for item in entry.get("attachments", []) if item.get("id") not in ids]
    if entry.get("role") == "assistant":
        kept["text"] = REMOVED.text(language_of(entry.get("text", "")))
        for name in _ANSWERED:
            kept.pop(name, None)
        kept["tools"] = [{**tool, "arguments": {}, "synopsis": ""} for tool in entry.get("tools", [])]
    for name in ("attachments", "tools"):
        if not kept.get(name):
            kept.pop(name, None)
    return kept  # type: ignore[return-value]  # the same keys as before, or fewer


def _add(counts: Counts, more: Any) -> None:
    for name, count in more.items():
        total = counts.setdefault(name, {"before": 0, "after": 0})
        total["before"] += count["before"]
        total["after"] += count["after"]
