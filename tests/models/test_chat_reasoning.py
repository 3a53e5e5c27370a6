"""Thinking between tags, cut at every place a stream may cut it."""

from __future__ import annotations

import pytest

from models.chat.reasoning import ThinkTags, delta_reasoning


def split(pieces: list[str]) -> tuple[str, str]:
    tags = ThinkTags()
    parts = [tags.feed(piece) for piece in pieces] + [tags.rest()]
    return "".join(thinking for thinking, _ in parts), "".join(content for _, content in parts)


CASES = [
    ("<think>a < b </b> 想</think>\n\nThe answer.", ("a < b </b> 想", "The answer.")),
    ("<think></think>ok", ("", "ok")),
    ("<think>never closed </thi", ("never closed </thi", "")),
    ("no tags at all", ("", "no tags at all")),
    ("  spaced", ("", "  spaced")),
    ("<think>a</think>  ", ("a", "")),
    ("<thi", ("", "<thi")),
    ("", ("", "")),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_every_cut_gives_the_same(text: str, expected: tuple[str, str]) -> None:
    assert split([text]) == expected
    assert split(list(text)) == expected
    for cut in range(len(text)):
        assert split([text[:cut], text[cut:]]) == expected


def test_content_passes_at_once() -> None:
    tags = ThinkTags()
    assert tags.feed("H") == ("", "H")
    assert tags.feed("<") == ("", "<")


def test_delta_reasoning() -> None:
    assert delta_reasoning({"reasoning_content": "", "reasoning": "x"}) == "x"
    assert delta_reasoning({"reasoning_content": None, "content": "x"}) == ""
