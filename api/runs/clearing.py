"""Forgets a thread: everything that any store holds of it, and says what that was."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from api.runs.memory import thread_config
from domain.errors import TemporarySession, UnknownSession
from domain.owner import Owner

if TYPE_CHECKING:
    from graph.builder import Graph
    from stores.redis.events import RunEvents
    from stores.redis.turns import ThreadTurns
    from turn.context import Services

Counts = dict[str, dict[str, int]]


async def clear_thread(
    owner: Owner, *, graph: Graph, services: Services, turns: ThreadTurns, events: RunEvents
) -> Counts:
    """Stop the thread's turn, delete all that is kept of it, and return the items before and after, by store.

    Raises:
        MemoryUnavailable: Redis failed.
    """
    async with turns.hold(owner.memory_key, f"clear-{uuid.uuid4().hex}", policy="interrupt"):
        counts: Counts = {}
        await services.background.cancel(f"compact {owner.memory_key}", f"title {owner.memory_key}")
        run_ids = await _run_ids(services, owner)
        counts["checkpoints"] = await _forget_memory(graph, owner.memory_key)
        counts["summaries"] = _all(int(await services.summaries.clear(owner.memory_key)))
        stores = services.call_stores
        counts["effects"] = _all(await stores.effects.clear(owner.memory_key))
        counts["tool_results"] = _all(await stores.results.clear(owner.memory_key))
        counts["tool_cache"] = _all(await stores.cache.forget(owner.user_id))
        counts["permissions"] = _all(await services.permissions.grants.clear(owner))
        counts["feedback"] = _all(await services.votes.clear(owner))
        counts.update({name: _all(count) for name, count in (await services.conversations.delete(owner)).items()})
        counts["shares"] = _all(await services.shares.clear(owner))
        counts["events"] = _all(await events.forget_thread(owner, run_ids))
        for name, count in (await services.documents.delete_owner(owner)).items():
            counts[name] = {"before": count["before"], "after": count["after"]}
    return counts


async def _run_ids(services: Services, owner: Owner) -> list[str]:
    try:
        entries = (await services.conversations.whole(owner))["entries"]
    except (UnknownSession, TemporarySession):
        return []
    return sorted({entry["run_id"] for entry in entries if entry.get("run_id")})


async def _forget_memory(graph: Graph, memory_key: str) -> dict[str, int]:
    saver: Any = graph.checkpointer
    before = await saver.aget_tuple(thread_config(memory_key))
    await saver.adelete_thread(memory_key)
    after = await saver.aget_tuple(thread_config(memory_key))
    return {"before": int(before is not None), "after": int(after is not None)}


def _all(count: int) -> dict[str, int]:
    return {"before": count, "after": 0}
