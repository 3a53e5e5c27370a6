from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from domain.owner import Owner
from domain.types import DocumentNote, Source
from settings import Settings
from tests.nodes.conftest import a_source, a_state
from turn.context import Services
from turn.passages import Passages, numbered
from turn.state import State

OWNER = Owner(thread_id="t")


class Store:
    """Pages of documents, and a search that finds the pages that hold a word of the query."""

    def __init__(self, pages: dict[str, list[str]]) -> None:
        self._pages = pages
        self.asked: list[str] = []
        self.indexed: list[float] = [1.0]
        self.vectors = object()
        self.waits = 0

    async def next_vectors(self, seconds: float) -> None:
        self.waits += 1

    async def pages(
        self, document_id: str, owner: Owner, first: int = 1, last: int | None = None
    ) -> list[dict[str, Any]]:
        pages = enumerate(self._pages[document_id], 1)
        return [
            {"number": n, "label": "", "markdown": text} for n, text in pages if n >= first and (not last or n <= last)
        ]

    async def sources(
        self, query: str, owner: Owner, *, token_budget: int, document_ids: list[str] | None = None
    ) -> list[Source]:
        self.asked.append(query)
        words = query.lower().strip("?").split()
        return [
            a_source(1, text, document_id=key, page=n, name=key)
            for key, pages in self._pages.items()
            for n, text in enumerate(pages, 1)
            if (document_ids is None or key in document_ids) and any(word in text.lower() for word in words)
        ]

    async def list(self, owner: Owner) -> list[dict[str, Any]]:
        indexed = self.indexed.pop(0) if len(self.indexed) > 1 else self.indexed[0]
        return [{"id": key, "indexed": indexed, "pages_total": len(pages)} for key, pages in self._pages.items()]


def services(store: Store) -> Services:
    settings = Settings(_env_file=None)
    return cast("Services", SimpleNamespace(settings=settings, documents=store, ingestion=store))


async def find(state: State, store: Store, *notes: DocumentNote) -> list[Source]:
    return (await Passages(state, services(store), OWNER, notes).find())[1]


def note(key: str, kind: str = "document", summary: str = "", language: str = "") -> DocumentNote:
    return DocumentNote(
        id=key,
        name=key,
        kind=kind,  # type: ignore[typeddict-item]
        status="ready",
        pages_total=1,
        pages_done=1,
        summary=summary,
        language=language,
    )


async def test_a_file_that_nothing_is_found_in_yet_gives_its_first_pages() -> None:
    store = Store({"new": ["押金为一千二百欧元。"]})
    state = a_state(messages=[HumanMessage("?")], question="How large is the deposit?", attachments=[note("new")])
    assert [s["text"] for s in await find(state, store, note("new"))] == ["押金为一千二百欧元。"]


@pytest.mark.parametrize("question", ["And the website? The vault code is secret.", "Hello!"])
async def test_the_file_of_a_turn_is_shown_whatever_other_documents_fit_the_words(question: str) -> None:
    long = "Quiet please, no smoking. " * 3000
    store = Store({"vault": ["The vault code is 7731."], "a.pdf": ["Opening hours: nine to five."], "b.txt": [long]})
    state = a_state(messages=[HumanMessage("?")], question=question, attachments=[note("a.pdf"), note("b.txt")])
    found = await find(state, store, note("vault"), note("a.pdf"), note("b.txt"))
    shown = {str(source["document_id"]): source["text"] for source in found}
    assert shown["a.pdf"] == "Opening hours: nine to five."
    assert long.startswith(shown["b.txt"]) and 1000 < len(shown["b.txt"]) < 10_000
    assert ("vault" in shown) == ("vault" in question)
    cut = next(source for source in found if source["document_id"] == "b.txt")
    assert (cut["start"], cut["end"]) == (0, len(cut["text"]))


async def test_a_picture_that_the_question_names_comes_first() -> None:
    store = Store({"label.png": ["Batch 88"], "lease": ["The label of the flat is 4b."]})
    state = a_state(messages=[HumanMessage("?")], question="Which batch was on the label?")
    found = await find(state, store, note("label.png", "image"), note("lease"))
    assert [(s["number"], s["text"]) for s in found] == [(1, "Batch 88"), (2, "The label of the flat is 4b.")]


async def test_a_follow_up_is_looked_for_with_the_question_before() -> None:
    store = Store({"mail": ["The meeting is in room 4."]})
    said = [HumanMessage("When is the meeting?"), AIMessage("On Monday."), HumanMessage("And where?")]
    await find(a_state(messages=said, question="And where?"), store, note("mail"))
    assert store.asked == ["meeting And where?", "And where?"]


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("What is the deposit? Who manages the depot?", ["What is the deposit?", "Who manages the depot?"]),
        ("押金是多少？谁管理仓库？", ["押金是多少？", "谁管理仓库？"]),
        ("比较一下甲店和乙店的销量", ["销量 甲店", "销量 乙店"]),
        ("Which is larger, Aden or Basra?", ["larger, Aden", "larger, Basra"]),
    ],
)
async def test_each_question_of_a_message_and_each_thing_compared_is_looked_for(
    question: str, parts: list[str]
) -> None:
    store = Store({"a": ["Anything."]})
    await find(a_state(messages=[HumanMessage(question)], question=question), store, note("a"))
    assert store.asked == [*parts, question]


