from __future__ import annotations

from models.chat.reader_accept import answers, said_answers


def test_short_questions_are_further_from_their_answers_than_long_ones() -> None:
    assert answers("What was the cargo?", "We left Falmouth with a cargo of slate.", 0.82)
    long = "Which merchant in the harbour of Falmouth had ordered the cargo of slate?"
    assert not answers(long, "We left Falmouth with a cargo of slate.", 0.82)


def test_what_is_missing_from_the_passage_counts_against_it() -> None:
    question, sentence = "过桥费是多少？", "大桥总投资九亿三千万元。"
    assert answers(question, sentence, 0.88) and not answers(question, sentence, 0.88, in_passage=0.3, in_sentence=0.3)
    question, sentence = "What was the profit?", "Revenue rose to 4.2 million euros."
    assert answers(question, sentence, 0.83) and not answers(question, sentence, 0.83, in_passage=0.0)


def test_another_ordinal_is_another_thing() -> None:
    assert not answers("What is the second law about?", "The first law is about inertia.", 0.95)
    assert answers("What is the first law about?", "The first law is about inertia.", 0.95)
    assert not answers("第二名是谁？", "第一名是周蕙。", 0.95)


def test_what_the_user_said_has_a_bar_of_its_own() -> None:
    assert said_answers("What is my name?", "My name is Tamsin.", 0.83)
    assert not said_answers("What is my name?", "I like tea.", 0.79)
