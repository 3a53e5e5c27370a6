"""What LangGraph Studio and `langgraph dev` load: the graph without a checkpointer, with its services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from graph.builder import Graph, build_graph
from services import open_services
from settings import Settings
from stores.redis.server import open_redis
from turn.context import default_services, services_are_open

_opening = asyncio.Lock()
_stack = AsyncExitStack()


@asynccontextmanager
async def agent() -> AsyncIterator[Graph]:
    """Yield the graph; the first call opens the services, which then serve all runs of the process."""
    async with _opening:
        if not services_are_open():
            _allow_blocking()
            settings = await asyncio.to_thread(Settings)
            redis = await _stack.enter_async_context(await open_redis(settings))
            await _stack.enter_async_context(open_services(settings, redis.client))
    yield build_graph(crew=default_services().agents, spoken_errors=True)


def _allow_blocking() -> None:
    """Do for this process what `langgraph dev --allow-blocking` does.

    The development server raises on every file or socket call that a library makes in the event loop, be it one `stat`
    while it finds out its own version; opening Redis, Chroma and OCR cannot avoid those. The server proper has no such
    check.
    """
    try:
        from blockbuster.blockbuster import _skip
    except ImportError:
        return
    _skip.value = True
