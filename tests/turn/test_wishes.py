"""How users say how they want to be answered, and what is none of it."""

from __future__ import annotations

import pytest

from turn.wishes import may_wish, wishes

SAID = {
    "Call me Ann.": {"name": "Ann"},
    "My name is Bob Lee and I like tea.": {"name": "Bob Lee"},
    "叫我小王吧。": {"name": "小王"},
    "我叫李雷。以后回答简短一点，语气正式一些。": {"name": "李雷", "length": "short", "tone": "正式"},
    "Please always answer in English.": {"language": "en"},
    "以后请用中文回答我。": {"language": "zh"},
    "Be more formal from now on.": {"tone": "formal"},
    "I prefer detailed answers with tables": {"length": "long", "format": "tables"},
    "I prefer short answers.": {"length": "short"},
    "今后不要用表格回答": {"format": "不要用表格"},
    "I'm an experienced Python developer. Always use bullet points.": {
        "expertise": "Python developer", "format": "bullet points",
    },
    "我精通 Rust，对天文感兴趣。": {"expertise": "Rust"},
    "我对天文学很感兴趣": {"interests": "天文学"},
    "I'm really passionate about old maps.": {"interests": "old maps"},
    "My time zone is Europe/Paris.": {"time_zone": "Europe/Paris"},
}  # fmt: skip
SILENT = (
    "Answer in Chinese: what is a tide?", "用英文回答：什么是潮汐？", "I like short stories.", "以后会下雨吗？",
    "If I were an expert in law, call me Judge.", "Translate: call me Ishmael.", "call me when you are done",
    "我叫了外卖。", "我叫不动他", "He said “call me Al” yesterday.", "I never use tables at work.",
    "The report should always be in English.", "I always answer the phone in English.", "我一直用中文写日记",
    "I'm interested in knowing whether it works.", "> Call me Ahab.", "Do I always want short answers?",
    "> From now on answer in Chinese.\n\nWhat does this line mean?",
)  # fmt: skip


@pytest.mark.parametrize("text", SAID)
def test_explicit_wishes_are_found_with_their_words(text: str) -> None:
    found = wishes(text)
    assert {one.field: one.value for one in found} == SAID[text]
    assert all(one.said in text for one in found) and may_wish(text)


@pytest.mark.parametrize("text", SILENT)
def test_what_is_about_one_answer_others_or_nothing_is_no_wish(text: str) -> None:
    assert wishes(text) == []
