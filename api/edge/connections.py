"""Limits of a connection, beneath HTTP: size and time of headers, and connections of one address."""

from __future__ import annotations

import asyncio
from collections import Counter

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.edge.failures import error_body
from domain.errors import AppError, HeadersTimedOut, HeadersTooLarge, TooManyConnections
from settings import Settings

HEADER_BYTES = 64 * 1024
HEADER_SECONDS = 15.0
"""Longest time from the start of a connection, or the first byte of a later request, to the end of the headers."""
_connections: Counter[str] = Counter()


class LimitedHttp(HttpToolsProtocol):
    """uvicorn's HTTP on httptools, which by itself takes headers of any size for as long as they keep coming."""

    most_connections = 0
    """Of one address; 0: no limit."""
    _address = ""
    _in_headers = True
    _header_bytes = 0
    _clock: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection and start its clock, or refuse it."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        _connections[self._address] += 1
        self._start_clock()
        if self.most_connections and _connections[self._address] > self.most_connections:
            self._refuse(TooManyConnections(limit=self.most_connections))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        _connections[self._address] -= 1
        if not _connections[self._address]:
            del _connections[self._address]
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, unless they are too many for headers that have not ended."""
        if self._refused:
            return
        if self._in_headers:
            self._start_clock()
            self._header_bytes += len(data)
        super().data_received(data)
        if self._in_headers and self._header_bytes > HEADER_BYTES:
            self._refuse(HeadersTooLarge(limit=HEADER_BYTES))

    def on_headers_complete(self) -> None:
        """Hand the request over, unless its headers are too large."""
        self._in_headers, self._header_bytes = False, 0
        self._stop_clock()
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > HEADER_BYTES:
            self._refuse(HeadersTooLarge(limit=HEADER_BYTES))
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect the headers of another request."""
        if not self._refused:
            super().on_message_complete()
        self._in_headers = True

    def _start_clock(self) -> None:
        if self._clock is None:
            self._clock = self.loop.call_later(HEADER_SECONDS, self._out_of_time)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _out_of_time(self) -> None:
        self._clock = None
        if self.cycle is not None and not self.cycle.response_complete:
            return
        if not self._header_bytes:  # a connection that a browser opened ahead of need
            self.transport.close()
        else:
            self._refuse(HeadersTimedOut(seconds=int(HEADER_SECONDS)))

    def _refuse(self, error: AppError) -> None:
        self._refused = True
        if self.transport.is_closing():
            return
        body = orjson.dumps(error_body(error, "en", ""))
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[error.status] + head + body)
        self.transport.close()


def limited_http(settings: Settings) -> type[LimitedHttp]:
    """Return the protocol with the limit of `settings`, as uvicorn takes it."""
    return type("LimitedHttp", (LimitedHttp,), {"most_connections": settings.max_connections})
