from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.chat.extractive.answer import UNRELATED
from models.chat.extractive.quote import Finder, Passage, Sentence, quotable, quoted
from models.chat.extractive.rules import contradicts
from models.embeddings.interface import Vectors
from models.embeddings.kept import KeptVectors
from tests.models.extractive.fixtures import EMBEDDER

TABLE = "| Plan | Price per month | Users |\n| --- | --- | --- |\n| Starter | 6 euros | 1 |\n| Team | 19 euros | 10 |"
PEOPLE = "### 许国佐\n\n字班王，揭阳人。天启七年中举人，后任四川富顺知县。\n\n### 陈子壮\n\n南海人，万历四十七年探花。"
LEAST_RIGHT = 6
"""Of eight questions of each language on their own paragraph."""


def finder() -> Finder:
    return Finder(KeptVectors(EMBEDDER), UNRELATED)


async def ask(question: str, text: str) -> str:
    return quoted(await finder().find(question, [Passage(text, 1)]), label=False)


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.corpus
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_answer_is_in_what_is_quoted(corpus: Path, language: str) -> None:
    texts = {row["pid"]: row["text"] for row in _rows(corpus / "qa" / f"{language}_paragraphs.jsonl")}
    found = finder()
    right = 0
    for row in _rows(corpus / "qa" / f"{language}_questions.jsonl")[::23][:8]:
        quotes = await found.find(row["question"], [Passage(texts[row["pid"]], 1)])
        said = re.sub(r"\s", "", " ".join(quote.text for quote in quotes))
        right += any(re.sub(r"\s", "", answer) in said for answer in row["answers"])
    assert right >= LEAST_RIGHT


async def test_a_table_row_is_quoted_with_the_names_of_its_columns() -> None:
    answer = await ask("How much is the Team plan?", TABLE)
    assert 'Plan: Team; Price per month: 19 euros; Users: 10 [1 "| Team | 19 euros | 10 |"]' in answer


async def test_headings_tell_what_their_text_is_about_and_are_not_quoted() -> None:
    answer = await ask("许国佐是哪里人？", PEOPLE)
    assert "揭阳人" in answer and "#" not in answer and not answer.startswith("许国佐")
    assert await ask("What is the notice period?", "# Notice period\n\n## Notice period") == ""
    assert await ask("What is the notice period?", "Notice period\n\nThe garden is open.") == ""


async def test_reference_numbers_of_the_source_are_not_taken_for_citations() -> None:
    answer = await ask("How many floors does the tower have?", "The tower was opened in 1931.[7] It has 102 floors.[8]")
    assert "102 floors" in answer and "[8]" not in answer and "[1]" in answer


async def test_no_passages_answer_nothing() -> None:
    assert await finder().find("Who?", []) == []


async def test_the_second_time_costs_no_embedding() -> None:
    asked: list[str] = []

    class Counting:
        name, dimensions, detail = EMBEDDER.name, EMBEDDER.dimensions, EMBEDDER.detail

        async def passages(self, texts: Sequence[str]) -> Vectors:
            asked.extend(texts)
            return await EMBEDDER.passages(texts)

        async def query(self, text: str) -> Vectors:
            asked.append(text)
            return await EMBEDDER.query(text)

    found = Finder(KeptVectors(Counting()), UNRELATED)
    passages = [Passage("The tower is 300 metres tall. It was built in 1889.", 1)]
    first = await found.find("How tall is the tower?", passages)
    count = len(asked)
    again = await found.find("How tall is the tower?", passages)
    assert [one.text for one in first] == [one.text for one in again] != [] and len(asked) == count


@pytest.mark.parametrize(
    ("question", "sentence", "against"),
    [
        ("Which company was not sold?", "The company was sold in 1999.", True),
        ("What is the abnormal force?", "The normal force is small.", True),
        ("What is the second law about?", "The first law is about inertia.", True),
        ("第二名是谁？", "第一名是周蕙。", True),
        ("What is the first law about?", "The first law is about inertia.", False),
        ("Which company was sold?", "The company was sold in 1999.", False),
        ("Which pets are not allowed?", "Dogs are never allowed.", False),
    ],
)
def test_a_question_that_contradicts_the_sentence(question: str, sentence: str, against: bool) -> None:
    assert contradicts(question, sentence) is against


def test_the_same_sentence_of_two_passages_is_one_place_each_and_rules_are_none() -> None:
    found: list[Sentence] = quotable([Passage("- One thing.\n- Two things.\n\n---\n\n> Three.", 1)])
    assert [one.text for one in found] == ["One thing.", "Two things.", "Three."]
