"""A real server on a stand-in chat model, and a second one on the same Redis and folder."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from settings import Settings
from tests.live_server import LiveServer, remember
from tests.standins.callback_receiver import CallbackReceiver
from tests.standins.openai_server import OpenAIServer


@pytest.fixture(scope="session")
def _model_server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def model(_model_server: OpenAIServer) -> Iterator[OpenAIServer]:
    """The chat endpoint; a test that scripts it must use the script up."""
    _model_server.reset()
    yield _model_server
    _model_server.assert_done()


@pytest.fixture(scope="session")
def _receiver() -> Iterator[CallbackReceiver]:
    with CallbackReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def api_settings(
    _model_server: OpenAIServer, _receiver: CallbackReceiver, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    folder: Path = tmp_path_factory.mktemp("api") / "data"
    return Settings(
        data_dir=folder, llm_base_url=_model_server.base_url, llm_api_key="key", llm_model="stand-in",
        llm_max_retries=0, ocr_engine="off", tts_engine="off", web_search="off", callback_secret="callback-secret",
        max_file_bytes=200_000, max_turn_bytes=1_000_000, max_files=3, turn_timeout=3,
        fetch_allow_hosts=_receiver.address, memory_extraction="rules",
        _env_file=None,
    )  # fmt: skip


@pytest.fixture(scope="session")
def server(api_settings: Settings) -> Iterator[LiveServer]:
    with LiveServer(api_settings) as live:
        remember(live, False)
        yield live


@pytest.fixture(scope="session")
def second_server(server: LiveServer) -> Iterator[LiveServer]:
    """Another server on the same Redis and folder."""
    with LiveServer(server.settings) as live:
        yield live


@pytest_asyncio.fixture(loop_scope="session")
async def client(server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        yield http


@pytest_asyncio.fixture(loop_scope="session")
async def second(second_server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=second_server.url, timeout=30) as http:
        yield http


async def events_of(response: httpx.Response) -> AsyncIterator[tuple[int, str, Any]]:
    """Yield (id, event, data) of an event stream."""
    number, name = 0, ""
    async for line in response.aiter_lines():
        key, _, value = line.partition(": ")
        if key == "id":
            number = int(value)
        elif key == "event":
            name = value
        elif key == "data":
            yield number, name, json.loads(value)
            number, name = 0, ""


def in_order(events: Sequence[tuple[int, str, Any]]) -> bool:
    """Tell whether events follow one another without a hole but before a takeover."""
    expected = 1
    for number, _, data in events:
        if number != expected and not (number > expected and "begins_again" in data):
            return False
        expected = number + 1
    return True


def said_to(model: OpenAIServer) -> list[str]:
    """What the last request told the model, without system messages."""
    return [str(message["content"]) for message in model.chats[-1].body["messages"] if message["role"] != "system"]
