"""Our tools in any LangChain agent, and any LangChain tool among ours."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool, StructuredTool, ToolException, tool
from langgraph.prebuilt import ToolRuntime

from domain.owner import Owner
from domain.words import Words
from settings import Settings
from tools.calculate import calculate
from tools.interface import Caller, Found, ToolContext, ToolSpec
from tools.registry import ToolRegistry, built_in


class Script(BaseChatModel):
    """Says what is in `steps`, one a call."""

    steps: list[AIMessage]

    @property
    def _llm_type(self) -> str:
        return "script"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.steps.pop(0))])


def asks(*wanted: tuple[str, dict[str, object]]) -> AIMessage:
    calls = [ToolCall(name=name, args=args, id=f"c{at}", type="tool_call") for at, (name, args) in enumerate(wanted)]
    return AIMessage("", tool_calls=calls)


async def test_ours_in_a_plain_agent(tools: ToolRegistry) -> None:
    model = Script(
        steps=[asks(("calculate", {"expression": "6*7"}), ("current_time", {"place": "东京"})), AIMessage("!")]
    )
    agent = create_agent(model, tools=[spec.tool for spec in tools.specs()], context_schema=ToolContext)
    context = tools.context(Caller(owner=Owner(), language="zh"))
    state = await agent.ainvoke({"messages": [HumanMessage("?")]}, context=context)
    results = [message for message in state["messages"] if isinstance(message, ToolMessage)]
    assert results[0].text == "6*7 = 42" and results[0].artifact.data["value"] == "42"
    assert "星期" in results[1].text and results[1].artifact.data["zone"] == "Asia/Tokyo"


async def test_ours_called_by_itself() -> None:
    assert await calculate.ainvoke({"expression": "6*7"}) == "6*7 = 42"


def test_what_a_tool_says_by_itself_has_its_passages() -> None:
    source: Any = {"number": 0, "origin": "web", "name": "a.example", "start": 0, "end": 4, "text": "Tea."}
    content, artifact = Found("Found:", [source]).answer()
    assert content == "Found:\n\na.example\nTea." and artifact.sources == [source]


@tool
def shout(text: str, times: int = 1) -> str:
    """Say it louder."""
    return text.upper() * times


@tool
async def count(words: list[str]) -> dict[str, int]:
    """Count words."""
    return {"words": len(words)}


@tool
def who(runtime: ToolRuntime[ToolContext]) -> str:
    """Say who asks."""
    return f"{runtime.context.owner.user_id} {runtime.context.language}"


@tool
def refuse() -> str:
    """Fail in a way that the model should see."""
    raise ToolException("no paper in the printer")


@tool
def crash() -> str:
    """Fail in a way that nobody should see."""
    raise RuntimeError("secret")


def _lengths(text: str) -> str:
    return str(len(text))


lengths = StructuredTool.from_function(
    _lengths,
    name="lengths",
    description="Count letters.",
    args_schema={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
)
FOREIGN: list[BaseTool] = [shout, count, who, refuse, crash, lengths]


@pytest.mark.parametrize(
    ("name", "arguments", "status", "text"),
    [
        ("shout", {"text": "tea", "times": 2}, "ok", "TEATEA"),
        ("shout", {"text": "tea", "times": None}, "ok", "TEA"),
        ("shout", {"times": 2}, "error", "do not fit: text"),
        ("count", {"words": ["a", "b"]}, "ok", '{"words": 2}'),
        ("who", {}, "ok", "local en"),
        ("refuse", {}, "error", "no paper in the printer"),
        ("crash", {}, "error", "failed"),
        ("lengths", {"text": "four"}, "ok", "4"),
        ("calculate", {"expression": "6*7"}, "ok", "6*7 = 42"),
    ],
)
async def test_others_among_ours(
    web_settings: Settings, name: str, arguments: dict[str, object], status: str, text: str
) -> None:
    foreign = [ToolSpec(tool=tool, title=Words(tool.name, tool.name), permission="write") for tool in FOREIGN]
    registry = ToolRegistry(web_settings, None, specs=[*built_in(), *foreign])  # type: ignore[arg-type]
    assert name in registry.offered(documents=False)
    assert [row["function"]["name"] for row in registry.schemas([name])] == [name]
    outcome = await registry.call(name, arguments, Caller(owner=Owner(), language="en"))
    assert outcome.run["status"] == status and text in outcome.text and "secret" not in outcome.text
    await registry.aclose()
