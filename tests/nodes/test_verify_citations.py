from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from nodes.verify_citations import verify_citations
from tests.nodes.conftest import Parts, a_source, a_state
from turn.state import State

EN = "The lease runs for five years. Either party may end it with three months' notice."
ZH = "租期为五年。任何一方均可提前三个月书面通知解除合同。"


def answered(parts: Parts, text: str, *sources: tuple[int, str], language: str = "en") -> State:
    made = [a_source(number, words) for number, words in sources]
    for source in made:
        parts.documents.pages[str(source.get("document_id")), 1] = source["text"]
    return a_state(messages=[HumanMessage("?"), AIMessage(text, id="a")], answer=text, sources=made, language=language)


async def test_true_quotes_become_citation_data(parts: Parts) -> None:
    state = answered(
        parts, 'Five years [1 "runs for five  years"]. 提前三个月【2 “提前三个月书面通知”】。', (1, EN), (2, ZH)
    )
    update = await verify_citations(state, parts.runtime())
    assert update["answer"] == "Five years [1]. 提前三个月[2]。"
    first, second = update["citations"]
    assert (first["quote"], first["verified"], first["page"]) == ("runs for five years", True, 1)
    assert EN[first["start"] : first["end"]] == first["quote"]
    assert ZH[second["start"] : second["end"]] == second["quote"] == "提前三个月书面通知"
    assert [item["number"] for item in parts.sent("citation")] == [1, 2]
    assert update["messages"][0].content == update["answer"] and update["messages"][0].id == "a"


async def test_invented_quotes_are_removed_and_marked(parts: Parts) -> None:
    state = answered(parts, 'Ten years [1 "runs for ten years"]. 一年[1 "租期为一年"]。', (1, EN))
    update = await verify_citations(state, parts.runtime())
    assert update["answer"] == "Ten years *(unsupported)*. 一年 *(unsupported)*。"
    assert update["citations"] == [] and len(update["warnings"]) == 1 and "2" in update["warnings"][0]


async def test_a_quote_of_another_passage_is_moved_there(parts: Parts) -> None:
    state = answered(parts, 'Notice [1 "three months\' notice"].', (1, "Nothing of the kind."), (2, EN))
    update = await verify_citations(state, parts.runtime())
    assert update["answer"] == "Notice [2]." and update["citations"][0]["document_id"] == "d2"


async def test_a_quote_from_the_rest_of_the_page_counts(parts: Parts) -> None:
    state = answered(parts, 'Five years [1 "lease runs for five years"].', (1, "Either party may end it."))
    parts.documents.pages["d1", 1] = EN
    update = await verify_citations(state, parts.runtime())
    assert update["citations"][0]["quote"] == "lease runs for five years"


async def test_bare_markers_are_tied_to_a_sentence_or_removed(parts: Parts) -> None:
    state = answered(parts, "The lease runs for five years [1]. Penguins live in the south [1]. What [7]?", (1, EN))
    update = await verify_citations(state, parts.runtime())
    kept = "The lease runs for five years [1]. Penguins live in the south *(unsupported)*. What *(unsupported)*?"
    assert update["answer"] == kept
    assert [c["quote"] for c in update["citations"]] == ["The lease runs for five years."]


async def test_several_numbers_in_one_pair_of_brackets(parts: Parts) -> None:
    state = answered(parts, "The lease runs for five years [1, 2].", (1, EN), (2, "Penguins live in the south."))
    update = await verify_citations(state, parts.runtime())
    assert update["answer"] == "The lease runs for five years [1] *(unsupported)*."


async def test_a_short_quote_has_to_stand_in_the_sentence_of_its_claim(parts: Parts) -> None:
    text = "It has 5 rooms. The lease began in 19 towns."
    state = answered(parts, 'It has 5 rooms [1 "5"]. It has 19 rooms [1 "19"].', (1, text))
    update = await verify_citations(state, parts.runtime())
    assert update["answer"] == "It has 5 rooms [1]. It has 19 rooms *(unsupported)*."


