"""Strips the quotes of citations from an answer while it is being written."""

from __future__ import annotations

import re

from domain.citations import CLOSE, OPEN, markers

MOST_HELD = 1500
"""Characters after which an open quote is sent as plain text."""
_MAY_BECOME_QUOTED = re.compile(
    rf"[\[【](?:\d{{0,3}}|\d{{1,3}}\s*[:：,，]?\s*|\d{{1,3}}\s*[:：,，]?\s*[{OPEN}].*)\Z", re.S
)
_ENDED = re.compile(rf"[{CLOSE}]\s*[\]】]")
_OPENING = re.compile(r"[\[【]")
_FENCE = re.compile(r" {0,3}(```|~~~)")


class QuoteStripper:
    """Turns `[2 "the words"]` into `[2]`, piece by piece; holds back only what may still become such a citation.

    Code is left alone, as `nodes.verify_citations` does.

    >>> stripper = QuoteStripper()
    >>> [stripper.add(piece) for piece in ("Nine weeks [", '1 "nine', ' weeks"]', ". See [a]")], stripper.rest()
    (['Nine weeks ', '', '', '[1]. See [a]'], '')
    """

    def __init__(self) -> None:
        self._held = ""
        self._line = ""
        self._fence = ""

    def add(self, text: str) -> str:
        """Take the next piece; return what may be shown now."""
        self._held += text
        return self._shown(final=False)

    def rest(self) -> str:
        """Return what was held back, at the end of the text."""
        return self._shown(final=True)

    def _shown(self, *, final: bool) -> str:
        shown: list[str] = []
        while self._held:
            opening = _OPENING.search(self._held)
            shown.append(self._pass(opening.start() if opening else len(self._held)))
            if not self._held:
                break
            piece = self._pass(1) if self._in_code() else self._citation(final=final)
            if piece is None:
                break
            shown.append(piece)
        return "".join(shown)

    def _citation(self, *, final: bool) -> str | None:
        """What stands for the bracket that the held text begins with; None while that cannot be told."""
        if not final and len(self._held) < MOST_HELD and self._is_open():
            return None
        marker = next(markers(self._held), None)
        if marker is None or marker.start or not marker.quote:
            return self._pass(1)
        shown = f"[{marker.number}]"
        self._pass(marker.end)
        return shown

    def _is_open(self) -> bool:
        """Whether more text may still change what the held bracket is."""
        if not _MAY_BECOME_QUOTED.match(self._held):
            return False
        ending = next((end for end in _ENDED.finditer(self._held) if self._closes(end.start())), None)
        # A round bracket behind it would make it a link.
        return ending is None or ending.end() == len(self._held)

    def _closes(self, end: int) -> bool:
        """Whether the brackets that open inside the quote are closed before `end`."""
        inside = self._held[1:end]
        return sum(map(inside.count, "[【")) <= sum(map(inside.count, "]】"))

    def _pass(self, count: int) -> str:
        """Release `count` characters, and track whether they open or close code."""
        text, self._held = self._held[:count], self._held[count:]
        *whole, rest = (self._line + text).split("\n")
        for line in whole:
            fence = _FENCE.match(line)
            if fence and self._fence in ("", fence[1]):
                self._fence = "" if self._fence else fence[1]
        self._line = rest
        return text

    def _in_code(self) -> bool:
        return bool(self._fence or _FENCE.match(self._line)) or self._line.count("`") % 2 == 1
