"""The language of a document, told by its script."""

from __future__ import annotations

import re

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
KANA = re.compile(r"[\u3040-\u30ff]")
LATIN = re.compile(r"[A-Za-z]")
HAN_WORDS = 0.25
"""A Chinese character carries about as much as four Latin letters."""


class Script:
    """Letters counted by script, page after page."""

    def __init__(self) -> None:
        self._han = self._kana = self._latin = self._all = 0

    def add(self, text: str) -> None:
        """Count the letters of `text`."""
        self._han += len(HAN.findall(text))
        self._kana += len(KANA.findall(text))
        self._latin += len(LATIN.findall(text))
        self._all += sum(map(str.isalpha, text))

    @property
    def language(self) -> str:
        """`zh` where Han outweighs Latin, `en` where letters are mostly Latin, else `other`; empty without letters.

        Other languages of Latin script count as `en`, for they are read and cut in the same way.
        """
        if not self._all:
            return ""
        if self._kana > self._han * 0.1:
            return "other"
        if self._han and self._han >= self._latin * HAN_WORDS:
            return "zh" if self._han * 2 > self._all - self._latin else "other"
        return "en" if self._latin * 2 > self._all else "other"
