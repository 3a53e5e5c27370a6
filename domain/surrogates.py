"""Text that every encoder takes: pairs of surrogates joined, lone ones replaced."""

from __future__ import annotations

from typing import TypeVar, cast

_Value = TypeVar("_Value")


def whole_text(text: str) -> str:
    r"""Return `text` with pairs of surrogates as the character that they mean, and U+FFFD for each lone one.

    >>> whole_text("\ud83d\ude00 \ud83d")
    '😀 �'
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def cleaned(value: _Value) -> _Value:
    """Return JSON-like data in which every text is whole.

    Raises:
        RecursionError: It is nested too deeply.
    """
    changed: object = value
    if isinstance(value, str):
        changed = whole_text(value)
    elif isinstance(value, dict):
        changed = {cleaned(key): cleaned(item) for key, item in value.items()}
    elif isinstance(value, list):
        changed = [cleaned(item) for item in value]
    return cast("_Value", changed)


class SurrogateJoiner:
    r"""Joins the halves of a character that a stream cuts in two.

    >>> joiner = SurrogateJoiner()
    >>> joiner.feed("nice \ud83d"), joiner.feed("\ude00 day"), joiner.rest()
    ('nice ', '😀 day', '')
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Return the text that is certain; half a character at its end waits for the other half."""
        if not text or (not self._held and text.isascii()):
            return text
        text = self._held + text
        cut = len(text) - (0xD800 <= ord(text[-1]) < 0xDC00)
        self._held = text[cut:]
        return whole_text(text[:cut])

    def rest(self) -> str:
        """Return what still waits when the stream ends: U+FFFD, or nothing."""
        held, self._held = self._held, ""
        return whole_text(held)
