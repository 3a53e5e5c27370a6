"""Web search against Tavily's protocol, and what happens without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.owner import Owner
from settings import Settings
from tests.standins.tavily_server import TavilyServer
from tools.interface import Caller
from tools.registry import ToolRegistry


@pytest.fixture
def tavily() -> Iterator[TavilyServer]:
    with TavilyServer() as server:
        yield server


def _registry(tmp_path: Path, **values: Any) -> ToolRegistry:
    settings = Settings(**{"data_dir": tmp_path, "tool_timeout": 10, "_env_file": None, **values})
    return ToolRegistry(settings, None)  # type: ignore[arg-type]


async def test_results_become_sources(tavily: TavilyServer, tmp_path: Path, context: Caller) -> None:
    tools = _registry(tmp_path, tavily_api_key="tvly-x", tavily_base_url=tavily.base_url)
    arguments = {"query": "redis 8", "max_results": 2, "recency": "month"}
    outcome = await tools.call("web_search", arguments, context)
    assert outcome.run["status"] == "ok"
    assert [source["url"] for source in outcome.sources] == [row["url"] for row in tavily.results]
    assert outcome.sources[0]["text"] == tavily.results[0]["content"]
    assert tavily.requests[0] == {"query": "redis 8", "max_results": 2, "time_range": "month"}
    await tools.aclose()


async def test_only_usable_rows_are_kept(tavily: TavilyServer, tmp_path: Path, context: Caller) -> None:
    tavily.results = [
        {"title": "script", "url": "javascript:alert(1)", "content": "x"},
        {"title": "no text", "url": "https://a.example/", "content": ""},
        {"title": "", "url": "https://b.example/", "content": "y" * 9000},
    ]
    tools = _registry(tmp_path, tavily_api_key="tvly-x", tavily_base_url=tavily.base_url)
    (source,) = (await tools.call("web_search", {"query": "q"}, context)).sources
    assert source["name"] == source["url"] == "https://b.example/" and source["end"] == len(source["text"]) == 1500
    tavily.results = []
    outcome = await tools.call("web_search", {"query": "nothing"}, context)
    assert outcome.run["status"] == "ok" and "found nothing" in outcome.text
    await tools.aclose()


@pytest.mark.parametrize(
    ("failure", "word"),
    [
        (401, "key"),
        (403, "denied"),
        (432, "denied"),
        (429, "many"),
        (400, "refused"),
        (500, "properly"),
        ("garbled", "properly"),
    ],
)
async def test_failures_are_told_to_the_model(
    tavily: TavilyServer, tmp_path: Path, context: Caller, failure: int | str, word: str
) -> None:
    tavily.fail = failure  # type: ignore[assignment]
    tools = _registry(tmp_path, tavily_api_key="tvly-x", tavily_base_url=tavily.base_url)
    outcome = await tools.call("web_search", {"query": "q"}, context)
    assert outcome.run["status"] == "error" and word in outcome.text and "tvly" not in outcome.text
    chinese = await tools.call("web_search", {"query": "q"}, Caller(owner=Owner(), language="zh"))
    assert "失败" in chinese.text
    tavily.fail = None
    assert (await tools.call("web_search", {"query": "q"}, context)).run["status"] == "ok"
    await tools.aclose()


async def test_a_bad_key_and_a_slow_service(tavily: TavilyServer, tmp_path: Path, context: Caller) -> None:
    tools = _registry(tmp_path, tavily_api_key="bad-key", tavily_base_url=tavily.base_url)
    assert "key is not valid" in (await tools.call("web_search", {"query": "q"}, context)).text
    await tools.aclose()
    tavily.fail = "slow"
    tools = _registry(tmp_path, tavily_api_key="tvly-x", tavily_base_url=tavily.base_url, tool_timeout=1)
    outcome = await tools.call("web_search", {"query": "q"}, context)
    assert outcome.run["status"] == "error" and "1 s" in outcome.text
    await tools.aclose()


async def test_which_service_is_used(tmp_path: Path, context: Caller) -> None:
    rows = [
        ({}, True, "keyless"),
        ({"tavily_api_key": "k"}, True, "Tavily"),
        ({"web_search": "keyless", "tavily_api_key": "k"}, True, "keyless"),
        ({"web_search": "tavily"}, False, ""),
        ({"web_search": "off", "tavily_api_key": "k"}, False, ""),
    ]
    for values, offered, word in rows:
        tools = _registry(tmp_path, **values)
        assert ("web_search" in tools.offered(documents=False)) is offered
        assert word in next(row["detail"] for row in tools.describe() if row["name"] == "web_search")
        chinese = next(row["detail"] for row in tools.describe("zh") if row["name"] == "web_search")
        assert ("TAVILY_API_KEY" in chinese and "设置" in chinese) is offered
        if not offered:
            assert (await tools.call("web_search", {"query": "q"}, context)).run["status"] == "refused"
        await tools.aclose()
