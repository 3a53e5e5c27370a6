"""What the registry promises: it offers, checks, limits, caches, counts, and never raises for a tool."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage

from domain.owner import Owner
from net.client import GuardedHttp
from settings import Settings
from tests.tools.conftest import Web
from tools.interface import ToolContext
from tools.registry import CACHE_ENTRIES, ToolRegistry

SCHEMAS = Path(__file__).with_name("schemas.json")
NAMES = ["search_documents", "list_documents", "current_time", "calculate", "fetch_url", "web_search"]


@pytest.fixture
async def tools(web_settings: Settings, http: GuardedHttp) -> AsyncIterator[ToolRegistry]:
    registry = ToolRegistry(web_settings, None, http)  # type: ignore[arg-type]
    yield registry
    await registry.aclose()


def test_schemas_are_those_that_were_reviewed(tools: ToolRegistry) -> None:
    """They are prompts: after a change on purpose, write them to schemas.json and read the diff."""
    assert tools.schemas() == json.loads(SCHEMAS.read_text("utf-8"))


def test_every_tool_is_described_for_both_languages(tools: ToolRegistry) -> None:
    for row in tools.schemas():
        function = row["function"]
        assert any("\u4e00" <= char <= "\u9fff" for char in function["description"]), function["name"]
        assert all("description" in field for field in function["parameters"]["properties"].values())


def test_schemas_bind_to_a_model(tools: ToolRegistry) -> None:
    from langchain_openai import ChatOpenAI

    bound = ChatOpenAI(model="m", api_key="k").bind_tools(tools.schemas(["calculate"]))  # type: ignore[arg-type]
    assert bound.kwargs["tools"][0]["function"]["name"] == "calculate"  # type: ignore[attr-defined]
    assert isinstance(AIMessage("x"), AIMessage)


def test_allowed_names(tools: ToolRegistry) -> None:
    assert tools.allowed() == NAMES
    assert tools.allowed(["web_search", "calculate", "no_such"]) == ["calculate", "web_search"]
    assert tools.allowed([]) == [] and tools.schemas([]) == []


async def test_bad_calls_become_messages_in_the_language_of_the_turn(tools: ToolRegistry) -> None:
    rows = [
        ("no_such_tool", {}, "refused", "no tool", "没有工具"),
        ("calculate", {}, "error", "do not fit", "参数有误"),
        ("calculate", {"expression": ["1"]}, "error", "do not fit", "参数有误"),
        ("calculate", {"expression": "1/0"}, "error", "division by zero", "除数为零"),
        ("fetch_url", {"url": "http://127.0.0.1/"}, "error", "public internet", "公共互联网"),
        ("current_time", {"place": "Atlantis"}, "error", "time zone", "时区"),
    ]
    for name, arguments, status, english, chinese in rows:
        for language, words in (("en", english), ("zh", chinese)):
            context = ToolContext(owner=Owner(), language=language)  # type: ignore[arg-type]
            outcome = await tools.call(name, arguments, context)
            assert outcome.run["status"] == status and words in outcome.text, outcome
            assert outcome.run["name"] == name and outcome.run["arguments"] == arguments and not outcome.sources


async def test_a_refused_tool_is_not_run(tools: ToolRegistry, context: ToolContext) -> None:
    outcome = await tools.call("calculate", {"expression": "1+1"}, context, refused=True)
    assert outcome.run["status"] == "refused" and "2" not in outcome.text
    assert tools.counters()["calculate"].refused == 1 and tools.counters()["calculate"].calls == 0


async def test_nulls_extras_and_number_strings_of_models_are_taken(tools: ToolRegistry, context: ToolContext) -> None:
    assert (await tools.call("current_time", {"place": None}, context)).run["status"] == "ok"
    assert (await tools.call("calculate", {"expression": "1+1", "precision": 3}, context)).text == "1+1 = 2"


async def test_a_crash_inside_a_tool_is_hidden_and_logged(
    tools: ToolRegistry, context: ToolContext, caplog: pytest.LogCaptureFixture
) -> None:
    """`tools` has no document store: its first use raises AttributeError."""
    outcome = await tools.call("list_documents", {}, context)
    assert outcome.run["status"] == "error" and "NoneType" not in outcome.text
    assert "list_documents failed" in caplog.text


async def test_the_time_limit_ends_a_call(web_settings: Settings, web: Web, context: ToolContext) -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    from tests.tools.conftest import resolve_test_names

    web.pages["/hang"] = hang
    settings = web_settings.model_copy(update={"tool_timeout": 0.3})
    tools = ToolRegistry(settings, None, GuardedHttp(settings, resolver=resolve_test_names))  # type: ignore[arg-type]
    outcome = await tools.call("fetch_url", {"url": web.url("/hang")}, context)
    assert outcome.run["status"] == "error" and 0.2 < outcome.run["seconds"] < 1 and "0.3 seconds" in outcome.text
    await tools.aclose()


async def test_a_call_can_be_cancelled(tools: ToolRegistry, web: Web, context: ToolContext) -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    web.pages["/hang"] = hang
    task = asyncio.create_task(tools.call("fetch_url", {"url": web.url("/hang")}, context))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tools.counters()["fetch_url"].calls == 1


async def test_results_are_cached_per_user_and_failures_never(tools: ToolRegistry, web: Web) -> None:
    mine, yours = (ToolContext(owner=Owner(user, "t"), language="en") for user in ("me", "you"))
    url = web.add("/page", b"first version", "text/plain")
    first = await tools.call("fetch_url", {"url": url}, mine)
    web.add("/page", b"second version", "text/plain")
    again = await tools.call("fetch_url", {"url": url, "start": 0}, mine)
    other = await tools.call("fetch_url", {"url": url}, yours)
    assert not first.run["cached"] and again.run["cached"] and again.sources == first.sources
    assert not other.run["cached"] and other.sources[0]["text"] == "second version"
    missing = web.url("/missing")
    for _ in range(2):
        assert not (await tools.call("fetch_url", {"url": missing}, mine)).run["cached"]
    counters = tools.counters()["fetch_url"]
    assert (counters.calls, counters.cached, counters.errors) == (5, 1, 2) and counters.seconds > 0


async def test_the_cache_is_bounded_and_hands_out_copies(tools: ToolRegistry, web: Web, context: ToolContext) -> None:
    url = web.add("/page", b"text", "text/plain")
    (await tools.call("fetch_url", {"url": url}, context)).sources.clear()
    assert (await tools.call("fetch_url", {"url": url}, context)).sources
    for number in range(CACHE_ENTRIES):
        await tools.call("calculate", {"expression": f"{number}+1"}, context)
    assert not (await tools.call("fetch_url", {"url": url}, context)).run["cached"]


def test_describe_tells_permission_policy_and_counters(tools: ToolRegistry) -> None:
    rows = {row["name"]: row for row in tools.describe()}
    assert list(rows) == NAMES
    assert rows["search_documents"]["permission"] == "own documents" and rows["fetch_url"]["permission"] == "public web"
    assert rows["web_search"]["policy"] == "allowed" and "keyless" in rows["web_search"]["detail"]
    assert {"calls", "errors", "cached", "seconds", "timeout", "arguments"} <= rows["calculate"].keys()
