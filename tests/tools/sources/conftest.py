"""Sources of tools as a process opens them, on a real database and a real Redis."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from domain.owner import Owner
from net.client import GuardedHttp
from settings import Settings
from stores.sql.database import Database
from stores.tool_sources import ToolSourceStore
from tests.redis_fixture import redis, redis_server
from tests.tools.conftest import resolve_test_names
from tools.interface import Caller
from tools.registry import ToolRegistry
from tools.sources.config import SourceConfig
from tools.sources.sources import ToolSources

__all__ = ["redis", "redis_server"]
ROOT = Path(__file__).resolve().parents[3]
CALLER = Caller(owner=Owner("mei", "thread"), language="en")


def stand_in(**env: str) -> SourceConfig:
    """The stand-in MCP server over stdio."""
    return SourceConfig(
        command=sys.executable, args=("-m", "tests.standins.mcp_server"), env={"PYTHONPATH": str(ROOT), **env}
    )


async def until(happened: Callable[[], Any], seconds: float = 20) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not happened():
            await asyncio.sleep(0.01)


def free_port() -> int:
    """A port that a program can listen on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def programs() -> list[psutil.Process]:
    """Stand-in servers that this process has started and that still run."""
    found = []
    for child in psutil.Process(os.getpid()).children(recursive=True):
        try:
            if "tests.standins.mcp_server" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


class Process:
    """What one process of an installation has: a registry, and the sources behind it."""

    def __init__(self, settings: Settings, database: Database, redis: Redis) -> None:
        self.http = GuardedHttp(settings, resolver=resolve_test_names)
        self.registry = ToolRegistry(settings, None, self.http)  # type: ignore[arg-type]
        self.sources = ToolSources(settings, ToolSourceStore(database), redis, self.http, self.registry)

    def rows(self, name: str) -> dict[str, dict[str, Any]]:
        """The tools of a source as administrators see them."""
        return {row["own_name"]: row for row in self.sources.description(name, "en")["tools"]}

    def state(self, name: str) -> str:
        return self.sources.states()[name][0] if name in self.sources.states() else ""

    async def ready(self, *names: str) -> None:
        await until(lambda: all(self.state(name) == "ready" and self.rows(name) for name in names))

    async def say(self, name: str, **arguments: object) -> str:
        """Call a tool; the text that the model would read, behind the code of a failure."""
        outcome = await self.registry.call(name, arguments, CALLER)
        return f"{outcome.code} {outcome.text}" if outcome.code else outcome.text


Opener = Callable[..., Any]


@pytest_asyncio.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = await Database.open(settings)
    yield opened
    await opened.aclose()


@pytest_asyncio.fixture
async def opened(settings: Settings, database: Database, redis: Redis) -> AsyncIterator[Opener]:
    """Opens another process of the same installation, started."""
    async with AsyncExitStack() as stack:

        @asynccontextmanager
        async def process(**values: Any) -> AsyncIterator[Process]:
            made = Process(settings.model_copy(update=values), database, redis)
            await made.sources.start()
            yield made
            await made.sources.aclose()
            await made.registry.aclose()
            await made.http.aclose()

        async def opener(**values: Any) -> Process:
            return await stack.enter_async_context(process(**values))

        yield opener


@pytest.fixture
def tools_file(settings: Settings, tmp_path: Path) -> Path:
    """Where TOOLS_FILE is in these tests."""
    return tmp_path / "tools.yaml"
