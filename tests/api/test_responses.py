from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from api.edge import responses
from api.edge.responses import EventStream


async def stream(chunks: AsyncIterator[bytes], leaves: asyncio.Event | None = None) -> tuple[list[bytes], bool]:
    """What a client gets, and whether it was noticed that it left."""
    sent: list[bytes] = []
    noticed: list[bool] = []

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    async def receive() -> Message:
        await (leaves or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    await EventStream(chunks, on_disconnect=lambda: noticed.append(True))({"type": "http"}, receive, send)
    return sent, bool(noticed)


async def test_long_silences_are_broken_by_a_comment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "HEARTBEAT_SECONDS", 0.1)

    async def slow() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.sleep(0.35)
        yield b"second"

    sent, noticed = await stream(slow())
    assert sent[:2] == [b"", b"first"] and sent[-2:] == [b"second", b""] and not noticed
    assert 2 <= sent.count(b": still here\n\n") <= 3


async def test_a_client_that_leaves_ends_the_stream() -> None:
    leaves, ended = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"more"
                leaves.set()
                await asyncio.sleep(0)
        finally:
            ended.set()

    _, noticed = await asyncio.wait_for(stream(endless(), leaves), 5)
    assert noticed
    await asyncio.wait_for(ended.wait(), 5)
