"""Responses: JSON without a second validation, and streams that notice when the client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import orjson
from fastapi import BackgroundTasks, Response
from fastapi.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from domain.sealing import SealedFile, Stored
from domain.surrogates import cleaned
from workers.memory_file import MemoryFile

HEARTBEAT = b": still here\n\n"
HEARTBEAT_SECONDS = 10.0
"""Longest silence of an event stream."""


def json_bytes(value: object) -> bytes:
    """Return `value` as JSON; half a character in a text becomes U+FFFD, so that no answer fails on it."""
    try:
        return orjson.dumps(value, default=str)
    except TypeError:
        return orjson.dumps(cleaned(value), default=str)


def json_response(value: object, status: int = 200) -> Response:
    """Return `value`, which is JSON-native already, as a response."""
    return Response(json_bytes(value), status_code=status, media_type="application/json")


async def file_response(
    stored: Stored, *, media_type: str, headers: Mapping[str, str] | None = None, filename: str | None = None
) -> Response:
    """Return a stored file as a response, in parts where a client asks for those."""
    if not isinstance(stored, SealedFile):
        return FileResponse(stored, headers=headers, media_type=media_type, filename=filename)
    opened = await asyncio.to_thread(lambda: MemoryFile(stored.blocks()))
    after = BackgroundTasks()
    after.add_task(opened.close)
    return FileResponse(opened.path, headers=headers, media_type=media_type, filename=filename, background=after)


async def client_left(receive: Receive) -> None:
    """Return when the client has gone; the body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


class ByteStream(Response):
    """Sends chunks as they come, and stops taking them when the client leaves.

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
        self.background = None
        self._chunks = chunks
        self._on_disconnect = on_disconnect
        given = {"content-type": media_type, "cache-control": "no-store", "x-accel-buffering": "no", **(headers or {})}
        self.raw_headers = [(name.lower().encode(), value.encode()) for name, value in given.items()]

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


class EventStream(ByteStream):
    """Server-Sent Events: the chunks are whole events, and a comment breaks every long silence."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        *,
        on_disconnect: Callable[[], None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        media_type = "text/event-stream; charset=utf-8"
        super().__init__(chunks, media_type=media_type, on_disconnect=on_disconnect, headers=headers)
        self._sent = 0

    async def _send_all(self, send: Send) -> None:
        async def counted(message: Message) -> None:
            self._sent += 1
            await send(message)

        beating = asyncio.ensure_future(self._beat(counted))
        try:
            await super()._send_all(counted)
        finally:
            beating.cancel()

    async def _beat(self, send: Send) -> None:
        while True:
            before = self._sent
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if self._sent == before:
                await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})
