from __future__ import annotations

from langchain_core.messages import AIMessage, HumanMessage

from nodes.recall import recall
from tests.nodes.conftest import Parts, a_source, a_state
from turn.material import document_note


def document(number: str, **changes: object) -> dict[str, object]:
    return {"id": number, "name": f"{number}.pdf", "kind": "document", "status": "ready", "pages_total": 2, **changes}


async def test_a_plain_turn_recalls_nothing(parts: Parts) -> None:
    assert await recall(a_state(messages=[HumanMessage("hi")], question="hi"), parts.runtime()) == {}


async def test_documents_of_the_thread_are_searched(parts: Parts) -> None:
    note = document_note(document("d1", summary="A lease." * 400), "en")  # type: ignore[arg-type]
    parts.documents.found = [a_source(1, "five years")]
    state = a_state(messages=[HumanMessage("how long?")], question="how long?", documents=[note])
    update = await recall(state, parts.runtime())
    assert [source["text"] for source in update["sources"]] == ["five years"]
    assert update["documents"][0]["name"] == "d1.pdf" and len(update["documents"][0]["summary"]) <= 1200


async def test_files_of_this_turn_come_first(parts: Parts) -> None:
    parts.documents.listed = [document("d1"), document("d2")]  # type: ignore[list-item]
    parts.documents.found = [a_source(1, "old"), a_source(2, "new")]
    state = a_state(messages=[HumanMessage("?")], question="?", attachments=[document("d2")])
    update = await recall(state, parts.runtime())
    assert [(source["number"], source["text"]) for source in update["sources"]] == [(1, "new"), (2, "old")]


async def test_a_prepared_summary_takes_the_place_of_what_it_covers(parts: Parts) -> None:
    long = "word " * 400
    messages = [m for n in range(6) for m in (HumanMessage(long, id=f"q{n}"), AIMessage(long, id=f"a{n}"))]
    parts.summaries.prepared["t"] = ("They talked.", ["q0", "a0", "long gone"])
    update = await recall(a_state(messages=[*messages, HumanMessage("?")], question="?"), parts.runtime())
    assert update["summary"] == "They talked." and [m.id for m in update["messages"]] == ["q0", "a0"]


async def test_a_summary_that_was_taken_up_is_not_taken_up_again(parts: Parts) -> None:
    parts.summaries.prepared["t"] = ("They talked.", ["gone"])
    messages = [HumanMessage("word " * 800, id=str(n)) for n in range(8)]
    assert await recall(a_state(messages=messages, question="?"), parts.runtime()) == {}
