"""Text of a document that its readers do not see: kept apart from the page, where models read it only under its mark.

A reader puts `Hidden.place(text)` where such a text stands, and `Hidden.finish` moves it to `Page.hidden`; one that
knows the page already sets that. Comments, notes and hidden sheets, which people open, stay in the text with their
names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from readers.interface import Page

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255 each."""
WHITE: Colour = (255, 255, 255)
MOST_BASED = 20
"""Most styles that stand on each other."""
FAINT = 24
"""Most that a colour differs from what is behind it, of 255 in each of red, green and blue, for nobody to see it."""
TINY = 1.5
"""Points of a type size that nobody reads."""
LEAST_HALF_POINTS = 4
"""Word's types below two points are read by nobody."""
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


def rgb(digits: str) -> Colour | None:
    """Return the colour that six hexadecimal digits write; None where they write none.

    >>> rgb("ff8000"), rgb("auto")
    ((255, 128, 0), None)
    """
    try:
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
    except ValueError:
        return None


_Name = TypeVar("_Name")
_Style = TypeVar("_Style")


def based_on(styles: Mapping[_Name, _Style], name: _Name, parent: Callable[[_Style], _Name]) -> Iterator[_Style]:
    """Yield the style of this name and those that it is based on, nearest first; `parent` names the next one."""
    for _ in range(MOST_BASED):
        style = styles.get(name)
        if style is None:
            return
        yield style
        name = parent(style)


def is_faint(colour: Colour, paper: Colour = WHITE) -> bool:
    """Tell whether nobody sees a colour on `paper`."""
    return all(abs(one - other) <= FAINT for one, other in zip(colour, paper, strict=True))
