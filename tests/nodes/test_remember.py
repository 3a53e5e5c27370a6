from __future__ import annotations

import json

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall, ToolMessage

from domain.tokens import count_message_tokens
from nodes.remember import remember
from tests.nodes.conftest import Parts, a_source, a_state
from turn.compaction import window_excess


async def test_tool_results_are_cut_and_pairs_stay(parts: Parts) -> None:
    call = AIMessage("", id="c", tool_calls=[ToolCall(name="fetch_url", args={}, id="1", type="tool_call")])
    result = ToolMessage("x" * 9000, tool_call_id="1", id="r", artifact={"sources": [a_source(1, "y")]})
    messages = [HumanMessage("?", id="q"), call, result, AIMessage("done", id="a")]
    update = await remember(a_state(messages=messages, question="?"), parts.runtime())
    (kept,) = update["messages"]
    assert kept.id == "r" and len(str(kept.content)) < 1300 and kept.artifact is None  # type: ignore[union-attr]
    assert kept.tool_call_id == "1"  # type: ignore[union-attr]
    assert update["sources"] == []


async def test_files_are_noted_on_the_users_message(parts: Parts) -> None:
    picture = {
        "id": "p", "name": "sign.jpg", "kind": "image", "status": "ready",
        "ocr": {"text": "愚园路 309", "lines": [], "rotation": 0, "engine": "e"}, "description": None,
    }  # fmt: skip
    state = a_state(messages=[HumanMessage("?", id="q"), AIMessage("ok")], question="?", attachments=[picture])
    update = await remember(state, parts.runtime())
    assert "愚园路 309" in update["messages"][0].additional_kwargs["notes"]


async def test_a_full_window_is_summarised_in_the_background(parts: Parts) -> None:
    messages: list[AnyMessage] = []
    for n in range(40):
        messages += [HumanMessage("word " * 80, id=f"q{n}"), AIMessage("word " * 80, id=f"a{n}")]
    state = a_state(messages=messages, question="?")
    await remember(state, parts.runtime())
    await parts.background.settle()
    summary, covered = parts.summaries.prepared["t"]
    assert summary.startswith("summary of") and covered[0] == "q0" and covered[-1].startswith("a")


async def test_without_memory_nothing_is_summarised(parts: Parts) -> None:
    parts.thread_id = None
    messages = [HumanMessage("word " * 8000, id="q"), AIMessage("x", id="a")] * 2
    await remember(a_state(messages=messages, question="?"), parts.runtime())
    await parts.background.settle()
    assert parts.summaries.prepared == {}


def test_the_excess_is_whole_turns_and_leaves_a_quarter() -> None:
    messages: list[AnyMessage] = []
    for n in range(30):
        call = AIMessage("", tool_calls=[ToolCall(name="t", args={}, id=str(n), type="tool_call")])
        messages += [HumanMessage("w " * 200), call, ToolMessage("w " * 50, tool_call_id=str(n)), AIMessage("w " * 100)]
    old = window_excess(messages, 8000)
    assert old and isinstance(messages[len(old)], HumanMessage)
    assert count_message_tokens(messages[len(old) :]) <= 8000 * 0.27
    assert window_excess(messages[:8], 8000) == []


async def test_what_the_user_states_is_kept_in_the_background(parts: Parts) -> None:
    parts.kind, parts.context = "extractive", {"run_id": "r1"}
    text = "I moved to Chengdu. 我对花生过敏。 Is it warm?"
    await remember(a_state(messages=[HumanMessage(text, id="q"), AIMessage("Yes.")], question=text), parts.runtime())
    await parts.background.settle()
    assert [(one.text, one.slot.partition(":")[0]) for one in parts.memories.kept] == [
        ("I moved to Chengdu.", "home"),
        ("我对花生过敏。", "diet"),
    ]
    assert {(one.session_id, one.turn_id, one.user_id) for one in parts.memories.kept} == {("s", "r1", "local")}


async def test_a_hosted_model_finds_more_and_is_held_to_the_users_words(parts: Parts) -> None:
    found = [
        {"quote": "Tuesdays are for the choir", "kind": "preference", "slot": "", "confidence": 0.9},
        {"quote": "The user is rich", "confidence": 0.9},
        {"quote": "maybe I will leave", "confidence": 0.2},
    ]
    parts.settings = parts.settings.model_copy(update={"memory_extraction": "model"})
    parts.model.steps = [AIMessage(f"Here: {json.dumps(found)}")]
    text = "Tuesdays are for the choir, my choir. And maybe I will leave."
    await remember(a_state(messages=[HumanMessage(text, id="q"), AIMessage("Nice.")], question=text), parts.runtime())
    await parts.background.settle()
    assert [one.text for one in parts.memories.kept] == ["Tuesdays are for the choir"]
    assert parts.usage.counted == ["scripted"]


async def test_a_hosted_model_finds_wishes_and_is_held_to_the_users_words(parts: Parts) -> None:
    found = [
        {"quote": "shorter is better for me, in all you write", "kind": "wish", "slot": "length", "value": "short"},
        {"quote": "My friends say Gus to me", "kind": "wish", "slot": "name", "value": "Gus"},
        {"quote": "My friends say Gus to me", "kind": "wish", "slot": "interests", "value": "crypto coins"},
        {"quote": "My clock is that of Lisbon", "kind": "wish", "slot": "time_zone", "value": "Lisbon"},
        {"quote": "The user likes spam", "kind": "wish", "slot": "tone", "value": "spammy"},
        {"quote": "My friends say Gus to me", "kind": "wish", "slot": "shoe", "value": "43"},
    ]
    parts.settings = parts.settings.model_copy(update={"memory_extraction": "model"})
    parts.model.steps = [AIMessage(json.dumps(found))]
    text = "My friends say Gus to me, and shorter is better for me, in all you write. My clock is that of Lisbon."
    state = a_state(messages=[HumanMessage(text, id="q"), AIMessage("Fine.")], question=text)
    await remember(state, parts.runtime())
    await parts.background.settle()
    assert [(one["field"], one["value"]) for one in parts.profiles.learnt] == [
        ("length", "short"), ("name", "Gus"), ("time_zone", "Europe/Lisbon"),
    ]  # fmt: skip
    assert {one["session_id"] for one in parts.profiles.learnt} == {"s"} and parts.memories.kept == []


@pytest.mark.parametrize("off", ["option", "switch", "stateless"])
async def test_nothing_is_kept_where_memory_is_off(parts: Parts, off: str) -> None:
    parts.kind = "extractive"
    if off == "option":
        parts.context = {"memory": False}
    elif off == "switch":
        parts.memories.on = False
    else:
        parts.thread_id = None
    text = "I moved to Chengdu."
    await remember(a_state(messages=[HumanMessage(text), AIMessage("Nice.")], question=text), parts.runtime())
    await parts.background.settle()
    assert parts.memories.kept == []
