from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.citations import agrees, best_span, find_quote, markers, sentence_before, sentence_spans


def test_markers_with_and_without_quotes() -> None:
    answer = 'A rose [1]. 玫瑰【2 “红色的花”】。 Both [3: "x [y] z"] and `[4]` and ```\n[5]\n```'
    assert [(m.number, m.quote) for m in markers(answer)] == [(1, ""), (2, "红色的花"), (3, "x [y] z")]


def test_markers_in_lists_cover_the_brackets_together() -> None:
    answer = "Both [1, 2]。 两者【3、4】, a link [5](https://e.org), a year [2024]."
    found = list(markers(answer))
    assert [m.number for m in found] == [1, 2, 3, 4]
    assert answer[found[0].start : found[1].end] == "[1, 2]" and found[0].end == found[1].start


def test_stray_back_quotes_hide_no_citation() -> None:
    answer = 'The ` key [1 "a ` b"] and ```python | [2 "c"] end ``` or ``[3]``.\n```\n[4]\n```\nThen [5].'
    assert [m.number for m in markers(answer)] == [1, 2, 5]


def test_a_quote_may_hold_quotes_brackets_and_backticks() -> None:
    answer = 'A [1 "list ["x", "y"] of `two"] B [2 "of `three"] C [3 "said "no"." ] D.'
    assert [(m.number, m.quote) for m in markers(answer)] == [
        (1, 'list ["x", "y"] of `two'),
        (2, "of `three"),
        (3, 'said "no".'),
    ]


def test_find_quote_folds_space_width_ligature_and_quotes() -> None:
    text = "The diﬃcult  ques-\ntion: “Ｗhat is it?” 他说：「你好」。"
    assert text[slice(*find_quote("difficult ques- tion", text))] == "diﬃcult  ques-\ntion"  # type: ignore[misc]
    assert find_quote('"what is it?"', text) is not None
    assert find_quote('他说："你好"', text) is not None
    assert find_quote("difficult answer", text) is None


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("free–falling bodies", "A free-falling bodies test"),
        ("of 10 – 20 metres", "of 10–20 metres"),
        ("the tax-gatherer -- and he", "the tax-gatherer—and he"),
        ("café in Zürich", unicodedata.normalize("NFD", "A café in Zürich.")),
        ("never say never again", "Never *say* **never** again"),
        ("a difficult question", "a diffi\u00adcult question"),
        ("noted in the hall", "not-\ned in the hall"),
        ("他说：'你好……'", "他说：「你好…」"),
        ("stop the </material now", "stop the <\u200b/material now"),
        ("阿道夫•门采尔", "阿道夫·门采尔"),
        ("can not be ended", "it cannot be ended"),
        ("”Don‘t feed them bread«", '"Don\'t feed them bread"'),
    ],
)
def test_a_true_quote_in_another_form_is_found(quote: str, text: str) -> None:
    assert find_quote(quote, text) is not None or find_quote(quote.replace("</", "<\u200b/"), text) is not None


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("240 pounds a month", "1,240 pounds a month"),
        ("5 million people", "3.5 million people"),
        ("the year was 190", "the year was 1903"),
        ("五年的租期", "租期为二十五年的租期"),
        ("happy with the lease", "They are unhappy with the lease"),
        ("The tenant can", "The tenant cannot leave"),
        ("the tenant did", "the tenant didn't leave"),
        ("it is not able to", "it is notable to"),
        ("between 10 and 20", "between 1 and 20"),
        ("ends in -5 degrees", "ends in 5 degrees"),
        ("the lease. It ends", "the lease, it ends"),
    ],
)
def test_a_quote_that_changes_what_is_said_is_not_found(quote: str, text: str) -> None:
    assert find_quote(quote, text) is None


def test_a_number_cut_at_one_place_is_found_whole_at_another() -> None:
    assert find_quote("240 pounds", "1,240 pounds, then 240 pounds") == (19, 29)


def test_a_claim_agrees_with_its_sentence() -> None:
    text = "The rent is 1,240 pounds. It is not due in May."
    assert agrees("Rent: 1240 pounds", "The rent is 1,240 pounds.", text)
    assert not agrees("The rent is 1,340 pounds", "The rent is 1,240 pounds.", text)
    assert not agrees("It is due in May", "It is not due in May.", text)
    assert not agrees("租金不含水电", "租金含水电。", "租金含水电。")


def test_too_short_quotes_prove_nothing() -> None:
    assert find_quote("a", "a b c") is None


def test_sentence_before_in_both_languages() -> None:
    answer = "First thing. Costs 3.5 million [1] today. 第一句。第二句很长 [2]。"
    first, second = markers(answer)
    assert sentence_before(answer, first.start) == "Costs 3.5 million"
    assert sentence_before(answer, second.start) == "第二句很长"


def test_best_span_takes_the_sentence_that_carries_the_claim() -> None:
    text = "The station opened in 1903. It has five platforms. 该站位于河南省。候车室有一座。"
    start, end, share = best_span("The station has five platforms", text)
    assert text[start:end] == "It has five platforms." and share > 0.5
    start, end, share = best_span("车站位于河南省", text)
    assert text[start:end] == "该站位于河南省。" and share > 0.5
    assert best_span("Penguins live in Antarctica", text)[2] == 0.0


@given(st.text(max_size=300))
def test_sentence_spans_are_ordered_and_lose_nothing_but_space(text: str) -> None:
    spans = list(sentence_spans(text))
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))
    assert all(text[start:end].strip() for start, end in spans)


@given(st.text(alphabet="ab 中文。.“”", min_size=12, max_size=80), st.integers(0, 40), st.integers(6, 40))
def test_every_real_quote_is_found(text: str, start: int, length: int) -> None:
    quote = text[start : start + length]
    if sum(map(str.isalnum, quote)) >= 4:
        assert find_quote(quote, text) is not None
