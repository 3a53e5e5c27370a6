from __future__ import annotations

from typing import Any, cast

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolCall
from langgraph.types import Send

from graph.routing import route_answer, route_by_modality
from tests.nodes.conftest import Parts, a_source, a_state
from turn.calls import MAX_CALLS

LONG = [HumanMessage("word " * 8000), AIMessage("word " * 8000)] * 2


@pytest.mark.parametrize(
    ("turn", "nodes"),
    [
        ({}, ["select_tools"]),
        ({"documents": [{"id": "d"}]}, ["recall", "select_tools"]),
        ({"messages": LONG}, ["recall", "select_tools"]),
    ],
)
def test_text_goes_straight_on(parts: Parts, turn: dict[str, Any], nodes: list[str]) -> None:
    assert route_by_modality(a_state(**turn), parts.runtime().context) == nodes


def test_one_branch_a_file(parts: Parts) -> None:
    refs = [{"id": "1", "kind": "image"}, {"id": "2", "kind": "document"}, {"id": "3", "kind": "audio"}]
    sends = route_by_modality(a_state(pending=refs, question="q"), parts.runtime().context)
    assert [(send.node, send.arg["attachment"]["id"]) for send in sends] == [  # type: ignore[union-attr]
        ("read_image", "1"), ("ingest_document", "2"), ("ingest_document", "3"),
    ]  # fmt: skip


RUN = {"name": "calculate", "arguments": {}, "status": "ok", "seconds": 0.0, "cached": False}


@pytest.mark.parametrize(
    ("message", "turn", "nodes"),
    [
        (AIMessage("done"), {}, ["__end__"]),
        (AIMessage("done", additional_kwargs={"reasoning_content": "so"}), {}, ["remember"]),
        (AIMessage("word " * 30_000), {}, ["remember"]),
        (AIMessage("It is so [1]."), {}, ["verify_citations"]),
        (AIMessage('it is so [1 "invented"]'), {}, ["verify_citations"]),
        (AIMessage("done"), {"sources": [a_source(1, "x")]}, ["verify_citations"]),
        (AIMessage("done"), {"documents": [{"id": "d"}]}, ["verify_citations"]),
        (AIMessage("done"), {"attachments": [{"id": "d", "status": "failed"}]}, ["verify_citations"]),
        (AIMessage("done"), {"tool_runs": [RUN]}, ["verify_citations"]),
    ],
)
def test_an_answer_goes_on_where_it_can_cite_or_leaves_work(
    parts: Parts, message: AIMessage, turn: dict[str, Any], nodes: list[str]
) -> None:
    state = a_state(messages=[message], answer=str(message.text), **turn)
    assert route_answer(state, parts.runtime().context) == nodes


def test_one_branch_a_call(parts: Parts) -> None:
    made = [ToolCall(name=name, args={}, id=name, type="tool_call") for name in ("t", "u", *["t"] * MAX_CALLS)]
    state = a_state(messages=[AIMessage("", tool_calls=made)], offered_tools=["t"])
    sends = cast("list[Send]", route_answer(state, parts.runtime().context))
    assert {send.node for send in sends} == {"run_tool"} and [send.arg["call"] for send in sends] == made
    assert [send.arg["offered"] for send in sends] == [True, False, *[True] * (MAX_CALLS - 2), False, False]
