from __future__ import annotations

import pytest

from models.chat.extractive.calls import asks_overview
from models.chat.extractive.questions import split_questions, topic_of


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("What does the document say about parking fees?", "parking fees"),
        ("Does the lease mention dogs?", "dogs"),
        ("Is there anything about refunds?", "refunds"),
        ("关于违约金，合同里是怎么规定的？", "违约金"),
        ("文档里提到宠物了吗？", "宠物"),
        ("合同对转租有什么规定？", "转租"),
        ("What is the deposit?", ""),
        ("What does it say?", ""),
        ("这份文件讲了什么？", ""),
    ],
)
def test_topics(question: str, topic: str) -> None:
    assert topic_of(question) == topic


@pytest.mark.parametrize(
    ("question", "overview"),
    [
        ("Summarise it", True),
        ("Summarise the Zephyr report", True),
        ("What does it say?", True),
        ("What is in the files I sent?", True),
        ("give me the main points in three sentences", True),
        ("总结这份文档", True),
        ("这份文件讲了什么？", True),
        ("帮我看看这份手册", True),
        ("What does the document say about parking?", False),
        ("What is my name?", False),
        ("What is the deposit?", False),
        ("第三章讲了什么？", False),
        ("什么时候付？", False),
        ("译者是谁？", False),
    ],
)
def test_questions_about_a_file_as_a_whole(question: str, overview: bool) -> None:
    assert asks_overview(question) is overview


def test_several_questions_in_one_message() -> None:
    assert split_questions("What time is it and how much is the deposit?") == [
        "What time is it",
        "how much is the deposit?",
    ]
    assert split_questions("押金多少？租期多长？") == ["押金多少？", "租期多长？"]
