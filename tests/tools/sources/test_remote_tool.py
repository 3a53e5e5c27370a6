"""What leaves for a tool of others, and what comes back of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from domain.owner import Owner
from domain.types import ToolRun
from settings import Settings
from tools.interface import Caller, Found, ToolContext
from tools.registry import ToolRegistry
from tools.sources.interface import Listed
from tools.sources.remote_tool import spec_of


@pytest.mark.parametrize(("mode", "status"), [("mask", "ok"), ("block", "error"), ("off", "ok")])
async def test_personal_data_stays_here_and_the_result_has_it_again(settings: Settings, mode: str, status: str) -> None:
    sent: list[Mapping[str, Any]] = []

    async def call(name: str, version: str, arguments: Mapping[str, Any], context: ToolContext) -> Found:
        sent.append(arguments)
        return Found(f"sent to {arguments['to']}")

    schema: dict[str, Any] = {"type": "object", "properties": {"to": {}}}
    listed = Listed(name="send", description="Send.", schema=schema, definition={"name": "send"}, claimed="write")
    spec = spec_of(listed, source="mail", kind="mcp", permission="write", call=call, timeout=None)
    registry = ToolRegistry(settings.model_copy(update={"pii": mode}), None)  # type: ignore[arg-type]
    registry.set_foreign([spec])
    caller = Caller(owner=Owner("mei", "t"), language="en")
    outcome = await registry.call(spec.name, {"to": "wei@example.cn"}, caller)
    run: ToolRun = outcome.run
    assert run["status"] == status, outcome
    if mode == "block":
        assert sent == [] and outcome.code == "personal_data_refused"
    else:
        assert outcome.text == "sent to wei@example.cn"
        assert ("wei@" in str(sent)) is (mode == "off")
