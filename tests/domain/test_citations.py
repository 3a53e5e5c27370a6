from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.citations import CitationScanner, Marker, QuoteStripper, scan, without_citations
from domain.quotes import agrees, best_span, find_quote, last_claim

PIECES = st.sampled_from(
    ["[", "1", "2", ' "', '"', "]", "【", "】", "a b", "`", "``", "```", "\n", "(", ",", " ", "“", "”", "word", "：",
     '[1 "a b"]', "[2]", "[1, 3]", "```\n", "~~~"]
)  # fmt: skip


def markers(text: str) -> list[Marker]:
    return [piece for piece in scan(text) if isinstance(piece, Marker)]


def test_markers_with_and_without_quotes() -> None:
    answer = 'A rose [1]. 玫瑰【2 “红色的花”】。 Both [3: "x [y] z"] and `[4]` and ```\n[5]\n```'
    assert [(m.numbers, m.quote) for m in markers(answer)] == [((1,), ""), ((2,), "红色的花"), ((3,), "x [y] z")]


def test_markers_in_lists_cover_the_brackets_together() -> None:
    answer = "Both [1, 2]。 两者【3、4】, a link [5](https://e.org), a year [2024]."
    assert [(m.numbers, m.text) for m in markers(answer)] == [((1, 2), "[1, 2]"), ((3, 4), "【3、4】")]
    assert all(answer[m.start : m.end] == m.text for m in markers(answer))


def test_stray_back_quotes_hide_no_citation() -> None:
    answer = 'The ` key [1 "a ` b"] and ```python | [2 "c"] end ``` or ``[3]``.\n```\n[4]\n```\nThen [5].'
    assert [m.numbers for m in markers(answer)] == [(1,), (2,), (5,)]


def test_a_quote_may_hold_quotes_brackets_and_backticks() -> None:
    answer = 'A [1 "list ["x", "y"] of `two"] B [2 "of `three"] C [3 "said "no"." ] D.'
    assert [(m.numbers[0], m.quote) for m in markers(answer)] == [
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


def test_the_last_claim_in_both_languages() -> None:
    assert last_claim("First thing. Costs 3.5 million") == "Costs 3.5 million"
    assert last_claim("第一句。第二句很长") == "第二句很长" and last_claim("It costs 9.\n\n***") == "It costs 9."


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("Rent is due monthly, in advance", "1. Rent is due\n2. monthly, in\n3. advance"),
        ("milk eggs and bread", "- milk\n- eggs\n* and bread"),
        ("应当首先协商解决", "1、应当首\n  2、先协商\n解决"),
        ("Any dispute shall be referred to an expert", "Any dispute shall\nbe referred to\nan expert"),
    ],
)
def test_a_quote_over_lines_and_list_items_is_found(quote: str, text: str) -> None:
    assert find_quote(quote, text) == (text.index(quote[0]), len(text))


def test_best_span_takes_the_sentence_that_carries_the_claim() -> None:
    text = "The station opened in 1903. It has five platforms. 该站位于河南省。候车室有一座。"
    start, end, share = best_span("The station has five platforms", text)
    assert text[start:end] == "It has five platforms." and share > 0.5
    start, end, share = best_span("车站位于河南省", text)
    assert text[start:end] == "该站位于河南省。" and share > 0.5
    assert best_span("Penguins live in Antarctica", text)[2] == 0.0


@given(st.lists(PIECES, max_size=40).map("".join), st.integers(1, 7))
def test_how_a_text_arrives_does_not_matter(text: str, size: int) -> None:
    stripper, scanner = QuoteStripper(), CitationScanner()
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    whole = QuoteStripper()
    assert "".join(map(stripper.add, parts)) + stripper.rest() == whole.add(text) + whole.rest()
    pieces = [piece for part in parts for piece in scanner.feed(part)] + list(scanner.feed("", final=True))
    assert [piece for piece in pieces if isinstance(piece, Marker)] == markers(text)
    assert "".join(piece if isinstance(piece, str) else piece.text for piece in scan(text)) == text


def test_what_is_read_aloud_has_no_citations() -> None:
    assert (
        without_citations('Nine weeks [1 "nine weeks"], or ten [2, 3]. `a[0]` 五年【4】。')
        == "Nine weeks, or ten. `a[0]` 五年。"
    )


@pytest.mark.parametrize("piece", ['[1 "', "[", "[1, ", "[1]", "`[1", '[1 "]'])
def test_time_is_linear_in_the_length(piece: str) -> None:
    def seconds(count: int) -> float:
        started = time.process_time()
        for _ in scan(piece * count):
            pass
        return time.process_time() - started

    assert seconds(10_000) < 40 * max(seconds(1_000), 0.01)


@given(st.text(alphabet="ab 中文。.“”", min_size=12, max_size=80), st.integers(0, 40), st.integers(6, 40))
def test_every_real_quote_is_found(text: str, start: int, length: int) -> None:
    quote = text[start : start + length]
    if sum(map(str.isalnum, quote)) >= 4:
        assert find_quote(quote, text) is not None
