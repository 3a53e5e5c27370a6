from __future__ import annotations

from domain.labels import OF_USER
from turn.wording import Wording, addresses, is_date, is_number


def said(text: str) -> Wording:
    return Wording("user", "", text, OF_USER)


def test_names_are_written_with_a_capital_within_a_sentence() -> None:
    text = said("Salary of Mei Lin. The Salary is high; Ask for www.Dora.example/Eve and a raise. Raise it")
    assert {"mei", "lin"} <= text.names and not {"salari", "ask", "dora", "eve", "rais"} - {"salari"} & text.names
    assert text.names_thing("Mei Lin") and not text.names_thing("Ask")
    assert said("post it to the 'random' channel").names_thing("random")
    assert said("发到《公告》频道").names_thing("公告")
    assert not said("a random thought").names_thing("random")


def test_a_number_is_named_by_the_word_before_it() -> None:
    text = said("Delete file 13 and mail ID '7' on June 25")
    assert text.names_number("13", ["file", "id"]) and text.names_number("7", ["file", "id"])
    assert not text.names_number("25", ["file", "id"]) and not text.names_number("1", ["file", "id"])


def test_dates_and_years_are_no_numbers_that_were_copied() -> None:
    assert is_date("2024-05-19 10:00") and is_date("2025-01-11") and not is_date("2025-01-11 A-7")
    assert is_number("482") and not is_number("2024") and not is_number("7") and not is_number("abc")


def test_a_text_made_to_be_slow_is_searched_once() -> None:
    """From each of its characters anew it took minutes, on the event loop of everybody."""
    assert addresses("a" * 400_000 + " to bob@example.org") == ["bob@example.org"]
