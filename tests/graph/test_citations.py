from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from graph.citations import best_span, find_quote, markers, sentence_before, sentence_spans


def test_markers_with_and_without_quotes() -> None:
    answer = 'A rose [1]. 玫瑰【2 “红色的花”】。 Both [3: "x [y] z"] and `[4]` and ```\n[5]\n```'
    assert [(m["number"], m["quote"]) for m in markers(answer)] == [("1", None), ("2", "红色的花"), ("3", "x [y] z")]


def test_find_quote_folds_space_width_ligature_and_quotes() -> None:
    text = "The diﬃcult  ques-\ntion: “Ｗhat is it?” 他说：「你好」。"
    assert text[slice(*find_quote("difficult ques- tion", text))] == "diﬃcult  ques-\ntion"  # type: ignore[misc]
    assert find_quote('"what is it?"', text) is not None
    assert find_quote('他说："你好"', text) is not None
    assert find_quote("difficult answer", text) is None


def test_too_short_quotes_prove_nothing() -> None:
    assert find_quote("a", "a b c") is None


def test_sentence_before_in_both_languages() -> None:
    answer = "First thing. Costs 3.5 million [1] today. 第一句。第二句很长 [2]。"
    first, second = markers(answer)
    assert sentence_before(answer, first.start()) == "Costs 3.5 million"
    assert sentence_before(answer, second.start()) == "第二句很长"


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
    if len("".join(quote.split()).strip(".,;:。，；：")) >= 4:
        assert find_quote(quote, text) is not None
