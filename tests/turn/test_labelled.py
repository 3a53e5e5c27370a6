"""Labels of texts: a result keeps that of its finding, a memory is of the user, a summary has the lowest."""

from __future__ import annotations

import json

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from domain.fence import fenced
from domain.labels import OF_DOCUMENT, OF_MEMORY, OF_WEB, Label
from tests.nodes.conftest import Parts, a_state
from tests.nodes.conftest import parts as parts
from turn.labelled import texts_read
from turn.provenance import Provenance

RECORD = json.dumps({"title": "Ann Moss", "mail": "ann@corp.example"})


def result(name: str, label: Label | None = None) -> ToolMessage:
    found = {"sources": [], "data": {}, "code": ""} | ({"label": label} if label else {})
    return ToolMessage(fenced(RECORD), tool_call_id="1", name=name, artifact=found)


def test_a_result_keeps_its_label_and_one_without_has_that_of_its_tool(parts: Parts) -> None:
    context = parts.runtime().context

    def label_of(message: ToolMessage) -> Label:
        return texts_read(a_state(messages=[HumanMessage("?"), AIMessage(""), message]), context)[0].label

    assert label_of(result("list_documents", OF_WEB)) == OF_WEB
    assert (label_of(result("list_documents")), label_of(result("fetch_url"))) == (OF_DOCUMENT, OF_WEB)
    assert label_of(result("no_longer_there")) == OF_DOCUMENT


def test_what_was_fetched_is_not_the_users_own_data_because_its_tool_is_called_reading_now(parts: Parts) -> None:
    def own(message: ToolMessage) -> bool:
        messages = [HumanMessage("Write the mail to Ann Moss"), AIMessage(""), message]
        state = a_state(messages=messages, question="Write the mail to Ann Moss")
        return Provenance(state, parts.runtime().context).evidence({"to": "ann@corp.example"})["own"]

    assert own(result("list_documents")) and not own(result("list_documents", OF_WEB))


def test_memories_are_the_users_and_a_summary_has_the_lowest_label(parts: Parts) -> None:
    memory = {"id": "m", "text": "I live in Suzhou", "session_id": "s", "said": "2026-11-01", "holds": True}
    state = a_state(messages=[HumanMessage("?")], memories=[memory], summary="They spoke of pay.")
    labels = {text.source or text.kind: text.label for text in texts_read(state, parts.runtime().context)}
    assert labels == {"recall": OF_MEMORY, "model": OF_DOCUMENT}
