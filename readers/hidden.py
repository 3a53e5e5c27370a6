"""Text of a document that its readers do not see: kept apart from the page, where models read it only under its mark.

A reader puts `Hidden.place(text)` where such a text stands, and `Hidden.finish` moves it to `Page.hidden`; one that
knows the page already sets that. Comments, notes and hidden sheets, which people open, stay in the text with their
names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from readers.interface import Page

FAINT = 24
"""Most that a colour differs from what is behind it, of 255 in each of red, green and blue, for nobody to see it."""
TINY = 1.5
"""Points of a type size that nobody reads."""
_START, _END = "\ufdd6", "\ufdd7"
_PLACE = re.compile(f"{_START}(\\d+){_END}")
_STRAY = re.compile(f"[{_START}{_END}]")


class Hidden:
    """The hidden texts of one document, in the order in which its reader finds them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: list[str] = []

    def place(self, text: str) -> str:
        """Keep a text and return its placeholder."""
        if not text.strip():
            return ""
        self._found.append(text)
        return f"{_START}{len(self._found) - 1}{_END}"

    def finish(self, page: Page) -> Page:
        """Return `page` with its hidden texts apart."""
        if not _STRAY.search(page.markdown):
            return page
        numbers = [int(number) for number in _PLACE.findall(page.markdown)]
        texts = [self._found[number] for number in numbers if number < len(self._found)]
        label, markdown = (_STRAY.sub("", _PLACE.sub("", text)) for text in (page.label, page.markdown))
        return replace(page, label=label.strip() or str(page.number), markdown=markdown, hidden=joined(texts))


def joined(texts: Iterable[str]) -> str:
    """Return hidden texts as one, each once."""
    return "\n".join(dict.fromkeys(text for one in texts if (text := " ".join(one.split()))))


def is_faint(colour: tuple[int, int, int], paper: tuple[int, int, int] = (255, 255, 255)) -> bool:
    """Tell whether nobody sees a colour on `paper`; red, green and blue are 0 to 255."""
    return all(abs(one - other) <= FAINT for one, other in zip(colour, paper, strict=True))
