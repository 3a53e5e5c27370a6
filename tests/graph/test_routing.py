from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolCall

from graph.routing import route_answer, route_by_modality
from tests.nodes.conftest import a_source, a_state


def test_text_goes_straight_on() -> None:
    assert route_by_modality(a_state()) == ["recall", "select_tools"]


def test_one_branch_a_file() -> None:
    refs = [{"id": "1", "kind": "image"}, {"id": "2", "kind": "document"}, {"id": "3", "kind": "audio"}]
    sends = route_by_modality(a_state(pending=refs, question="q"))
    assert [(send.node, send.arg["attachment"]["id"]) for send in sends] == [  # type: ignore[union-attr]
        ("read_image", "1"), ("ingest_document", "2"), ("ingest_document", "3"),
    ]  # fmt: skip


CALL = AIMessage("", tool_calls=[ToolCall(name="t", args={}, id="1", type="tool_call")])
RUN = {"name": "calculate", "arguments": {}, "status": "ok", "seconds": 0.0, "cached": False}


@pytest.mark.parametrize(
    ("message", "turn", "nodes"),
    [
        (CALL, {}, ["run_tools"]),
        (CALL, {"sources": [a_source(1, "x")]}, ["run_tools"]),
        (AIMessage("done"), {}, ["remember"]),
        (AIMessage("It is so [1]."), {}, ["verify_citations"]),
        (AIMessage('it is so [1 "invented"]'), {}, ["verify_citations"]),
        (AIMessage("done"), {"sources": [a_source(1, "x")]}, ["verify_citations"]),
        (AIMessage("done"), {"documents": [{"id": "d"}]}, ["verify_citations"]),
        (AIMessage("done"), {"attachments": [{"id": "d", "status": "failed"}]}, ["verify_citations"]),
        (AIMessage("done"), {"tool_runs": [RUN]}, ["verify_citations"]),
    ],
)
def test_an_answer_is_checked_where_it_can_cite(message: AIMessage, turn: dict[str, Any], nodes: list[str]) -> None:
    assert route_answer(a_state(messages=[message], answer=str(message.text), **turn)) == nodes
