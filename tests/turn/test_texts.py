from __future__ import annotations

from string import Formatter

import pytest

from domain.words import Words
from turn import texts

WORDS = {name: value for name, value in vars(texts).items() if isinstance(value, Words)}


@pytest.mark.parametrize("name", WORDS)
def test_both_languages_say_the_same_things(name: str) -> None:
    en, zh = ({field for _, field, _, _ in Formatter().parse(text) if field is not None} for text in WORDS[name])
    assert en == zh
    assert WORDS[name].en.isascii() and not WORDS[name].zh.isascii()
