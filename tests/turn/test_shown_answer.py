from __future__ import annotations

import pytest

from tests.nodes.conftest import a_source
from turn.citation_check import ShownAnswer

SOURCES = [a_source(1, "The notice period is nine weeks."), a_source(2, "Rent is due on the first.")]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ('It is nine weeks [1 "nine weeks"]. Yes.', "It is nine weeks [1]. Yes."),
        ('It is ten weeks [1 "exactly ten weeks"]. Yes.', "It is ten weeks . Yes."),
        ('It is nine weeks [7 "nine weeks"].', "It is nine weeks ."),
        ("It is nine weeks [7]. Yes.", "It is nine weeks . Yes."),
        ("It is nine weeks [7]", "It is nine weeks "),
        ("It is nine weeks [7] [1].", "It is nine weeks [1]."),
        ("九周[7]。是的[1]。", "九周。是的[1]。"),
        ("Take arr[7], m[3][4] and [0, 1]; see reference [7].", "Take arr[7], m[3][4] and [0, 1]; see reference [7]."),
        ("Of the list [7] holds most.", "Of the list [7] holds most."),
        ("- [7] first\n[8] second", "- [7] first\n[8] second"),
        ("`a [7].` and\n```\nx [7].\n```\nso [2].", "`a [7].` and\n```\nx [7].\n```\nso [2]."),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_no_passage_bears_out_is_held_back(answer: str, shown: str, size: int) -> None:
    stream = ShownAnswer(SOURCES)
    said = "".join(stream.add(answer[at : at + size]) for at in range(0, len(answer), size)) + stream.rest()
    assert said == shown


def test_without_passages_every_number_stands() -> None:
    stream = ShownAnswer([])
    assert stream.add("See [1]. Then [2].") + stream.rest() == "See [1]. Then [2]."
