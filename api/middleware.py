"""What surrounds every request: its id, its size limit, its log line, and an answer even when all else failed."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.failures import as_app_error, error_response
from api.logs import request_id_var
from api.metrics import HTTP_SECONDS
from errors import BodyTooLarge

logger = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[\w.-]{1,64}")
_DRAIN_FACTOR = 4
"""A body up to this many times the limit is read to its end and thrown away, so that the client sees the 413."""


class RequestScope:
    """Gives a request its id, logs and measures it, and turns what nobody caught into the error shape."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        sent = request.headers.get("x-request-id", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        token, started, status = request_id_var.set(request_id), time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception as exc:  # noqa: BLE001  # the last resort: a client must get an answer, the log the trace
            error = as_app_error(exc)
            if not status:
                await error_response(request, error)(scope, receive, send_with_id)
        finally:
            _record(scope, status, time.perf_counter() - started)
            request_id_var.reset(token)


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "other")
    HTTP_SECONDS.labels(scope["method"], route, str(status)).observe(seconds)
    if logger.isEnabledFor(logging.INFO):
        logger.info(
            "request",
            extra={"method": scope["method"], "route": route, "status": status, "seconds": round(seconds, 4)},
        )


class BodyLimit:
    """Refuses request bodies over a limit while they stream in, whoever reads them."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = _content_length(scope)
        if declared > self.limit:
            await self._refuse(scope, receive, send, declared)
            return
        read, exceeded, started = 0, False, False

        async def limited() -> Message:
            nonlocal read, exceeded
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.limit:
                exceeded = True
                raise BodyTooLarge(limit=self.limit)
            return message

        async def guarded(message: Message) -> None:
            nonlocal started
            if exceeded and not started:
                return
            started = True
            await send(message)

        try:
            await self.app(scope, limited, guarded)
        except BodyTooLarge:
            if started:
                raise
        if exceeded and not started:
            await self._refuse(scope, receive, send, read)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, size: int) -> None:
        left = _DRAIN_FACTOR * self.limit
        while size <= left:
            message = await receive()
            left -= len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body") or left < 0:
                break
        await error_response(Request(scope), BodyTooLarge(limit=self.limit))(scope, receive, send)


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
