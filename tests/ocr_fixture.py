"""One real OCR pool for the tests of a room: `from tests.ocr_fixture import ocr_pool, zygote`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from models.ocr.pool import OcrPool, open_ocr
from settings import Settings
from workers.process import Zygote


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def zygote() -> AsyncIterator[Zygote]:
    """A process that forks workers, with nothing loaded."""
    opened = Zygote(())
    yield opened
    await opened.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ocr_pool(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> AsyncIterator[OcrPool]:
    """A pool with one worker."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("ocr"), _env_file=None)
    pool = open_ocr(settings, zygote)
    yield pool
    await pool.aclose()
