from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from domain.tokens import count_tokens
from nodes.recall import recall
from stores.memories.items import Memory
from tests.nodes.conftest import Parts, a_source, a_state
from turn.material import document_note, material_text
from turn.question import question_of


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


def remembered(text: str, **more: Any) -> Memory:
    return Memory(id=text[:4], user_id="local", text=text, created=1_790_000_000.0, session_id="s0", **more)


async def test_what_the_user_once_said_is_recalled_unless_it_stands_here_anyway(parts: Parts) -> None:
    parts.memories.kept = [
        remembered("I am allergic to peanuts."),
        remembered("I live in Oslo."),
        remembered("I lived in Rome.", valid_to=1_795_000_000.0),
    ]
    messages = [HumanMessage("As I said, I live in Oslo."), AIMessage("Yes."), HumanMessage("May I eat this?")]
    state = a_state(messages=messages, question="May I eat this?", remembers=True)
    update = await recall(state, parts.runtime())
    assert [(one["text"], one["session_id"], one["holds"]) for one in update["memories"]] == [
        ("I am allergic to peanuts.", "s0", True)
    ]
    past = await recall({**state, "question": question_of("Where did I live before?", "en")}, parts.runtime())
    assert "I lived in Rome." in [one["text"] for one in past["memories"]]
    text = material_text({**state, **update})
    assert "- I am allergic to peanuts. (said on 2026-09-21)" in text
    parts.memories.on = False
    assert (await recall(state, parts.runtime()))["memories"] == []


async def test_what_is_recalled_stays_within_its_tokens(parts: Parts) -> None:
    parts.memories.kept = [remembered(f"{n} " + "I like very long walks " * 12) for n in range(20)]
    state = a_state(messages=[HumanMessage("Where do I walk?")], question="Where do I walk?", remembers=True)
    found = (await recall(state, parts.runtime()))["memories"]
    assert 5 <= len(found) <= 8 and sum(count_tokens(one["text"]) for one in found) <= 600
