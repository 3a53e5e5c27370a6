from __future__ import annotations

import time

import pytest

from domain.asking import asked_apart, carried, content


@pytest.mark.parametrize(
    ("before", "question", "kept"),
    [
        ("What's the grand total for Gabriel Diaz?", "And for Bruce Wayne?", "grand total"),
        ("What does the mortice lock cost?", "And the padlock?", "mortice lock cost"),
        ("How many goals did Newton score? What about Manning?", "How old is he?", "Manning"),
        ("Who designed Kestrel Bridge?", "How long is it?", "Kestrel Bridge"),
        ("Who has the keys?", "在哪个房间？", "keys"),
        ("Why is the paint booth closed?", "How much does that cost?", "paint booth closed"),
        ("云栖塔是谁主持修建的？", "它有多高？", "云栖塔"),
        ("2020年的净利润是多少？", "2019年呢？", "净利润"),
        ("什么时候停水？", "为什么？", "停水"),
        ("铁观音多少钱？", "那大红袍呢？", "铁观音 钱"),
    ],
)
def test_a_follow_up_keeps_the_subject_and_renews_names_and_numbers(before: str, question: str, kept: str) -> None:
    assert carried(before, question) == kept


def test_words_that_ask_are_no_content() -> None:
    assert content("Quote what the file says about pets.") == ["pet"]
    assert content("哪个文件提到了租约？") == ["租", "约", "租约"]


@pytest.mark.parametrize(
    ("question", "follows", "things"),
    [
        ("Which shop sold more bicycles, Northgate or Southgate?", "", ["Northgate", "Southgate"]),
        ("Compare the lengths of Vela and Orca.", "", ["Vela", "Orca"]),
        ("What is the difference between a row permission and a column mask?", "", ["row permission", "column mask"]),
        ("Compare how many goals the two of them made.", "How many did Ann make? And Bob?", ["Ann", "Bob"]),
        ("芸香和凤冠雉的原产地有什么不同？", "", ["芸香", "凤冠雉"]),
        ("迅达和通力哪家更便宜？", "", ["迅达", "通力"]),
        ("When is rent due and how much is the deposit?", "", ["When is rent due", "how much is the deposit?"]),
        ("What do Ann and Bob sell?", "", ["What do Ann and Bob sell?"]),
        ("Is the water clean and cold?", "", ["Is the water clean and cold?"]),
        ("押金和租金是多少？", "", ["押金和租金是多少？"]),
    ],
)
def test_questions_and_things_to_compare_are_looked_for_one_by_one(
    question: str, follows: str, things: list[str]
) -> None:
    assert [thing for thing, _ in asked_apart(question, follows)] == things


@pytest.mark.parametrize("piece", ["between ", "both x ", "A, ", "比较甲和", "compare a-b ", "why? "])
def test_a_long_message_is_looked_for_whole_and_soon(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    started = time.process_time()
    assert asked_apart(text, "Who?") == [(text, "Who?")]
    assert time.process_time() - started < 1
