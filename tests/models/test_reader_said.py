from __future__ import annotations

import pytest

from models.chat.extractive.said import acknowledges, recalled, statements


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Hello", []),
        ("Good morning! My name is Ottilie and I live in Graz.", ["My name is Ottilie and I live in Graz."]),
        ("Please look at this label.", []),
        ("Can you summarise the report for me", []),
        ("Who wrote it?", []),
        ("Remember that the code is 4711.", ["Remember that the code is 4711."]),
        ("你好，我叫沈若溪，住在泉州。", ["你好，我叫沈若溪，住在泉州。"]),
        ("你好", []),
        ("请帮我总结一下这份文档", []),
        ("我叫什么名字", []),
        ("请记住，会议在周五。", ["请记住，会议在周五。"]),
    ],
)
def test_only_what_the_user_states_is_kept(said: str, kept: list[str]) -> None:
    assert statements([said]) == kept


def test_the_newest_statement_comes_first() -> None:
    assert statements(["I live in Oslo.", "I live in Bergen."])[0] == "I live in Bergen."


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("What was my first question?", "When is it?"),
        ("我的第一个问题是什么？", "When is it?"),
        ("What did I just say?", "I like tea."),
        ("我刚才说了什么？", "I like tea."),
        ("What is my first name?", ""),
    ],
)
def test_messages_asked_for_by_their_place(question: str, message: str) -> None:
    assert recalled(question, ["When is it?", "I like tea."]) == message


def test_acknowledgements_are_no_questions() -> None:
    assert acknowledges("hm, ok") and acknowledges("好的，明白了")
    assert not acknowledges("ok, when is it?") and not acknowledges("好的，什么时候？")
