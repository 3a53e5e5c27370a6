from __future__ import annotations

import pytest

from domain.citations import MOST_HELD, QuoteStripper


def show(text: str, size: int) -> tuple[str, list[str]]:
    shown = QuoteStripper()
    pieces = [shown.add(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join(pieces) + shown.rest(), pieces


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('Nine weeks [2 "nine weeks"]. Then [3].', "Nine weeks [2]. Then [3]."),
        ("租金 1,240 元【1 “租金为 1,240 元”】，见[2：「第三条」]。", "租金 1,240 元[1]，见[2]。"),
        ('Lists [1, 2] and [4; 5] stay, so does [note] and [12 monkeys].', None),
        ('A quote with brackets [1 "a list ["x", "y"] of two"] ends late.', "A quote with brackets [1] ends late."),
        ('A link [1 "x"](https://a.b) is none.', None),
        ('Inline `[1, "a"]` and\n```json\n[1, "a"]\n```\nbut [1, "a b c"] here.',
         'Inline `[1, "a"]` and\n```json\n[1, "a"]\n```\nbut [1] here.'),
        ('Never closed [1 "and so on', None),
        ('Two [1 "one two"][2 "three"] at once', "Two [1][2] at once"),
        ("[", None),
        ('End [7 "words"]', "End [7]"),
    ],
)  # fmt: skip
def test_only_quotes_go(written: str, shown: str | None, size: int) -> None:
    assert show(written, size)[0] == (shown if shown is not None else written)


def test_nothing_else_is_held_back() -> None:
    text = "Plain text, a [link](https://a.b), a list [1, 2], a number [3] and more."
    shown = QuoteStripper()
    held = [len(text[: at + 1]) - len("".join(seen)) for at, seen in enumerate(_seen(shown, text))]
    assert max(held) <= 6


def _seen(shown: QuoteStripper, text: str) -> list[list[str]]:
    seen: list[list[str]] = []
    so_far: list[str] = []
    for character in text:
        so_far = [*so_far, shown.add(character)]
        seen.append(so_far)
    return seen


def test_an_open_quote_does_not_hold_the_answer_for_ever() -> None:
    shown = QuoteStripper()
    assert shown.add('[1 "') == ""
    assert len(shown.add("word " * MOST_HELD)) > MOST_HELD
