"""Every test of the library runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from settings import Settings
from stores.sql.database import Database
from tests.library import library
from tests.postgresql import PostgresServer, postgresql

__all__ = ["library", "postgresql"]


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Settings]:
    """Settings of an installation on either database."""
    if request.param == "sqlite":
        yield settings
        return
    server: PostgresServer = request.getfixturevalue("postgresql")
    with server.database() as url:
        yield settings.model_copy(update={"database_url": SecretStr(url)})


@pytest_asyncio.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """An empty database of either kind."""
    opened = await Database.open(settings)
    yield opened
    await opened.aclose()
