"""Fixtures of the model tests: an OpenAI-compatible endpoint on loopback, and settings that point there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from settings import Settings
from tests.readers.conftest import sandbox
from tests.standins.openai_server import OpenAIServer

__all__ = ["sandbox"]

Configure = Callable[..., Settings]


@pytest.fixture(scope="session")
def _openai_server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def openai_server(_openai_server: OpenAIServer) -> Iterator[OpenAIServer]:
    """The stand-in, fresh; the test fails when its script was not played to the end, or beyond."""
    _openai_server.reset()
    yield _openai_server
    _openai_server.assert_done()


@pytest.fixture
def configure(openai_server: OpenAIServer) -> Configure:
    """Make settings whose LLM_* point at the stand-in; keywords change any of them."""

    def make(**changed: Any) -> Settings:
        known: dict[str, Any] = {
            "llm_base_url": openai_server.base_url,
            "llm_api_key": "sk-test",
            "llm_model": "m-1",
            "llm_timeout": 5,
        }
        return Settings(_env_file=None, **{**known, **changed})

    return make
