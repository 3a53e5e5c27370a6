from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from models.chat.extractive.accept import Evidence, answers
from models.chat.extractive.extract import Passage, SentenceFinder
from models.chat.extractive.routing import Router
from tests.models.reader_fixtures import EMBEDDER

QUESTIONS = 8


def _rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.corpus
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_answer_is_in_what_is_quoted(corpus: Path, language: str) -> None:
    texts = {str(row["pid"]): str(row["text"]) for row in _rows(corpus / "qa" / f"{language}_paragraphs.jsonl")}
    rows = _rows(corpus / "qa" / f"{language}_questions.jsonl")[::23][:QUESTIONS]
    finder = SentenceFinder(EMBEDDER, Router(EMBEDDER))
    right = 0
    for row in rows:
        question = str(row["question"])
        found = await finder.find(question, await EMBEDDER.query(question), [Passage(texts[str(row["pid"])], 1)])
        said = re.sub(r"\s", "", " ".join(quote.text for quote in found.quotes)) if found.answered else ""
        right += any(re.sub(r"\s", "", answer) in said for answer in row["answers"])  # type: ignore[attr-defined]
    assert right >= 0.6 * len(rows)


async def test_the_next_sentence_is_quoted_too_where_it_has_the_answer() -> None:
    text = "Invoice 8812 comes to 4417 crowns. It is due on 3 March. Payment goes to Harbour Bank."
    asked = "When is invoice 8812 due?"
    finding = await SentenceFinder(EMBEDDER, Router(EMBEDDER)).find(
        asked, await EMBEDDER.query(asked), [Passage(text, 1)]
    )
    assert finding.answered
    assert [quote.text for quote in finding.quotes][:2] == [
        "Invoice 8812 comes to 4417 crowns.",
        "It is due on 3 March.",
    ]


async def test_no_passages_answer_nothing() -> None:
    finding = await SentenceFinder(EMBEDDER, Router(EMBEDDER)).find("Who?", await EMBEDDER.query("Who?"), [])
    assert finding.quotes == [] and not finding.answered


async def test_the_second_time_costs_no_embedding_of_sentences() -> None:
    finder, asked = SentenceFinder(EMBEDDER, Router(EMBEDDER)), "How tall is the tower?"
    text = " ".join(
        f"Fact {n}: the tower number {n} is {n * 10} metres tall and was built by team {n}." for n in range(30)
    )
    vector = await EMBEDDER.query(asked)
    first = time.perf_counter()
    await finder.find(asked, vector, [Passage(text, 1)])
    second = time.perf_counter()
    await finder.find(asked, vector, [Passage(text, 1)])
    assert time.perf_counter() - second < (second - first) / 2


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Which company was not sold?", "The company was sold in 1999."),
        ("What caused the increase in prices?", "The decrease in prices was caused by imports."),
        ("价格为什么上升？", "价格下降是因为进口增加。"),
    ],
)
def test_a_question_that_contradicts_the_sentence_is_not_answered(question: str, sentence: str) -> None:
    assert not answers(question, sentence, 0.95)


def test_the_wanted_kind_of_answer_lowers_the_bar() -> None:
    question = "When was the bridge opened to the public?"
    dated = "The bridge was opened to the public in 1932 after years of work on it."
    undated = "The bridge was opened to the public by the mayor with a great feast."
    evidence = Evidence(0.828, usual=0.74)
    assert answers(question, dated, evidence) and not answers(question, undated, evidence)
