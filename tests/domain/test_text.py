"""Sentences of both languages, and the terms by which texts are compared."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.text import sentence_end, sentence_spans, sentences, terms

SENTENCES = [
    'Dr. Smith met J. R. Tolkien.¦ "It is," he said.¦ Next one!',
    "本合同有效期为三年。¦“不得转租。”¦他说。",
    "租期三年；¦押金另计。",
    "# Title\n\n¦| a | b |\n¦| 1 | 2 |\n\n¦1. First item\n¦2. Second item\n¦- third",
    "第二章 休假\n¦年假十天。",
    "A line that goes on\nin the next one.¦ And ends here.",
    "Any dispute shall be referred by the parties to\nMr. Hall, whose decision is final.",
    "房东与上述租客之间因本合同发生的一切争议应当首先\n协商解决；¦协商不成的，提交仲裁。",
    "Name: Roy Berry\n¦City: Isabelborough\n¦甲方：张三\n¦乙方：李四",
    "Claim #  999  Make  Batman  Policy #  77\n¦Phone  (416) 555-1234  Trim  Limited",
    "English first.¦ 然后是中文。¦Then English again.",
    "Is it?¦ No.¦ It is No. 5 of 3.5 million.",
    "See Fig. 3 on pp. 4-5 of Vol. 2.¦ It opened in Jan. 1903.",
    "U.S. readers e.g. lawyers, too.¦ Version 3.11.2 is out.",
    "他……走了。¦“我……”她说。",
    "He paused... and went on.¦ Then he left...¦ The end.",
    'It holds [1 "He left. She came."] today. [2]¦ Next (see Annex A. It is long) here.',
    "Run `a. B` first.¦ **Bold one.**¦ Then stop.",
    "第3.2条规定如下。¦价格为1.5倍。",
    "真的吗？！¦好吧！",
    "A smile :( is here. And here. " + "x" * 400 + ".¦ End.",
    "  \n\n ",
]
"""`¦` is where a sentence ends."""
PIECES = st.sampled_from(
    [
        *"ab 中文。.“”\"'’)(（[】]！？!?；;,，…\n`*|#-:：",
        "1.5",
        "1,240",
        "3．",
        "Dr.",
        "No. ",
        "\n\n",
        "1. ",
        "\n- ",
        "e.g.",
    ]
)


@pytest.mark.parametrize("marked", SENTENCES)
def test_sentences(marked: str) -> None:
    assert sentences(marked.replace("¦", "")) == [part.strip() for part in marked.split("¦") if part.strip()]


@given(st.lists(PIECES, max_size=80).map("".join))
def test_only_white_space_lies_between_sentences(text: str) -> None:
    spans = list(sentence_spans(text))
    at, joined = 0, ""
    for start, end in spans:
        assert at <= start < end and not text[at:start].strip()
        joined += text[at:end]
        at = end
    assert not text[at:].strip() and joined + text[at:] == text
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_no_number_is_cut(text: str) -> None:
    ends = {end for _, end in sentence_spans(text)}
    for number in re.finditer(r"\d+(?:[.,]\d+)+", text):
        assert not any(number.start() < end < number.end() for end in ends), (text, number)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_an_end_that_is_told_early_is_an_end_of_the_whole(text: str) -> None:
    for length in range(len(text)):
        early = sentence_end(text[:length], final=False)
        if early is not None and early < length:
            assert early == sentence_end(text), text[:length]
            return


@pytest.mark.parametrize(
    "piece", ["A. ", "\n", " \n", "1. ", "(", "“", "a:\n", "Mr. A", "```\n", "。", "x", "The 3.5 kg. "]
)
def test_time_is_linear_in_the_length(piece: str) -> None:
    def seconds(count: int) -> float:
        text = piece * count
        started = time.process_time()
        sentences(text)
        return time.process_time() - started

    assert seconds(40_000) < 40 * max(seconds(4_000), 0.005)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The runner was running", ["runner", "run"]),
        ("Ｈｅｌｌｏ，ＷＯＲＬＤ", ["hello", "world"]),
        ("用Python读PDF", ["用", "python", "读", "pdf"]),
        ("数据库", ["数", "据", "库", "数据", "据库"]),
        ("ﬁnal 3.5kg", ["final", "3", "5kg"]),
        ("policies of businesses", ["polici", "busi"]),
        ("", []),
    ],
)
def test_terms(text: str, found: list[str]) -> None:
    assert terms(text) == found
