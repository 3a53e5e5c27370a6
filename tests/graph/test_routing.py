from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, ToolCall

from graph.routing import route_answer, route_by_modality
from tests.nodes.conftest import a_state


def test_text_goes_straight_on() -> None:
    assert route_by_modality(a_state()) == "recall"


def test_one_branch_a_file() -> None:
    refs = [{"id": "1", "kind": "image"}, {"id": "2", "kind": "document"}, {"id": "3", "kind": "audio"}]
    sends = route_by_modality(a_state(pending=refs, question="q"))
    assert [(send.node, send.arg["attachment"]["id"]) for send in sends] == [  # type: ignore[union-attr]
        ("read_image", "1"), ("ingest_document", "2"), ("ingest_document", "3"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "node"),
    [
        (AIMessage("done"), "verify_citations"),
        (AIMessage("", tool_calls=[ToolCall(name="t", args={}, id="1", type="tool_call")]), "run_tools"),
    ],
)
def test_tools_before_the_check(message: AIMessage, node: str) -> None:
    assert route_answer(a_state(messages=[message])) == node
