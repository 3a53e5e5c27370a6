from __future__ import annotations

from domain.tokens import count_tokens
from models.chat.extractive.summary import summarize_conversation, summarize_document

FILLER = [
    "A gull sat on the railing all morning.",
    "Somebody had left a red umbrella behind.",
    "Lunch was served late because the cook overslept.",
    "Two tourists asked for directions to the museum.",
    "Light rain fell until the early evening hours.",
]
MAIN = [
    "This report describes the harbour bridge project and its costs.",
    "The harbour bridge project costs 40 million euros, most of it for steel.",
    "Steel for the harbour bridge project comes from two suppliers and its costs rose.",
]


def test_summary_is_verbatim_in_order_and_in_budget() -> None:
    text = "\n\n".join([MAIN[0], *FILLER[:3], MAIN[1], *FILLER[3:], MAIN[2]])
    summary = summarize_document(text, 45)
    assert count_tokens(summary) <= 45
    found = [text.find(sentence) for sentence in MAIN if sentence in summary]
    assert MAIN[0] in summary and len(found) >= 2 and found == sorted(found)


def test_summary_of_chinese_text_has_no_spaces_between_sentences() -> None:
    text = (
        "本报告介绍港口大桥项目及其成本。港口大桥项目耗资四千万欧元，主要用于钢材。钢材来自两家供应商，成本有所上升。"
    )
    summary = summarize_document(text, 400)
    assert "四千万欧元" in summary and "。 " not in summary


def test_summary_leaves_out_repetition_headings_and_tables() -> None:
    text = f"# Harbour\n\n{MAIN[1]} {MAIN[1]}\n\n| steel | 40 |\n| --- | --- |\n"
    assert summarize_document(text, 400) == MAIN[1]


def test_summary_of_text_without_sentences_is_its_beginning() -> None:
    assert summarize_document("a b c", 400) == "a b c"
    assert summarize_document("", 400) == ""
    assert count_tokens(summarize_document("x1 " * 2000, 50)) <= 60


def test_a_book_is_summarised_in_a_few_seconds() -> None:
    assert summarize_document(" ".join(f"{sentence} {n}." for n in range(2000) for sentence in FILLER), 200)


def test_conversation_keeps_names_numbers_and_questions_and_the_earlier_summary() -> None:
    chatter = [
        f"User: ok\nAssistant: Sure, here is a long explanation of nothing in particular, part {n}." for n in "abcdefgh"
    ]
    text = "\n".join(
        [
            "User: 我叫小林，预算是五百元。\n",
            "User: My name is Lin and my budget is 500 euros.",
            *chatter,
            "User: When do we decide?",
        ]
    )
    summary = summarize_conversation(text, 60)
    assert count_tokens(summary) <= 60
    assert "小林" in summary and "500 euros" in summary and "When do we decide?" in summary
    assert "User: ok" not in summary
