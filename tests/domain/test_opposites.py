from __future__ import annotations

import pytest

from domain.opposites import contradicts


@pytest.mark.parametrize(
    ("question", "sentence", "against"),
    [
        ("Which company was not sold?", "The company was sold in 1999.", True),
        ("What is the abnormal force?", "The normal force is small.", True),
        ("What is the second law about?", "The first law is about inertia.", True),
        ("第二名是谁？", "第一名是周蕙。", True),
        ("What is the first law about?", "The first law is about inertia.", False),
        ("Which company was sold?", "The company was sold in 1999.", False),
        ("Which of them is not innate?", "The innate ones include phagocytes.", True),
        ("Who spoke before the vote?", "After the vote the leader spoke.", True),
        ("哪一天气温最高？", "气温最低的一天是星期三。", True),
        ("Who spoke after the vote?", "After the vote the leader spoke, and before lunch.", False),
        ("Which pets are not allowed?", "Dogs are never allowed.", False),
    ],
)
def test_a_question_that_contradicts_the_sentence(question: str, sentence: str, against: bool) -> None:
    assert contradicts(question, sentence) is against
