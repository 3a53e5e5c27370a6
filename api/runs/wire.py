"""How a run goes to its client: as Server-Sent Events, or as one answer for a client that may leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import orjson
from fastapi import Request

from api.edge.responses import ByteStream, client_left
from api.runs.log import Event
from api.runs.run import Run
from api.schemas import Answer

HEARTBEAT = b": still here\n\n"


def encode_event(name: str, data: object, number: int | None = None) -> bytes:
    """Return one event as it goes over the wire."""
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {name}\ndata: ".encode() + orjson.dumps(data, default=str) + b"\n\n"


async def encode_batches(batches: AsyncIterator[list[Event]]) -> AsyncIterator[bytes]:
    """Encode the events of a run; an empty batch becomes a heartbeat."""
    async for batch in batches:
        yield b"".join(encode_event(name, data, number) for number, name, data in batch) or HEARTBEAT


def event_stream(
    batches: AsyncIterator[list[Event]],
    *,
    on_disconnect: Callable[[], None] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ByteStream:
    """Return the response that streams the events of a run."""
    return ByteStream(
        encode_batches(batches),
        media_type="text/event-stream; charset=utf-8",
        on_disconnect=on_disconnect,
        headers=headers,
    )


async def result_while_connected(request: Request, run: Run) -> Answer:
    """Wait for a run whose client wants it cancelled when the connection drops.

    Raises:
        AppError: The turn failed.
    """
    assert run.task is not None
    leaving = asyncio.ensure_future(client_left(request.receive))
    try:
        await asyncio.wait({run.task, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not run.task.done():
            run.stop()
        return await run.result()
    finally:
        leaving.cancel()