@pytest.mark.parametrize(
    "question", ["Who leads it in the second file?", "第二个文件里，谁负责？", "Who leads it in b.md?"]
)
async def test_a_file_that_the_question_names_is_searched_alone(question: str) -> None:
    store = Store({"a.md": ["Ann leads 谁 it"], "b.md": ["Bob leads 谁 it"]})
    asked = a_state(messages=[HumanMessage("?")], question=question)
    found = await find(asked, store, note("a.md"), note("a.md › inside.txt"), note("b.md"))
    assert {s["name"] for s in found} == {"b.md"}


async def test_what_stands_around_the_answer_before_is_there_where_it_is_asked_for() -> None:
    store = Store({"a.md": [f"{'x ' * 400}Deposit: 1,200 euros.{' y' * 400}"], "b.md": ["that page"]})
    cited = {"document_id": "a.md", "page": 1, "start": 800, "end": 821, "quote": "Deposit: 1,200 euros."}
    messages = [HumanMessage("How much?"), HumanMessage("Which page is that on?")]
    asked = a_state(messages=messages, question="Which page is that on?", cited=[cited])
    found = await find(asked, store, note("a.md"), note("b.md"))
    window = next(s for s in found if s["name"] == "a.md")
    assert window["text"][600:621] == "Deposit: 1,200 euros." and window["start"] == 200 and len(window["text"]) == 1221


async def test_an_overview_of_a_short_document_rests_on_all_its_pages() -> None:
    store = Store({"a": ["One.", "Two.", " "], "b": ["Other."]})
    state = a_state(messages=[HumanMessage("?")], question="Summarise it", attachments=[note("a")])
    notes, pages = await Passages(state, services(store), OWNER, [note("a"), note("b")]).find()
    assert [(page["number"], page["page"], page["text"]) for page in pages] == [(1, 1, "One."), (2, 2, "Two.")]
    assert [item["summary"] for item in notes] == ["", ""]


async def test_of_a_long_document_without_summary_the_main_sentences_are_taken() -> None:
    page = " ".join(
        f"The harbour report number {n} describes the costs of the new bridge in detail." for n in range(60)
    )
    store = Store({"long": [page] * 5})
    state = a_state(messages=[HumanMessage("?")], question="总结这份文档")
    notes, _ = await Passages(state, services(store), OWNER, [note("long")]).find()
    assert "harbour report" in notes[0]["summary"] and len(notes[0]["summary"]) < 3000


async def test_an_overview_of_summarised_documents_rests_on_their_first_pages_and_searches_nothing() -> None:
    store = Store({"a": ["One.", "Two."]})
    state = a_state(messages=[HumanMessage("?")], question="What is this document about?")
    assert [s["text"] for s in await find(state, store, note("a", summary="Two numbers."))] == ["One.", "Two."]
    assert store.asked == []


def test_a_passage_found_twice_is_given_once_where_it_came_first() -> None:
    first, second = a_source(1, "x", document_id="d", page=1), a_source(1, "y", document_id="d", page=2)
    assert [(s["number"], s["text"]) for s in numbered([first, second, first])] == [(1, "x"), (2, "y")]


async def test_a_question_in_another_language_waits_for_vectors() -> None:
    store = Store({"lease": ["The deposit is 1,200 euros."]})
    store.indexed = [0.0, 1.0]
    state = a_state(messages=[HumanMessage("?")], question="押金是多少？", attachments=[note("lease")])
    found = await find(state, store, note("lease", language="en"), note("旧合同", language="zh"))
    assert [source["text"] for source in found] == ["The deposit is 1,200 euros."]
    assert store.asked == ["押金是多少？"] * 2 and store.indexed == [1.0] and store.waits == 1


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("谢谢", "en"),
        ("What is the deposit?", "en"),
        ("押金是多少？", "zh"),
        ("押金是多少？", ""),
        ("总结一下这份文档", "en"),
    ],
)
async def test_no_other_message_waits(question: str, language: str) -> None:
    store = Store({"lease": ["The deposit is 1,200 euros."]})
    store.indexed = [0.0, 0.0, 0.0, 1.0]
    state = a_state(messages=[HumanMessage("?")], question=question)
    await find(state, store, note("lease", language=language))
    assert len(store.indexed) > 1, "it asked again and again whether the document is indexed"


@pytest.mark.parametrize("question", ["谢谢！", "Hello there", "Thanks, that was very helpful."])
async def test_a_message_that_asks_nothing_gets_no_passages(question: str) -> None:
    store = Store({"lease": ["Thanks to the landlord. Hello there. 谢谢"]})
    assert await find(a_state(messages=[HumanMessage("?")], question=question), store, note("lease")) == []
    assert store.asked == []


async def test_a_page_that_a_question_names_comes_first() -> None:
    store = Store({"a": ["Ann signed it.", "Ben.", "Who is named?"]})
    found = await find(a_state(messages=[HumanMessage("?")], question="Who is named on page 2?"), store, note("a"))
    assert [source["page"] for source in found] == [2, 3]


async def test_the_last_page_is_found_by_the_number_of_pages() -> None:
    store = Store({"a": ["One.", "Two.", "Three."]})
    last = note("a")
    last["pages_total"] = 3
    found = await find(a_state(messages=[HumanMessage("?")], question="最后一页写了什么？"), store, last)
    assert [source["text"] for source in found] == ["Three."]


async def test_a_question_about_one_page_gets_that_page() -> None:
    store = Store({"a": ["One.", "Two."], "b": ["Three.", "Four."]})
    state = a_state(messages=[HumanMessage("?")], question="第二页写了什么？", attachments=[note("b")])
    notes, pages = await Passages(state, services(store), OWNER, [note("a"), note("b")]).find()
    assert [(page["name"], page["page"], page["text"]) for page in pages] == [("b", 2, "Four.")]
