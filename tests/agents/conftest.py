"""The compiled graph with a model that answers by who asks: the turn, or one of the specialists."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolCall
from pydantic import Field

from agents import texts
from agents.crew import Crew
from agents.registry import BUILT_IN
from domain.types import Attachment
from graph.builder import build_graph
from settings import Settings
from tests.nodes.conftest import Parts, ScriptedModel, parts  # noqa: F401
from tools.delegate import delegate_spec
from tools.registry import ToolRegistry, built_in

Reply = str | AIMessage
Respond = Callable[[Sequence[BaseMessage]], Reply | Awaitable[Reply]]


class RoleModel(ScriptedModel):
    """Answers by whose instructions are in the system prompt; `turn` is the assistant itself."""

    roles: dict[str, Respond] = Field(default_factory=dict)
    asked: list[str] = Field(default_factory=list)

    async def _astream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        system = "".join(str(message.text) for message in messages if isinstance(message, SystemMessage))
        role = next((name for name, words in PROMPTS.items() if {words.en, words.zh} & {*system.split("\n\n")}), "turn")
        self.asked.append(role)
        reply = self.roles[role](messages)
        said = await reply if isinstance(reply, Awaitable) else reply
        self.steps.append(AIMessage(said) if isinstance(said, str) else said)
        async for chunk in super()._astream(messages, *args, **kwargs):
            yield chunk


PROMPTS = {agent.name: agent.prompt for agent in BUILT_IN} | {"reader": texts.READ, "section": texts.SECTION}


def delegated(*tasks: tuple[str, str], direct: bool = False) -> AIMessage:
    """Return a round of calls that hand tasks to specialists."""
    calls = [
        ToolCall(name="delegate", args={"agent": agent, "task": task, "direct": direct}, id=f"d{number}")
        for number, (agent, task) in enumerate(tasks)
    ]
    return AIMessage("", tool_calls=calls)


def call(name: str, **arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[ToolCall(name=name, args=arguments, id=f"c-{name}")])


def results_in(messages: Sequence[BaseMessage]) -> int:
    return sum(message.type == "tool" for message in messages)


async def take_turn(
    given: Parts, roles: dict[str, Respond], question: str = "Look into this for me, please", crew: Crew | None = None
) -> dict[str, Any]:
    """Take a turn in which the models say what `roles` say."""
    crew = crew or Crew()
    given.model = RoleModel(steps=[], prompts=[], bound=[], roles=roles)
    specs = [*built_in(), delegate_spec(crew.descriptions)]
    given.tools = ToolRegistry(given.settings, cast("Any", given.documents), specs=specs)
    given.crew = crew
    output: dict[str, Any] = {}
    async for mode, chunk in build_graph(crew=crew).astream(
        {"messages": [HumanMessage(question)]}, context=given.runtime().context, stream_mode=["custom", "values"]
    ):
        if mode == "custom":
            given.events.append(cast("dict[str, Any]", chunk))
        else:
            output = cast("dict[str, Any]", chunk)
    return output


def a_document(number: int, name: str) -> Attachment:
    return Attachment(
        id=f"d{number}", name=name, kind="document", media_type="text/plain", size=1, sha256=str(number) * 64,
        status="ready", pages_total=1, pages_done=1,
    )  # fmt: skip


async def hang(*_: Any) -> str:
    await asyncio.sleep(3600)
    return ""


@pytest.fixture
def quick(parts: Parts, settings: Settings) -> Parts:  # noqa: F811
    """Parts whose specialists have a second."""
    parts.settings = settings.model_copy(update={"agent_timeout": 1.0})
    return parts
