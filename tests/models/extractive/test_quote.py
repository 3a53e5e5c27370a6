from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from domain.citations import QuoteStripper
from domain.types import Source
from models.chat.extractive.quote import Asked, Sentence, find, quotable, quoted
from models.embeddings.interface import Vectors
from models.embeddings.kept import KeptVectors
from tests.models.extractive.fixtures import EMBEDDER, source

TABLE = "| Plan | Price per month | Users |\n| --- | --- | --- |\n| Starter | 6 euros | 1 |\n| Team | 19 euros | 10 |"
PEOPLE = "### 许国佐\n\n字班王，揭阳人。天启七年中举人，后任四川富顺知县。\n\n### 陈子壮\n\n南海人，万历四十七年探花。"
LEAST_RIGHT = 6
"""Of eight questions of each language on their own paragraph."""


def passage(text: str, number: int, name: str = "", page: int = 0) -> Source:
    return source(number, text, name, page=page)


VECTORS = KeptVectors(EMBEDDER)


async def ask(question: str, text: str, *, exact: bool = False) -> str:
    said = quoted(await find(VECTORS, Asked.of(question), [passage(text, 1)]), label=False)
    stripper = QuoteStripper()
    return said if exact else stripper.add(said) + stripper.rest()


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.corpus
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_answer_is_in_what_is_quoted(corpus: Path, language: str) -> None:
    texts = {row["pid"]: row["text"] for row in _rows(corpus / "qa" / f"{language}_paragraphs.jsonl")}
    right = 0
    for row in _rows(corpus / "qa" / f"{language}_questions.jsonl")[::23][:8]:
        quotes = await find(VECTORS, Asked.of(row["question"]), [passage(texts[row["pid"]], 1)])
        said = re.sub(r"\s", "", " ".join(quote.unit.text for quote in quotes))
        right += any(re.sub(r"\s", "", answer) in said for answer in row["answers"])
    assert right >= LEAST_RIGHT


async def test_a_table_row_is_quoted_with_the_names_of_its_columns() -> None:
    answer = await ask("How much is the Team plan?", TABLE, exact=True)
    assert 'Plan: Team; Price per month: 19 euros; Users: 10 [1 "| Team | 19 euros | 10 |"]' in answer


BORAX = (
    "### 硼砂\n\n硼砂，或称四硼酸钠，是非常重要的含硼矿物。通常为含有无色晶体的白色粉末，易溶于水。"
    "硼砂有广泛的用途，可用作清洁剂、化妆品、杀虫剂。硼砂酸化可得到硼酸。"
)
STATION = (
    "### 固始站\n\n固始站是宁西铁路上的一座车站，位于河南省固始县段集镇，现为三等站。"
    "车站距固始县城约30公里，距西安站822公里。年发送、到达旅客分别为6.5万、8.5万人次。"
)


@pytest.mark.parametrize(
    ("text", "answered", "declined"),
    [
        (BORAX, {"硼砂可以用作什么？": "清洁剂", "硼砂酸化得到什么？": "硼酸"},
         ()),
        (STATION, {"固始站距离西安站多远？": "822公里"}, ()),
        ("The turnover in 2025 was 1,240 million euros. Please read this leaflet.", {"What is the turnover?": "1,240"},
         ("Who audits the accounts?",)),
    ],
)  # fmt: skip
async def test_what_is_asked_of_a_thing_has_to_be_there_not_only_the_thing(
    text: str, answered: dict[str, str], declined: Sequence[str]
) -> None:
    for question, held in answered.items():
        assert held in await ask(question, text), question
    for question in declined:
        assert await ask(question, text) == "", question


async def test_a_year_may_stand_in_the_header_alone() -> None:
    rows = [passage("| Plant | 2022 | 2023 |\n| --- | --- | --- |\n| Mill 1 | 12 | 13 |", 1, "mills.csv"),
            passage("| Mill 250 | 2502 | 2503 |\n| Mill 251 | 2512 | 2513 |", 2, "mills.csv", page=2)]  # fmt: skip
    found = await find(VECTORS, Asked.of("What did Mill 250 have in 2022?"), rows)
    assert found and "2022: 2502" in found[0].unit.text


async def test_headings_tell_what_their_text_is_about_and_are_not_quoted() -> None:
    answer = await ask("许国佐是哪里人？", PEOPLE)
    assert "揭阳人" in answer and "#" not in answer and not answer.startswith("许国佐")
    assert await ask("What is the notice period?", "# Notice period\n\n## Notice period") == ""
    assert await ask("What is the notice period?", "Notice period\n\nThe garden is open.") == ""


async def test_reference_numbers_of_the_source_are_not_taken_for_citations() -> None:
    answer = await ask("How many floors does the tower have?", "The tower was opened in 1931.[7] It has 102 floors.[8]")
    assert "102 floors" in answer and "[8]" not in answer and "[1]" in answer


async def test_no_passages_answer_nothing() -> None:
    assert await find(VECTORS, Asked.of("Who?"), []) == []


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

    vectors = KeptVectors(Counting())
    passages = [passage("The tower is 300 metres tall. It was built in 1889.", 1)]
    first = await find(vectors, Asked.of("How tall is the tower?"), passages)
    count = len(asked)
    again = await find(vectors, Asked.of("How tall is the tower?"), passages)
    assert [one.unit.text for one in first] == [one.unit.text for one in again] != [] and len(asked) == count


