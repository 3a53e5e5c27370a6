"""The response of a run: Server-Sent Events, or one answer for a client that may disconnect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from fastapi import Request

from api.edge.responses import EventStream, client_left, json_bytes
from api.runs.run import Run
from api.schemas import Answer
from domain.runs import Event


def event_stream(
    batches: AsyncIterator[list[Event]],
    *,
    on_disconnect: Callable[[], None] | None = None,
    headers: Mapping[str, str] | None = None,
) -> EventStream:
    """Return the response that streams the events of a run."""
    return EventStream(_encoded(batches), on_disconnect=on_disconnect, headers=headers)


async def _encoded(batches: AsyncIterator[list[Event]]) -> AsyncIterator[bytes]:
    async for batch in batches:
        yield b"".join(_encode(event) for event in batch)


def _encode(event: Event) -> bytes:
    head = f"id: {event.number}\n" if event.number else ""
    return f"{head}event: {event.name}\ndata: ".encode() + json_bytes(event.data) + b"\n\n"


async def result_while_connected(request: Request, run: Run) -> Answer:
    """Wait for a run whose client wants it cancelled when the connection drops.

    Raises:
        AppError: The turn failed.
    """
    assert run.task is not None
    leaving = asyncio.ensure_future(client_left(request.receive))
    try:
        await asyncio.wait({run.task, leaving}, return_when=asyncio.FIRST_COMPLETED)
        run.stop()
        return await run.result()
    finally:
        leaving.cancel()
