from __future__ import annotations

import pytest

from models.chat.extractive.text import is_chinese, question_terms, split_sentences, stem, terms

TEXTS = [
    ('Dr. Smith met J. R. Tolkien. "It is," he said. Next one!', 3),
    ("本合同有效期为三年。“不得转租。”他说。租金于每月\n一日支付；押金另计。", 5),
    ("# Title\n\n| a | b |\n| 1 | 2 |\n\n1. First item\n2. Second item\n- third", 6),
    ("A line that goes on\nin the next one. And ends here.", 2),
    ("English first. 然后是中文。", 2),
    ("  \n\n ", 0),
]


@pytest.mark.parametrize(("text", "count"), TEXTS)
def test_sentences_are_contiguous_text_in_order(text: str, count: int) -> None:
    sentences = split_sentences(text)
    assert len(sentences) == count, [sentence.text for sentence in sentences]
    last = 0
    for sentence in sentences:
        assert sentence.start >= last
        last = sentence.end
        assert "".join(sentence.text.split()) == "".join(text[sentence.start : sentence.end].split())


def test_line_breaks_inside_a_sentence_are_closed_as_the_script_wants() -> None:
    assert split_sentences("租金于每月\n一日支付。")[0].text == "租金于每月一日支付。"
    assert split_sentences("Rent is due\nmonthly.")[0].text == "Rent is due monthly."


def test_terms_match_across_inflection_and_ignore_question_words() -> None:
    assert stem("announced") == stem("announces") == stem("announcement")
    assert stem("cities") == stem("city")
    assert question_terms("What is the name of the company?") == [stem("company")]
    assert question_terms("押金是多少？") == ["押金"]
    assert set(terms("押金为一千欧元")) >= {"押金", "一千"}


def test_language_of_a_text() -> None:
    assert is_chinese("我用 iPhone 15 Pro 拍照") and not is_chinese("The word 你好 means hello") and not is_chinese("")


def test_headings_header_rows_and_rules_are_told_apart_from_statements() -> None:
    table = "| Plan | Price |\n| --- | --- |\n| Pro | 20 euros |"
    text = f"### 许国佐\n字班王，揭阳人。\n\n{table}\n\n---\n第二章 休假\n年假十天。"
    found = [(sentence.kind, sentence.text) for sentence in split_sentences(text)]
    assert found == [
        ("heading", "许国佐"),
        ("prose", "字班王，揭阳人。"),
        ("header", "| Plan | Price |"),
        ("row", "| Pro | 20 euros |"),
        ("heading", "第二章 休假"),
        ("prose", "年假十天。"),
    ]
