"""Which of the two languages a text is in."""

from __future__ import annotations

import re

from domain.words import Language

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN = re.compile(r"[A-Za-z]+")


def language_of(text: str, default: Language = "en") -> Language:
    """Return `zh` when Chinese characters outnumber a third of the Latin words, `en` otherwise.

    A Chinese sentence that names an English product stays Chinese; an English sentence that quotes one Chinese word
    stays English. `default` is for text with neither.
    """
    han, latin = len(_HAN.findall(text)), len(_LATIN.findall(text))
    if not han and not latin:
        return default
    return "zh" if han * 3 > latin and han >= 2 or han and not latin else "en"
