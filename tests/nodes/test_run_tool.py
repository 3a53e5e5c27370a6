from __future__ import annotations

from typing import Any, cast

from langchain_core.messages import AIMessage, HumanMessage, ToolCall
from langgraph.types import Send

from domain.types import Attachment, AttachmentRef
from graph.routing import route_answer
from nodes.gather_results import gather_results
from nodes.run_tool import run_tool
from nodes.select_tools import select_tools
from tests.nodes.conftest import Parts, a_source, a_state
from tests.tools.test_selection import MANY
from turn.calls import MAX_CALLS
from turn.state import State, Update


def calls(*wanted: tuple[str, dict[str, Any]]) -> AIMessage:
    return AIMessage(
        "", tool_calls=[ToolCall(name=n, args=a, id=f"c{i}", type="tool_call") for i, (n, a) in enumerate(wanted)]
    )


async def run_round(state: State, parts: Parts) -> Update:
    """Run every call of the newest message, the last one first, and gather the results."""
    sends = cast("list[Send]", route_answer(state, parts.runtime().context))
    done = [await run_tool(send.arg, parts.runtime()) for send in reversed(sends)]
    results = [result for update in done for result in update["call_results"]]
    return await gather_results({**state, "call_results": results}, parts.runtime())


async def test_calls_run_and_failures_become_messages(parts: Parts) -> None:
    message = calls(("calculate", {"expression": "6*7"}), ("calculate", {"expression": "1/0"}), ("no_such_tool", {}))
    state = a_state(messages=[HumanMessage("?"), message], offered_tools=["calculate"], question="?")
    update = await run_round(state, parts)
    first, second, third = update["messages"]
    assert [message.tool_call_id for message in update["messages"]] == ["c0", "c1", "c2"]  # type: ignore[union-attr]
    assert "42" in str(first.content) and first.status == "success"  # type: ignore[union-attr]
    assert second.status == third.status == "error"  # type: ignore[union-attr]
    assert [run["status"] for run in update["tool_runs"]] == ["ok", "error", "refused"]
    assert first.artifact["data"]["value"] == "42"  # type: ignore[union-attr]
    assert [message.artifact["code"] for message in update["messages"]] == ["", "bad_expression", "unknown_tool"]  # type: ignore[union-attr]
    assert update["tool_rounds"] == 1
    assert [item["status"] for item in parts.sent("tool")].count("running") == 3


async def test_passages_are_numbered_after_those_that_are_there(parts: Parts) -> None:
    ref = AttachmentRef(id="d9", name="9.pdf", kind="document", media_type="application/pdf", size=1, sha256="9" * 64)
    parts.documents.listed = [cast("Attachment", {**ref, "status": "ready", "pages_total": 3})]
    parts.documents.found = [a_source(0, "The notice period is three months.", document_id="d9", name="9.pdf")]
    message = calls(("search_documents", {"query": "notice"}))
    state = a_state(
        messages=[HumanMessage("?"), message],
        offered_tools=["search_documents"],
        question="?",
        sources=[a_source(1, "x")],
    )
    update = await run_round(state, parts)
    assert [source["number"] for source in update["sources"]] == [1, 2]
    assert "[2] 9.pdf" in str(update["messages"][0].content)
    assert update["messages"][0].artifact["sources"][0]["number"] == 2  # type: ignore[union-attr]


async def test_tools_that_were_found_are_offered_in_the_next_round(parts: Parts) -> None:
    parts.foreign = MANY
    state = a_state(messages=[HumanMessage("Hello")], question="Hello")
    offered = (await select_tools(state, parts.runtime()))["offered_tools"]
    assert "car__unlock_doors" not in offered and "find_tools" in offered
    message = calls(("find_tools", {"request": "unlock the car doors"}), ("calculate", {"expression": "1+1"}))
    update = await run_round(a_state(messages=[message], offered_tools=offered, question="Hello"), parts)
    assert {"car__unlock_doors", "find_tools", "calculate"} <= set(update["offered_tools"])
    names = [name for name in update["offered_tools"] if name in offered]
    assert names == [name for name in offered if name in names], "the order stays"
    message = calls(("car__unlock_doors", {"target": "van"}))
    update = await run_round(a_state(messages=[message], offered_tools=update["offered_tools"], question="?"), parts)
    assert update["tool_runs"][0]["status"] == "ok" and "van" in str(update["messages"][0].content)
    state = a_state(messages=[HumanMessage("1"), message, HumanMessage("Again")], question="Again")
    assert "car__unlock_doors" in (await select_tools(state, parts.runtime()))["offered_tools"]


async def test_a_flood_of_calls_is_cut(parts: Parts) -> None:
    message = calls(*[("calculate", {"expression": f"{n}+1"}) for n in range(MAX_CALLS + 2)])
    state = a_state(messages=[HumanMessage("?"), message], offered_tools=["calculate"], question="?")
    update = await run_round(state, parts)
    assert [run["status"] for run in update["tool_runs"]].count("refused") == 2
    assert len(update["messages"]) == MAX_CALLS + 2


async def test_a_tool_that_the_turn_does_not_offer_is_refused(parts: Parts) -> None:
    state = a_state(messages=[HumanMessage("?"), calls(("current_time", {}))], offered_tools=[], question="?")
    update = await run_round(state, parts)
    assert update["tool_runs"][0]["status"] == "refused"


async def test_calls_made_before_are_the_last_round(parts: Parts) -> None:
    message = calls(("calculate", {"expression": "6*7"}))
    state = a_state(messages=[HumanMessage("?"), message], offered_tools=["calculate"], question="?")
    first = await run_round(state, parts)
    again = await run_round(cast("State", {**state, "tool_runs": first["tool_runs"], "tool_rounds": 1}), parts)
    assert again["tool_rounds"] == parts.settings.max_tool_rounds
    other = calls(("calculate", {"expression": "6*7"}), ("calculate", {"expression": "6*8"}))
    state = a_state(messages=[HumanMessage("?"), other], offered_tools=["calculate"], question="?")
    assert (await run_round(cast("State", {**state, "tool_runs": first["tool_runs"]}), parts))["tool_rounds"] == 1
