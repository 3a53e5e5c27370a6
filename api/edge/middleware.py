"""Middleware of every request: its id, the limits of its body, its log line, and an answer in any case."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.edge.failures import as_app_error, error_response
from api.edge.instruments import HTTP_SECONDS, labelled
from api.edge.json_shape import JSON_BYTES, check_shape, off_loop
from api.edge.logs import request_id_var
from domain.errors import AppError, BodyTimedOut, BodyTooLarge

logger = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[\w.-]{1,64}")
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_DRAIN_FACTOR = 4
"""A body up to this many times the limit is read to its end and thrown away, so that the client sees the 413."""
BODY_SECONDS = 30
"""Longest silence of a client in the middle of its request body."""
LEAST_RATE = 4096
"""Bytes a second that a body has to come with, beyond the first `BODY_SECONDS`."""
_FILES_IN_JSON = ("/agent/", "/v1/")
"""Routes whose JSON may carry files in base64; everywhere else files come as multipart/form-data."""


class RequestScope:
    """Gives a request its id, logs and measures it, and turns uncaught exceptions into the error shape.

    HEAD is answered as GET is, without the body. A redirect names a path alone: behind a proxy the server does not know
    by which scheme and port it was reached.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        token, started, status = request_id_var.set(request_id), time.perf_counter(), 0
        routed = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.get("headers", [])
                if status == 307:
                    headers = [(name, _path_only(value) if name == b"location" else value) for name, value in headers]
                message["headers"] = [*headers, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(routed, receive, send_with_id)
        except Exception as exc:  # noqa: BLE001  # the last resort: a client must get an answer, the log the trace
            error = as_app_error(exc)
            if not status:
                await error_response(Request(scope), error)(scope, receive, send_with_id)
        finally:
            _record(routed, status, time.perf_counter() - started)
            request_id_var.reset(token)


def _path_only(location: bytes) -> bytes:
    parts = urlsplit(location)
    path = b"/" + parts.path.lstrip(b"/")  # two slashes at its start would name a host
    return path + (b"?" + parts.query if parts.query else b"")


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "other")
    labelled(HTTP_SECONDS, scope["method"], route, str(status)).observe(seconds)
    if logger.isEnabledFor(logging.INFO):
        logger.info(
            "request",
            extra={"method": scope["method"], "route": route, "status": status, "seconds": round(seconds, 4)},
        )


class BodyLimit:
    """Refuses request bodies over a limit, or that stop coming, while they stream in, whoever reads them.

    Bodies that are not read as JSON at once, or may carry files in it, have the limit of uploads; others have that of
    JSON. JSON is passed on whole, when it is known to be of a shape that is cheap to parse.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        form = _content_type(scope).startswith(b"multipart/form-data")
        carries_files = form or scope["path"].startswith(_FILES_IN_JSON)
        body = _CountedBody(self.limit if carries_files else min(JSON_BYTES, self.limit), receive, send)
        if body.declare(scope):
            try:
                await self.app(scope, body.receive, body.send)
            except (BodyTooLarge, BodyTimedOut):
                if body.answered:
                    raise
        if body.error is not None and not body.answered:
            await body.drain()
            response = error_response(Request(scope), body.error)
            response.headers["Connection"] = "close"
            await response(scope, receive, send)


class JsonShape:
    """Collects bodies that will be parsed as JSON, and refuses those whose shape costs too much, off the event loop."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] in _BODILESS or b"multipart" in _content_type(scope):
            await self.app(scope, receive, send)
            return
        parts: list[bytes] = []
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                await Response(status_code=499)(scope, receive, send)
                return
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        body = b"".join(parts)
        parts.clear()
        try:
            await off_loop(check_shape, body)
        except AppError as exc:
            await error_response(Request(scope), exc)(scope, receive, send)
            return
        whole: Message | None = {"type": "http.request", "body": body}
        del body

        async def receive_whole() -> Message:
            nonlocal whole
            message, whole = whole, None
            return message or await receive()

        await self.app(scope, receive_whole, send)


def _content_type(scope: Scope) -> bytes:
    return next((value.lower() for name, value in scope["headers"] if name == b"content-type"), b"")


class _CountedBody:
    """One request's body; the app's answer is dropped once the body was refused."""

    def __init__(self, limit: int, receive: Receive, send: Send) -> None:
        self._limit, self._receive, self._send = limit, receive, send
        self._read, self._complete, self._waited = 0, False, 0.0
        self.error: AppError | None = None
        self.answered = False

    def declare(self, scope: Scope) -> bool:
        """Check the declared length; return whether the app may see the request."""
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        if length.isdigit() and int(length) > self._limit:
            self.error = BodyTooLarge(limit=self._limit)
        return self.error is None

    async def receive(self) -> Message:
        """Pass a part of the body on.

        Raises:
            BodyTooLarge: It is one too many.
            BodyTimedOut: It did not come.
        """
        if self.error is None:
            message = await self._receive_counted()
            if self._read > self._limit:
                self.error = BodyTooLarge(limit=self._limit)
        if self.error is not None:
            raise self.error
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on."""
        if self.error is None or self.answered:
            self.answered = True
            await self._send(message)

    async def drain(self) -> None:
        """Throw the rest of the body away: a client that is still sending would not see the answer."""
        while isinstance(self.error, BodyTooLarge) and not self._complete and self._read <= _DRAIN_FACTOR * self._limit:
            await self._receive_counted()

    async def _receive_counted(self) -> Message:
        if self._complete or self.answered:
            return await self._receive()
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(BODY_SECONDS, BODY_SECONDS + self._read / LEAST_RATE - self._waited)):
                message = await self._receive()
        except TimeoutError:
            self.error = BodyTimedOut(seconds=BODY_SECONDS)
            return {"type": "http.disconnect"}
        self._waited += time.monotonic() - began
        self._read += len(message.get("body", b""))
        self._complete = self._complete or not message.get("more_body", False)
        return message
