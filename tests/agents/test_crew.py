from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from domain.errors import ModelUnavailable
from domain.words import Words
from tests.agents.conftest import a_document, call, delegated, hang, results_in, take_turn
from tests.nodes.conftest import Parts, a_source


def told(messages: Any) -> str:
    """The assistant after its round: all that it was told."""
    return " / ".join(str(message.text) for message in messages if message.type == "tool")


async def test_a_task_is_done_and_told_with_its_sources(parts: Parts) -> None:
    parts.documents.listed = [a_document(1, "1.pdf")]
    parts.documents.found = [a_source(0, "The notice period is nine weeks.", document_id="d1", name="1.pdf")]
    parts.documents.pages = {("d1", 1): "The notice period is nine weeks."}
    output = await take_turn(
        parts,
        {
            "turn": lambda seen: (
                'Nine weeks [2 "nine weeks"].' if results_in(seen) else delegated(("researcher", "How long?"))
            ),
            "researcher": lambda seen: (
                'It is [1 "nine weeks"].' if results_in(seen) else call("search_documents", query="notice")
            ),
        },
    )
    assert output["answer"] == "Nine weeks [2]." and output["citations"][0]["verified"]
    assert [(run["agent"], run["task"], run["status"]) for run in output["agent_runs"]] == [
        ("researcher", "How long?", "ok")
    ]
    run = output["agent_runs"][0]
    assert [(made["name"], made["agent"]) for made in output["tool_runs"]] == [("search_documents", run["id"])]
    assert [(sent["status"], sent["id"]) for sent in parts.sent("agent")] == [("running", run["id"]), ("ok", run["id"])]
    assert {sent["agent"] for sent in parts.sent("tool")} == {run["id"]}


async def test_a_result_that_is_the_answer_needs_no_further_call(parts: Parts) -> None:
    output = await take_turn(
        parts,
        {"turn": lambda _: delegated(("coder", "A loop"), direct=True), "coder": lambda _: "```python\npass\n```"},
    )
    assert output["answer"] == "```python\npass\n```"
    assert parts.model.asked == ["turn", "coder"]  # type: ignore[attr-defined]


async def test_the_caller_may_choose_the_specialist(parts: Parts) -> None:
    parts.context["agent"] = "coder"
    output = await take_turn(parts, {"coder": lambda seen: f"for: {seen[-1].text}"}, "A loop, please")
    assert output["answer"] == "for: A loop, please" and output["agent_runs"][0]["agent"] == "coder"


def raises(_: Any) -> str:
    raise ModelUnavailable(reason=Words("gone", "断开"))


def breaks(_: Any) -> str:
    raise KeyError("a bug")


@pytest.mark.parametrize(
    ("broken", "code"), [(raises, "model_unavailable"), (breaks, "agent_failed"), (hang, "agent_timed_out")]
)
async def test_a_broken_specialist_costs_the_others_nothing(quick: Parts, broken: Any, code: str) -> None:
    started = time.perf_counter()
    output = await take_turn(
        quick,
        {
            "turn": lambda seen: told(seen) or delegated(("analyst", "Sums"), ("coder", "A loop")),
            "analyst": broken,
            "coder": lambda _: "pass  # done",
        },
    )
    assert "pass  # done" in output["answer"] and time.perf_counter() - started < 15
    assert {run["agent"]: (run["status"], run["code"]) for run in output["agent_runs"]} == {
        "analyst": ("failed", code), "coder": ("ok", "")
    }  # fmt: skip


async def test_a_specialist_that_goes_round_in_circles_ends(parts: Parts) -> None:
    numbers = iter(range(99))
    output = await take_turn(
        parts,
        {
            "turn": lambda seen: told(seen) or delegated(("analyst", "Sums")),
            "analyst": lambda _: call("calculate", expression=f"{next(numbers)}+1"),
        },
    )
    made = [run for run in output["tool_runs"] if run["name"] == "calculate"]
    assert len(made) == parts.settings.max_tool_rounds and output["agent_runs"][0]["status"] == "ok"


async def test_three_work_at_once_and_six_in_all(parts: Parts) -> None:
    now, most = 0, 0

    async def slow(_: Any) -> str:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        return "done"

    seven = delegated(*(("coder", f"Part {number}") for number in range(7)))
    output = await take_turn(parts, {"turn": lambda seen: told(seen) or seven, "coder": slow})
    assert most == 3 and output["spent"]["agents"] == 6
    assert sorted(run["code"] for run in output["agent_runs"]) == [""] * 6 + ["too_many_agents"]


async def test_one_may_ask_another_once_and_hands_on_what_it_found(parts: Parts) -> None:
    parts.documents.listed = [a_document(1, "1.pdf")]
    parts.documents.found = [a_source(0, "Rent: 900 pounds.", document_id="d1", name="1.pdf")]
    parts.documents.pages = {("d1", 1): "Rent: 900 pounds."}
    seen_by_coder: list[str] = []

    def coder(seen: Any) -> str:
        seen_by_coder.append(str(seen[-1].text))
        return 'rent = 900  # [1 "900 pounds"]' if "900 pounds" in str(seen[-1].text) else "?"

    def researcher(seen: Any) -> Any:
        steps = [call("search_documents", query="rent"), delegated(("coder", "As code")), delegated(("coder", "Again"))]
        return steps[results_in(seen)] if results_in(seen) < 3 else 'In code: rent = 900 [2 "900 pounds"].'

    output = await take_turn(
        parts,
        {
            "turn": lambda seen: told(seen) or delegated(("researcher", "Rent?")),
            "researcher": researcher,
            "coder": coder,
        },
    )
    assert len(seen_by_coder) == 1 and "Rent: 900 pounds." in seen_by_coder[0]
    runs = output["agent_runs"]
    assert [(run["agent"], run["code"], "parent" in run) for run in runs] == [
        ("researcher", "", False), ("coder", "", True), ("coder", "too_many_agents", True)
    ]  # fmt: skip
    assert runs[1]["parent"] == runs[0]["id"]


async def test_a_specialist_may_use_no_more_than_the_caller(parts: Parts) -> None:
    parts.context["tools"] = ("delegate", "current_time")
    output = await take_turn(
        parts,
        {
            "turn": lambda seen: told(seen) or delegated(("analyst", "Sums")),
            "analyst": lambda seen: told(seen) or call("calculate", expression="6*7"),
        },
    )
    assert [(run["name"], run["status"]) for run in output["tool_runs"]] == [("calculate", "refused")]


async def test_what_a_specialist_uses_counts_for_the_turn(parts: Parts) -> None:
    parts.context["budget"] = {"calls": 4}
    numbers = iter(range(99))
    output = await take_turn(
        parts,
        {
            "turn": lambda seen: told(seen) or delegated(("analyst", "Sums")),
            "analyst": lambda _: call("calculate", expression=f"{next(numbers)}+1"),
        },
    )
    assert output["spent"]["calls"] <= 5 and output["agent_runs"][0]["status"] == "partial"
    assert "budget_spent" in [warning["code"] for warning in parts.sent("warning")]
