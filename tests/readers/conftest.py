"""A sandbox for all tests of the room, and a short way to read a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from readers.formats import MODULES
from readers.interface import Embedded, Outline, Page
from readers.reader import Readers
from settings import Settings
from workers.sandbox import Sandbox

Reading = tuple[Outline, list[Page], list[Embedded]]
Read = Callable[..., Awaitable[Reading]]


def reader_settings(**changes: Any) -> Settings:
    return Settings(_env_file=None, **changes)


@pytest_asyncio.fixture(scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(reader_settings(), MODULES) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session")
async def read(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Read bytes or a path as a user's upload called `name`: detected, then read."""
    folder = tmp_path_factory.mktemp("uploads")

    async def _read(source: bytes | Path, name: str = "", password: str | None = None, **changes: object) -> Reading:
        path = source if isinstance(source, Path) else folder / "upload"
        if isinstance(source, bytes):
            path.write_bytes(source)
        readers = Readers(reader_settings(**changes), sandbox)
        name = name or path.name
        _, media_type = await readers.detect(path, name)
        items = [item async for item in readers.read(path, name=name, media_type=media_type, password=password)]
        assert isinstance(items[0], Outline)
        pages = [item for item in items[1:] if isinstance(item, Page)]
        assert items[0].pages_total == len(pages)
        assert [page.number for page in pages] == list(range(1, len(pages) + 1))
        return items[0], pages, [item for item in items[1:] if isinstance(item, Embedded)]

    return _read
