"""JSON responses that skip a second validation, and answers for clients that may leave."""

from __future__ import annotations

import asyncio

import orjson
from fastapi import Request, Response

from api.runs.run import Run
from api.schemas import Answer


def json_response(value: object, status: int = 200) -> Response:
    """Return `value`, which is JSON-native already, as a response."""
    return Response(orjson.dumps(value, default=str), status_code=status, media_type="application/json")


async def result_while_connected(request: Request, run: Run) -> Answer:
    """Wait for a run whose client wants it cancelled when the connection drops.

    Raises:
        AppError: The turn failed.
    """
    assert run.task is not None
    leaving = asyncio.ensure_future(client_left(request))
    try:
        await asyncio.wait({run.task, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not run.task.done():
            run.stop()
        return await run.result()
    finally:
        leaving.cancel()


async def client_left(request: Request) -> None:
    """Return when the client has gone; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
