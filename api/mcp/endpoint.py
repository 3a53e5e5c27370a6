"""The ASGI side of `/mcp`: streamable HTTP without sessions, one exchange a request.

A call whose client asks for progress is answered by a stream of events, every other by JSON. The protocol's library is
loaded by the first request: a server that no MCP client calls does not pay for it.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.edge.local_callers import check_origin


class McpEndpoint:
    """Serves MCP clients of the user whom `ApiKeys` found, whatever `Host` a proxy in front of it passes on."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one POST: there is no stream to listen to by GET, and no session to end by DELETE.

        Raises:
            ForeignPage: The page of another site sent it, with a key or without.
        """
        request = Request(scope, receive)
        check_origin(request, request.app.state.settings.cors_origins)
        body = await request.body()
        protocol = await asyncio.to_thread(importlib.import_module, "api.mcp.protocol")
        stream = _asks_for_progress(body) and "text/event-stream" in request.headers.get("accept", "")
        answer: ASGIApp = protocol.exchange(stream=stream)
        whole: Message | None = {"type": "http.request", "body": body}

        async def receive_whole() -> Message:
            nonlocal whole
            message, whole = whole, None
            return message or await receive()

        await answer(scope, receive_whole, send)


def _asks_for_progress(body: bytes) -> bool:
    try:
        message: Any = json.loads(body)
    except ValueError:
        return False
    for key in ("params", "_meta"):
        message = message.get(key) if isinstance(message, dict) else None
    return isinstance(message, dict) and message.get("progressToken") is not None
