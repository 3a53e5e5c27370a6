from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from turn.follow_up import depends, leans_on


@pytest.mark.parametrize(
    "question",
    ["And in which room?", "How much is it?", "What about parking?", "Why?", "By when?", "Who wrote it?",
     "在哪个房间？", "那婚假呢？", "是谁设计的？", "为什么？", "它有多长？"],
)  # fmt: skip
def test_questions_that_lean_on_the_one_before(question: str) -> None:
    assert depends(question)


@pytest.mark.parametrize(
    "question",
    ["What is the deposit?", "Who is the mayor of Paris?", "Is there a swimming pool?", "What is my name?",
     "谁负责检修？", "稿酬标准是多少？", "大桥有多长？", "我叫什么名字？"],
)  # fmt: skip
def test_questions_that_stand_by_themselves(question: str) -> None:
    assert not depends(question)


def test_earlier_questions_are_taken_along_as_far_as_they_lean_on_each_other() -> None:
    asked = ("Who are you?", "When is the meeting?", "And in which room?")
    said = [message for text in asked for message in (HumanMessage(text), AIMessage("..."))]
    assert leans_on(said, "And who leads it?") == "When is the meeting? And in which room?"
    assert leans_on(said, "What is the deposit?") == ""
    assert leans_on([], "And why?") == ""
