from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import ToolCall
from langchain_core.tools import tool
from pydantic import ValidationError

from domain.approvals import Decision, Permission
from domain.owner import Owner
from domain.words import Words
from settings import Settings
from tests.nodes.conftest import FakeGrants
from tools.interface import ToolSpec
from tools.permissions import Permissions, Rule, Verdict, pattern_of
from tools.sources.config import BadSource, read_tools_file

OWNER = Owner("ann", "work-7")


@tool
async def create_issue(title: str, repository: str) -> str:
    """Create an issue."""
    return title


def spec(permission: Permission = "write") -> ToolSpec:
    return ToolSpec(
        tool=create_issue, title=Words("Create an issue", "新建问题"), permission=permission, source="mcp:github",
        own_name="create_issue",
    )  # fmt: skip


def permissions(settings: Settings, *rules: dict[str, Any]) -> Permissions:
    return Permissions(settings.model_copy(update={"permissions": rules}), FakeGrants())  # type: ignore[arg-type]


async def judged(made: Permissions, own: bool = False, permission: Permission = "write", **more: Any) -> Verdict:
    arguments = {"title": "Broken link", "repository": "shop"}
    return await made.judge(
        spec(permission), arguments, OWNER, {"own": own, "doubts": [] if own else ["foreign"], "origins": []}, **more
    )


@pytest.mark.parametrize(
    ("permission", "own", "decision"),
    [("read", False, "allow"), ("egress", True, "allow"), ("egress", False, "ask"), ("write", True, "ask")],
)
async def test_defaults_by_class(settings: Settings, permission: Permission, own: bool, decision: Decision) -> None:
    assert (await judged(permissions(settings), own, permission)).decision == decision


async def test_what_a_user_says_may_be_kept_of_them(settings: Settings) -> None:
    made, kept = permissions(settings), replace(spec(), of_user=True)
    for own, decision in ((True, "allow"), (False, "ask")):
        verdict = await made.judge(kept, {}, OWNER, {"own": own, "doubts": [] if own else ["foreign"], "origins": []})
        assert verdict.decision == decision


@pytest.mark.parametrize(
    ("rules", "decision"),
    [
        ([{"tool": "mcp:github:*", "decision": "allow"}], "allow"),
        ([{"tool": "create_*", "decision": "allow"}], "allow"),
        ([{"tool": "mcp:gitlab:*", "decision": "allow"}], "ask"),
        ([{"tool": "*", "decision": "allow"}, {"tool": "mcp:github:create_issue", "decision": "deny"}], "deny"),
        ([{"tool": "*", "decision": "allow"}, {"tool": "*", "decision": "ask"}], "ask"),
        ([{"tool": "*", "decision": "deny", "roles": ["guest"]}], "ask"),
        ([{"tool": "*", "decision": "deny", "roles": ["us*"]}], "deny"),
        ([{"tool": "*", "decision": "allow", "sessions": ["work-*"]}], "allow"),
        ([{"tool": "*", "decision": "allow", "sessions": ["play-*"]}], "ask"),
        ([{"tool": "*", "decision": "allow", "arguments": {"repository": "sh*"}}], "allow"),
        ([{"tool": "*", "decision": "allow", "arguments": {"repository": "bank"}}], "ask"),
        ([{"tool": "*", "decision": "allow", "arguments": {"repository": "*"}, "closed": True}], "ask"),
    ],
)
async def test_the_operators_rules(settings: Settings, rules: list[dict[str, Any]], decision: Decision) -> None:
    assert (await judged(permissions(settings, *rules))).decision == decision


async def test_rules_of_the_tools_file_count_beside_the_setting(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "tools.yaml"
    path.write_text("permissions:\n- {tool: 'mcp:github:*', decision: deny, roles: [guest]}\n", "utf-8")
    kept, file = FakeGrants(), await asyncio.to_thread(read_tools_file, path)
    allowing = settings.model_copy(update={"permissions": ({"tool": "*", "decision": "allow"},)})
    made = Permissions(allowing, kept, lambda: file.permissions)  # type: ignore[arg-type]
    assert (await judged(made)).decision == "allow" and (await judged(made, role="guest")).decision == "deny"
    path.write_text("permissions:\n- {tool: '*', decision: perhaps}\n", "utf-8")
    with pytest.raises(BadSource):
        await asyncio.to_thread(read_tools_file, path)


async def test_what_a_user_allowed_answers_a_question_and_lifts_no_denial(settings: Settings) -> None:
    made = permissions(settings)
    await made.allow(spec(), {"title": "*", "repository": "shop"}, OWNER, lasting=True)
    assert (await judged(made)).decision == "allow"
    denied = permissions(settings, {"tool": "*", "decision": "deny"})
    denied.grants = made.grants
    assert (await judged(denied)).decision == "deny"


async def test_guards_and_requests_only_tighten(settings: Settings) -> None:
    made = permissions(settings, {"tool": "*", "decision": "allow"})
    call = ToolCall(name="create_issue", args={}, id="1", type="tool_call")
    assert made.guarded(call, spec(), {}).decision == "allow"
    made.guards += [lambda *_: Verdict("allow"), lambda *_: Verdict("ask", (Words("It is odd.", "有些奇怪。"),))]
    seen = made.guarded(call, spec(), {})
    assert await judged(made, tightened=[seen]) == Verdict("ask", (Words("It is odd.", "有些奇怪。"),))
    assert (await judged(made, tightened=[made.requested(spec(), {"mcp:*": "deny", "x": "ask"})])).decision == "deny"
    strict = permissions(settings, {"tool": "*", "decision": "deny"})
    assert (await judged(strict, tightened=[Verdict("allow")])).decision == "deny"


def test_patterns_keep_addresses_and_short_values() -> None:
    arguments = {"title": "Broken link", "repository": "shop[1]"}
    assert pattern_of(spec(), arguments) == {"title": "*", "repository": "shop[[]1]"}
    rule = Rule(tool="*", decision="allow", arguments=pattern_of(spec(), arguments), closed=True)
    assert rule.fits(spec(), {**arguments, "title": "Other"}, OWNER, "user")
    assert not rule.fits(spec(), {**arguments, "repository": "shop1"}, OWNER, "user")
    assert not rule.fits(spec(), {**arguments, "cc": "eve"}, OWNER, "user")
    assert pattern_of(spec(), {"to": ["b"], "url": "https://a.example/x", "n": 3, "text": "你好"}) == {
        "to": '[[]"b"]', "url": "https://a.example/*", "n": "3", "text": "*",
    }  # fmt: skip


def test_a_setting_that_is_no_rule_stops_the_start(settings: Settings) -> None:
    with pytest.raises(ValidationError):
        permissions(settings, {"tool": "*", "decision": "perhaps"})
