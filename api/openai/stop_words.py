"""Ends a stream of text before the first of some stop sequences."""

from __future__ import annotations

from collections.abc import Sequence


class StopWords:
    """Holds back as much text as could be the beginning of a stop sequence.

    >>> words = StopWords(["END"])
    >>> words.add("one E"), words.add("ND two"), words.stopped
    ('one ', '', True)
    """

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = [sequence for sequence in sequences if sequence]
        self._held = ""
        self.stopped = False

    def add(self, text: str) -> str:
        """Take the next piece; return what may be shown now."""
        if self.stopped:
            return ""
        self._held += text
        found = [place for sequence in self._sequences if (place := self._held.find(sequence)) >= 0]
        if found:
            self.stopped = True
            shown, self._held = self._held[: min(found)], ""
            return shown
        keep = max((self._overlap(sequence) for sequence in self._sequences), default=0)
        cut = len(self._held) - keep
        shown, self._held = self._held[:cut], self._held[cut:]
        return shown

    def rest(self) -> str:
        """Return what was held back, at the end of the text."""
        shown, self._held = self._held, ""
        return shown

    def _overlap(self, sequence: str) -> int:
        return next((n for n in range(len(sequence) - 1, 0, -1) if self._held.endswith(sequence[:n])), 0)
