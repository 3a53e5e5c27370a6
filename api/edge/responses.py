"""Responses: JSON without a second validation, and streams that notice when the client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def json_response(value: object, status: int = 200) -> Response:
    """Return `value`, which is JSON-native already, as a response."""
    return Response(orjson.dumps(value, default=str), status_code=status, media_type="application/json")


class ByteStream(Response):
    """Sends chunks as they come; notices at once when the client leaves.

    Args:
        chunks: What to send.
        media_type: Content type.
        on_disconnect: Called when the client went away before the end.
        headers: Further response headers.
    """

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        *,
        media_type: str,
        on_disconnect: Callable[[], None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self._chunks = chunks
        self._on_disconnect = on_disconnect
        self.init_headers({**_HEADERS, **(headers or {})})

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Set the headers; a stream has no content length."""
        given = {"content-type": self.media_type or "", **(headers or {})}
        self.raw_headers = [(key.lower().encode(), value.encode()) for key, value in given.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream until its end or until the client leaves."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        sending = asyncio.ensure_future(self._send_all(send))
        leaving = asyncio.ensure_future(client_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            gone = not sending.done() or isinstance(sending.exception(), OSError)
            if gone and self._on_disconnect is not None:
                self._on_disconnect()
            elif not gone:
                sending.result()
        finally:
            sending.cancel()
            leaving.cancel()

    async def _send_all(self, send: Send) -> None:
        async for chunk in self._chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def client_left(receive: Receive) -> None:
    """Return when the client has gone; the body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass
