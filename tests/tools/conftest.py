"""A web server that misbehaves on demand, and a guarded client that may talk to it."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from domain.owner import Owner
from net.client import GuardedHttp
from readers.formats import MODULES
from readers.text.html import main_text
from settings import Settings
from tools.interface import Caller
from tools.registry import ToolRegistry
from workers.sandbox import Sandbox


@pytest_asyncio.fixture(scope="session")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """A sandbox that has its modules loaded."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("pages"), _env_file=None)
    async with Sandbox(settings, MODULES) as opened:
        await opened.run(main_text, b"<p>warm</p>", name="warm")
        yield opened


Handler = Callable[[asyncio.StreamWriter], Awaitable[None]]
HOST = "page.test"


@dataclass
class Web:
    """Raw HTTP on a loopback port: `pages` maps a path to a whole answer or to a function that writes one."""

    port: int = 0
    pages: dict[str, bytes | Handler] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def url(self, path: str, host: str = HOST) -> str:
        return f"http://{host}:{self.port}{path}"

    def add(self, path: str, body: bytes, media_type: str = "text/html; charset=utf-8", extra: str = "") -> str:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        self.pages[path] = head.encode() + body
        return self.url(path)

    def redirect(self, path: str, location: str) -> str:
        self.pages[path] = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
        return self.url(path)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            page = self.pages.get(head.split(" ")[1], b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            if isinstance(page, bytes):
                writer.write(page)
                await writer.drain()
            else:
                await page(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    site = Web()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    yield site
    server.close()


@pytest.fixture
def web_settings(web: Web, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        fetch_allow_hosts=f"{HOST}:{web.port}",
        fetch_max_bytes=200_000,
        tool_timeout=20,
        _env_file=None,
    )


@pytest.fixture
async def http(web_settings: Settings) -> AsyncIterator[GuardedHttp]:
    client = GuardedHttp(web_settings, resolver=resolve_test_names)
    yield client
    await client.aclose()


@pytest.fixture
def context() -> Caller:
    return Caller(owner=Owner(), language="en")


@pytest.fixture
async def tools(web_settings: Settings, http: GuardedHttp, sandbox: Sandbox) -> AsyncIterator[ToolRegistry]:
    registry = ToolRegistry(web_settings, None, http, sandbox=sandbox)  # type: ignore[arg-type]
    yield registry
    await registry.aclose()


async def resolve_test_names(host: str, port: int) -> list[str]:
    """Names under .test lead to this machine; everything else is left to the system."""
    from net.addresses import resolve

    return ["127.0.0.1"] if host.endswith(".test") else await resolve(host, port)


def packed(text: bytes) -> bytes:
    return gzip.compress(text)


def as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
