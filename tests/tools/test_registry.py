"""What the registry promises: it offers, checks, limits, caches, counts, and never raises for a tool."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from domain.owner import Owner
from domain.words import Words
from net.client import GuardedHttp
from settings import Settings
from tests.tools.conftest import Web
from tools.interface import Caller, ToolSpec
from tools.registry import BUILT_IN, Absent, Note, ToolRegistry, built_in

FEW = [name for name in BUILT_IN if name not in ("remember", "recall", "forget", "find_tools", "read_result")]
"""What is offered where all tools are."""


def has_chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


def test_every_tool_declares_what_models_and_people_read() -> None:
    specs = built_in()
    assert [spec.name for spec in specs] == list(BUILT_IN)
    for spec in specs:
        function = spec.schema["function"]
        assert has_chinese(function["description"]) and not has_chinese(function["description"][:40]), spec.name
        assert all("description" in field for field in function["parameters"]["properties"].values()), spec.name
        assert not {"runtime", "context"} & function["parameters"]["properties"].keys(), spec.name
        assert has_chinese(spec.title.zh) and spec.title.en and not has_chinese(spec.title.en), spec.name
        chinese = sum(has_chinese(example) for example in spec.examples)
        assert chinese >= 2 and len(spec.examples) - chinese >= 2, spec.name
        assert not spec.needs.en or has_chinese(spec.needs.zh), spec.name


def test_schemas_bind_to_a_model(tools: ToolRegistry) -> None:
    bound = ChatOpenAI(model="m", api_key="k").bind_tools(tools.schemas(["calculate"]))
    assert [tool["function"]["name"] for tool in bound.kwargs["tools"]] == ["calculate"]  # type: ignore[attr-defined]


def test_a_turn_is_offered_what_is_set_up_allowed_and_there(web_settings: Settings, tools: ToolRegistry) -> None:
    assert tools.offered(documents=True) == FEW
    assert tools.offered(documents=False) == ["current_time", "calculate", "fetch_url", "web_search"]
    assert tools.offered(documents=True, names=["web_search", "calculate", "no_such"]) == ["calculate", "web_search"]
    assert tools.offered(documents=True, names=[]) == [] and tools.schemas([]) == []
    off = ToolRegistry(web_settings.model_copy(update={"web_search": "off"}), None)  # type: ignore[arg-type]
    assert "web_search" not in off.offered(documents=True)


async def test_bad_calls_become_messages_in_the_language_of_the_turn(tools: ToolRegistry) -> None:
    rows: list[tuple[str, dict[str, object], str, str, str]] = [
        ("no_such_tool", {}, "refused", "no tool", "没有工具"),
        ("calculate", {}, "error", "do not fit", "参数有误"),
        ("calculate", {"expression": ["1"]}, "error", "do not fit", "参数有误"),
        ("calculate", {"expression": "1/0"}, "error", "division by zero", "除数为零"),
        ("fetch_url", {"url": "http://127.0.0.1/"}, "error", "public internet", "公共互联网"),
        ("current_time", {"place": "Atlantis"}, "error", "time zone", "时区"),
    ]
    for name, arguments, status, english, chinese in rows:
        for language, words in (("en", english), ("zh", chinese)):
            context = Caller(owner=Owner(), language=language)  # type: ignore[arg-type]
            outcome = await tools.call(name, arguments, context)
            assert outcome.run["status"] == status and words in outcome.text, outcome
            assert outcome.run["name"] == name and outcome.run["arguments"] == arguments and not outcome.sources


async def test_a_refused_tool_is_not_run(tools: ToolRegistry, context: Caller) -> None:
    outcome = await tools.call("calculate", {"expression": "1+1"}, context, refused=True)
    assert outcome.run["status"] == "refused" and "2" not in outcome.text
    assert tools.counters()["calculate"].refused == 1 and tools.counters()["calculate"].calls == 0


async def test_nulls_extras_and_number_strings_of_models_are_taken(tools: ToolRegistry, context: Caller) -> None:
    assert (await tools.call("current_time", {"place": None}, context)).run["status"] == "ok"
    assert (await tools.call("calculate", {"expression": "1+1", "precision": 3}, context)).text == "1+1 = 2"


async def test_a_crash_inside_a_tool_is_hidden_and_logged(
    tools: ToolRegistry, context: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    """`tools` has no document store: its first use raises AttributeError."""
    outcome = await tools.call("list_documents", {}, context)
    assert outcome.run["status"] == "error" and "NoneType" not in outcome.text
    assert "list_documents failed" in caplog.text


async def test_the_time_limit_ends_a_call(web_settings: Settings, web: Web, context: Caller) -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    from tests.tools.conftest import resolve_test_names

    web.pages["/hang"] = hang
    settings = web_settings.model_copy(update={"tool_timeout": 0.3})
    tools = ToolRegistry(settings, None, GuardedHttp(settings, resolver=resolve_test_names))  # type: ignore[arg-type]
    outcome = await tools.call("fetch_url", {"url": web.url("/hang")}, context)
    assert outcome.run["status"] == "error" and 0.2 < outcome.run["seconds"] < 1 and "0.3 seconds" in outcome.text
    await tools.aclose()


async def test_a_call_can_be_cancelled(tools: ToolRegistry, web: Web, context: Caller) -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    web.pages["/hang"] = hang
    task = asyncio.create_task(tools.call("fetch_url", {"url": web.url("/hang")}, context))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tools.counters()["fetch_url"].calls == 1


def test_describe_tells_people_in_their_language(web_settings: Settings, tools: ToolRegistry) -> None:
    rows = {row["name"]: row for row in tools.describe("zh")}
    assert list(rows) == list(BUILT_IN)
    assert rows["search_documents"]["permission"] == "read" and rows["fetch_url"]["permission"] == "egress"
    assert rows["search_documents"]["state"] == "conditional" and "文档" in rows["search_documents"]["reason"]
    assert rows["calculate"]["state"] == "offered" and rows["calculate"]["reason"] == ""
    assert rows["calculate"]["title"] == "计算" and rows["calculate"]["titles"] == {"en": "Calculate", "zh": "计算"}
    assert "免密钥" in rows["web_search"]["detail"]
    assert {"calls", "errors", "cached", "seconds", "timeout", "arguments"} <= rows["calculate"].keys()
    assert rows["calculate"]["timeout"] == 5 < web_settings.tool_timeout
    off = ToolRegistry(web_settings.model_copy(update={"web_search": "off"}), None)  # type: ignore[arg-type]
    row = next(row for row in off.describe("en") if row["name"] == "web_search")
    assert (row["policy"], row["state"]) == ("off", "off") and "TAVILY_API_KEY" in row["reason"]


@tool
def report(text: str) -> str:
    """Write a report."""
    return f"reported {text}"


async def test_tools_of_others_come_and_go(tools: ToolRegistry, context: Caller) -> None:
    spec = ToolSpec(
        tool=report, title=Words("Report", "报告"), permission="write", source="mcp:office", own_name="re.port"
    )
    assert spec.address == "mcp:office:re.port" and built_in()[0].address == "builtin:search_documents"
    down = Words("its server is down.", "服务器未运行。")
    tools.set_foreign([spec], {"gone": Absent("mcp:office:gone", spec.title, down)}, [Note(frozenset({"gone"}), down)])
    assert tools.missing(None, "en") == ["its server is down."] and tools.missing(["report"], "zh") == []
    assert tools.offered(documents=True) == [*FEW, "report"] and tools.unknown(["report", "gone", "x"]) == ["x"]
    assert (await tools.call("report", {"text": "tea"}, context)).text == "reported tea"
    missing = await tools.call("gone", {}, context)
    assert missing.code == "tool_unavailable" and "server is down" in missing.text
    there, gone = tools.describe("zh")[-2:]
    assert there["version"] == spec.version and gone["state"] == "off" and gone["reason"] == down.zh
    assert there.keys() == gone.keys() and gone["source"] == "mcp:office"
    tools.set_foreign([])
    assert (await tools.call("report", {"text": "tea"}, context)).code == "unknown_tool"
    changed = replace(spec, definition={"name": "report", "description": "Write a  report."})
    assert changed.version != spec.version != built_in()[0].version


async def test_what_goes_on_after_a_start_waits_for_the_tools_of_others(
    tools: ToolRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.wait_for(tools.foreign_listed(), 1)  # none are to come
    tools.expect_foreign()
    waits = asyncio.create_task(tools.foreign_listed())
    tools.set_foreign([], opening=True)
    await asyncio.sleep(0.05)
    assert not waits.done()
    tools.set_foreign([])
    await asyncio.wait_for(waits, 1)
    tools.set_foreign([], opening=True)  # a source is opened anew: what there was is known
    await asyncio.wait_for(tools.foreign_listed(), 1)
    tools.expect_foreign()
    monkeypatch.setattr("tools.registry.LISTED_SECONDS", 0.05)
    await asyncio.wait_for(tools.foreign_listed(), 1)
    monkeypatch.setattr("tools.registry.LISTED_SECONDS", 60)
    await asyncio.wait_for(tools.foreign_listed(), 1)  # what hangs is waited for once
