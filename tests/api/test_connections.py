"""Headers that are too large or come too slowly, and addresses with too many connections, on raw sockets."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import httpx
import pytest

from api.edge import connections
from tests.live_server import LiveServer

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEALTH = b"GET /api/v1/personas HTTP/1.1\r\nHost: x\r\n"


async def connect(server: LiveServer, data: bytes = b"") -> Connection:
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(data)
    return reader, writer


async def refused(connection: Connection) -> tuple[int, str]:
    """Return status and code of the answer that ends a connection."""
    reader, writer = connection
    head, _, body = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), json.loads(body)["error"]["code"]


@pytest.mark.parametrize(
    "headers",
    [
        b"X-A: " + b"a" * 70_000 + b"\r\n\r\n",
        b"X-A: " + b"a" * 70_000,
        b"X-A: b\r\n" * 9_000 + b"\r\n",
        b"X-A: " + b"a" * 3_000_000,
    ],
    ids=["one long header", "without an end", "many headers", "megabytes"],
)
async def test_headers_over_the_limit_are_refused(server: LiveServer, headers: bytes) -> None:
    connection = await connect(server, HEALTH)
    try:
        for start in range(0, len(headers), 50_000):
            connection[1].write(headers[start : start + 50_000])
            await connection[1].drain()
        assert await refused(connection) == (431, "headers_too_large")
    except ConnectionError:  # the server had hung up while more was sent
        assert len(headers) > 1_000_000


async def test_large_headers_below_the_limit_are_taken(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/personas", headers={"X-A": "a" * 60_000})).status_code == 200


async def test_headers_that_do_not_end_are_given_up(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    dripping = await connect(server, HEALTH)
    for _ in range(5):
        await asyncio.sleep(0.02)
        dripping[1].write(b"X-A: b\r\n")
    assert await refused(dripping) == (408, "headers_timed_out")
    silent, writer = await connect(server)
    assert await asyncio.wait_for(silent.read(), 5) == b""
    writer.close()
    reader, writer = await connect(server, HEALTH + b"\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    writer.write(HEALTH)
    assert b" 408 " in await asyncio.wait_for(reader.read(), 5), "the second request of a connection has its clock too"
    writer.close()


async def test_one_address_has_so_many_connections(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    before = connections._connections["127.0.0.1"]
    monkeypatch.setattr(server.http, "most_connections", before + 3)
    opened = [await connect(server, HEALTH + b"\r\n") for _ in range(3)]
    for reader, _ in opened:
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    assert await refused(await connect(server)) == (503, "too_many_connections")
    opened[0][1].close()
    await opened[0][1].wait_closed()
    await asyncio.sleep(0.1)
    reader, writer = await connect(server, HEALTH + b"\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200"), "a place is free again"
    for _, open_writer in [*opened, (reader, writer)]:
        open_writer.close()
