from __future__ import annotations

from models.chat.extractive.accept import Evidence, answers, said_answers


def near(closeness: float, usual: float = 0.74, **shares: float) -> Evidence:
    return Evidence(closeness, usual, **shares)


def test_a_question_that_is_close_to_everything_needs_a_closer_answer() -> None:
    question, sentence = "Which cargo left the harbour of Falmouth?", "We left Falmouth with a cargo of slate."
    assert answers(question, sentence, near(0.84, 0.73))
    assert not answers(question, sentence, near(0.84, 0.78))
    assert answers("What was the cargo?", sentence, near(0.82, 0.78))


def test_what_is_missing_from_the_passage_counts_against_it() -> None:
    question, sentence = "过桥费是多少？", "大桥总投资九亿三千万元。"
    assert answers(question, sentence, near(0.88))
    assert not answers(question, sentence, near(0.88, in_passage=0.3, in_sentence=0.3))
    question, sentence = "What was the profit?", "Revenue rose to 4.2 million euros."
    assert answers(question, sentence, near(0.84))
    assert not answers(question, sentence, near(0.84, in_passage=0.0, around=0.0))


def test_another_ordinal_is_another_thing() -> None:
    assert not answers("What is the second law about?", "The first law is about inertia.", near(0.95))
    assert answers("What is the first law about?", "The first law is about inertia.", near(0.95))
    assert not answers("第二名是谁？", "第一名是周蕙。", near(0.95))


def test_what_the_user_said_has_a_bar_of_its_own() -> None:
    assert said_answers("What is my name?", "My name is Tamsin.", 0.83)
    assert not said_answers("What is my name?", "I like tea.", 0.79)


def test_all_that_is_asked_about_in_one_place_needs_less_closeness() -> None:
    question, sentence = "What does invoice 8812 come to?", "Invoice 8812 comes to 4417 crowns."
    assert answers(question, sentence, near(0.864, usual=0.777))
    assert not answers(question, sentence, near(0.864, usual=0.777, around=0.6))
    assert not answers(question, sentence, near(0.81, usual=0.777))
