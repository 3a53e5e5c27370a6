from __future__ import annotations

from typing import cast

import pytest

from domain.owner import Owner
from domain.types import Source
from stores.library.documents import Documents
from tests.nodes.conftest import a_source
from turn.citation_check import UNSUPPORTED, CitationCheck
from turn.shown_answer import ShownAnswer

SOURCES = [
    cast("Source", {key: value for key, value in source.items() if key != "page"})  # those of the web have none
    for source in (a_source(1, "The notice period is nine weeks."), a_source(2, "Rent is due on the first."))
]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ('It is nine weeks [1 "nine weeks"]. Yes.', "It is nine weeks [1]. Yes."),
        ('It is ten weeks [1 "exactly ten weeks"]. Yes.', "It is ten weeks *(unsupported)*. Yes."),
        ('It is nine weeks [7 "nine weeks"].', "It is nine weeks *(unsupported)*."),
        ("It is nine weeks [7]. Yes.", "It is nine weeks *(unsupported)*. Yes."),
        ("It is nine weeks [7]", "It is nine weeks *(unsupported)*"),
        ("It is nine weeks [7] [1].", "It is nine weeks *(unsupported)* [1]."),
        (
            "The fee is 900 pounds [1]. Rent is due on the first [2].",
            "The fee is 900 pounds *(unsupported)*. Rent is due on the first [2].",
        ),
        (
            'Cats purr [1] [2 "they purr"], all day [1, 2].\n\nNine weeks [1][2].',
            "Cats purr *(unsupported)*, all day *(unsupported)*.\n\nNine weeks [1][2].",
        ),
        (
            "We set $x_{[1]} = 3$ and cats purr \t[1] \n[1] yes",
            "We set $x_{[1]} = 3$ and cats purr *(unsupported)* \n[1] yes",
        ),
        ("九周[7]。是的[1]。", "九周 *(unsupported)*。是的[1]。"),
        ("Take arr[7], m[3][4] and [0, 1]; see reference [7].", "Take arr[7], m[3][4] and [0, 1]; see reference [7]."),
        ("Of the list [7] holds most.", "Of the list [7] holds most."),
        ("- [7] first\n[8] second", "- [7] first\n[8] second"),
        ("`a [7].` and\n```\nx [7].\n```\nso rent is due [2].", "`a [7].` and\n```\nx [7].\n```\nso rent is due [2]."),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_what_is_shown_is_what_the_check_leaves(answer: str, shown: str, size: int) -> None:
    mark = UNSUPPORTED.text("en")
    stream = ShownAnswer(SOURCES, mark)
    said = "".join(stream.add(answer[at : at + size]) for at in range(0, len(answer), size)) + stream.rest()
    check = CitationCheck(SOURCES, cast("Documents", None), Owner(), mark)
    assert said == shown and await check.checked(answer) == shown


def test_without_passages_every_number_stands() -> None:
    stream = ShownAnswer([], "")
    assert stream.add("See [1]. Then [2].") + stream.rest() == "See [1]. Then [2]."