async def test_a_bare_marker_whose_number_is_not_there_stays_unverified(parts: Parts) -> None:
    state = answered(parts, "The lease runs for 7 years, not five years [1].", (1, EN))
    update = await verify_citations(state, parts.runtime())
    assert [c["verified"] for c in update["citations"]] == [False]


async def test_numbers_in_brackets_of_a_plain_turn_are_left_alone(parts: Parts) -> None:
    text = "The interval [1, 2], as in a[1]."
    state = a_state(messages=[HumanMessage("?"), AIMessage(text)], answer=text, sources=[])
    assert "answer" not in await verify_citations(state, parts.runtime())
    text = 'Invented [1 "out of nowhere"].'
    state = a_state(messages=[HumanMessage("?"), AIMessage(text)], answer=text, sources=[])
    assert (await verify_citations(state, parts.runtime()))["answer"] == "Invented *(unsupported)*."


async def test_a_bare_marker_across_languages_stays_unverified(parts: Parts) -> None:
    state = answered(parts, "租约为期五年[1]。", (1, EN), language="zh")
    update = await verify_citations(state, parts.runtime())
    assert [c["verified"] for c in update["citations"]] == [False]


async def test_a_deleted_document_supports_nothing(parts: Parts) -> None:
    state = answered(parts, 'Five years [1 "runs for five years"].', (1, EN))
    parts.documents.pages.clear()
    update = await verify_citations(state, parts.runtime())
    assert update["citations"] == []


async def test_web_pages_are_cited_by_url(parts: Parts) -> None:
    source = {"number": 1, "origin": "web", "url": "https://e.org", "name": "E", "start": 0, "end": len(EN), "text": EN}
    text = 'Five years [1 "runs for five years"].'
    state = a_state(messages=[HumanMessage("?"), AIMessage(text)], answer=text, sources=[source])
    update = await verify_citations(state, parts.runtime())
    assert update["citations"][0]["url"] == "https://e.org" and update["citations"][0]["verified"]


async def test_an_answer_without_markers_is_left_alone(parts: Parts) -> None:
    text = "Use `a[1]` or [a link](https://e.org)."
    update = await verify_citations(answered(parts, text), parts.runtime())
    assert "answer" not in update and "messages" not in update


@pytest.mark.parametrize(
    "text",
    [
        "The interval is [0, 1], the range [1, 5], as in arr[1] and m[1][0].",
        "See reference [7]. Or [7] below, and x \\in $[1, 1]$.",
        "Steps:\n- [1] Open the door\n- [1] Leave",
        "[1] Smith et al., 2020.",
    ],
)
async def test_numbers_that_cite_nothing_are_left_alone(parts: Parts, text: str) -> None:
    update = await verify_citations(answered(parts, text, (1, EN)), parts.runtime())
    assert "answer" not in update and not update["citations"] and not update["warnings"]


async def test_a_literal_sentence_over_lines_of_its_source_is_verified(parts: Parts) -> None:
    source = "3.1 Any dispute\nbetween the parties\nshall be referred\nto counsel\nfor an opinion."
    state = answered(
        parts, "Any dispute between the parties shall be referred to counsel for an opinion. [1]", (1, source)
    )
    update = await verify_citations(state, parts.runtime())
    assert "answer" not in update and [c["verified"] for c in update["citations"]] == [True]
    assert update["citations"][0]["quote"] == source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is nine.", "It is nine.\n\na.pdf could not be used: a.pdf is empty. Send another."),
        ("a.pdf is empty.", "a.pdf is empty."),
        ("", "a.pdf could not be used: a.pdf is empty. Send another."),
    ],
)
async def test_a_file_of_which_the_model_says_nothing_is_told_of(parts: Parts, text: str, expected: str) -> None:
    state = answered(parts, text)
    state["attachments"] = [
        {"id": "", "name": "a.pdf", "kind": "document", "media_type": "", "size": 0, "sha256": "", "status": "failed",
         "error": {"code": "file_empty", "message": "a.pdf is empty.", "remedy": "Send another."}},
    ]  # fmt: skip
    update = await verify_citations(state, parts.runtime())
    assert update.get("answer", text) == expected
    assert len(update["warnings"]) == (text != expected)