def test_the_same_sentence_of_two_passages_is_one_place_each_and_rules_are_none() -> None:
    found: list[Sentence] = quotable([passage("- One thing.\n- Two things.\n\n---\n\n> Three.", 1)])
    assert [one.unit.text for one in found] == ["One thing.", "Two things.", "Three."]


FORM = (
    "Insured name  Gabriel Diaz  Year  2022\nClaim #  SF-1008  Make  Jeep\nEstimator  Ellis Turner  Color  White\n"
    "Blood pressure  142/88 mmHg  HIGH\n"
)
ROWS = "| Index | First | Last | City |\n| --- | --- | --- | --- |\n| 1 | Roy | Berry | Isabelborough |"


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Who is the estimator?", "Estimator Ellis Turner Color White [1]"),
        ("What is the blood pressure?", "Blood pressure 142/88 mmHg HIGH [1]"),
    ],
)
async def test_a_form_answers_line_by_line(question: str, line: str) -> None:
    assert await ask(question, FORM) == line


async def test_a_form_says_nothing_of_what_is_not_in_it() -> None:
    assert await ask("What is his date of birth?", FORM) == ""


async def test_a_row_of_a_later_passage_has_the_names_of_its_columns() -> None:
    later = passage("| 4 | Linda | Olsen | Bensonview |\n| 5 | Joanna | Bender | West Priscilla |", 2, "people.csv")
    found = await find(VECTORS, Asked.of("Where does Linda Olsen live?"), [later, passage(ROWS, 1, "people.csv")])
    assert "City: Bensonview" in found[0].unit.text


def test_a_title_between_blank_lines_is_told_with_its_text_and_not_quoted() -> None:
    found = quotable([passage("Notice and renewal\n\nSix weeks are enough.", 1)])
    assert [(one.unit.text, one.unit.heading) for one in found] == [("Six weeks are enough.", "Notice and renewal")]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How much did revenue grow?", "Revenue grew by twelve percent."),
        ("Where is the vault?", "The vault is behind the painting."),
    ],
)
async def test_a_short_question_in_other_words_than_its_answer(question: str, text: str) -> None:
    assert await ask(question, text) == f"{text} [1]"


@pytest.mark.parametrize(("number", "total"), [(6, ["Total: 102 crowns"]), (9, [])])
async def test_the_first_line_of_a_form_tells_what_its_labels_are_of(number: int, total: list[str]) -> None:
    pages = [passage(f"Invoice {n}-KX\nTotal: {n * 17} crowns", n, "scan.pdf", page=n) for n in range(1, 8)]
    found = await find(VECTORS, Asked.of(f"What is the total of invoice {number}-KX?"), pages)
    assert [one.unit.text for one in found] == total


def test_a_row_ends_where_it_ends_whatever_is_open_in_it() -> None:
    rows = "| Id | Title |\n| --- | --- |\n| 1 | broken (path |\n| 2 | `python |\n| 3 | fine |"
    assert [one.unit.text for one in quotable([passage(rows, 1)])] == [
        "Id: 1; Title: broken (path", "Id: 2; Title: `python", "Id: 3; Title: fine",
    ]  # fmt: skip


def test_a_table_of_contents_is_not_quoted() -> None:
    text = "Notices . . . . . . . . vii\nAuthors..........xi\n目录……………… 3\n\nThe book is long. It has four authors."
    assert [one.unit.text for one in quotable([passage(text, 1)])] == ["The book is long.", "It has four authors."]
    assert quotable([passage("Notices . . . . . . . . vii", 1)]) == []


RULES = (
    "租赁合同\n\n第二条 乙方应妥善保管房屋设施。\n\n第三条 逾期付款的，每日按千分之三支付违约金。\n\n违约金不抵租金。"
    "\n\n第四条 押金为两个月租金。"
)
TERMS = (
    "# 2 Terms\n\n## 2.1 Price\n\nIt is 40 francs a day.\n\n## 2.2 Delivery\n\nIt takes nine weeks.\n\n"
    "3 Notice is given in ink."
)


@pytest.mark.parametrize(
    ("question", "text", "there", "gone"),
    [
        ("第三条规定了什么？", RULES, ["逾期付款的", "违约金不抵租金"], ["押金", "保管"]),
        ("合同第4条讲了什么？", RULES, ["押金为两个月租金"], ["违约金"]),
        ("What does section 2.2 say?", TERMS, ["nine weeks"], ["francs", "ink"]),
        ("What is in clause 3?", TERMS, ["given in ink"], ["nine weeks"]),
        ("What does article 2 say?", TERMS, ["40 francs"], ["ink"]),
    ],
)
async def test_a_clause_is_found_by_its_number(question: str, text: str, there: list[str], gone: list[str]) -> None:
    answer = await ask(question, text)
    assert not [words for words in there if words not in answer]
    assert not [words for words in gone if words in answer]


async def test_a_clause_that_is_not_there_is_not_made_up() -> None:
    assert await ask("第九条规定了什么？", RULES) == ""
    assert await ask("What does section 9.1 say?", TERMS) == ""
