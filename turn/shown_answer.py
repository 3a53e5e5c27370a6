"""An answer as it is shown while it is being written, before the whole of it is checked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domain.citations import Marker, QuoteStripper
from domain.types import Citation, Source
from turn.citation_check import by_number, cited_by_numbers, cited_by_quote

_OPEN_MATHS = re.compile(r"(?:\$\$|\\\[|\\\(|(?<![\\$\w])\$(?![\s\d]))[^$\n]*\Z")
_LOOKED_BACK = 2000
"""Characters of what was said that are looked at."""


class ShownAnswer(QuoteStripper):
    """`[2 "the words"]` as `[2]` where passages bear it out, else the mark that the check will put there.

    A number of no passage waits for the text behind it, as `CitationCheck` looks at that; blanks wait, for a mark takes
    their place. What only the rest of a page bears out, the check alone can tell: it is marked here, and not there.
    """

    def __init__(self, sources: Sequence[Source], unsupported: str) -> None:
        """Start at the beginning of an answer.

        Args:
            sources: The passages that it may cite.
            unsupported: The mark.
        """
        super().__init__()
        self._sources, self._mark = by_number(sources), unsupported
        self._said, self._tail = "", ""
        self._blanks, self._marked = "", False
        self._doubted: Marker | None = None
        self._after = ""
        self._left = -1

    def rest(self) -> str:
        """Return what was held back, at the end of the answer."""
        shown = super().rest() + self._settled("")
        blanks, self._blanks = self._blanks, ""
        return shown + blanks

    def _shown(self, piece: str | Marker) -> str:
        if isinstance(piece, Marker):
            return self._settled("[") + self._cited(piece)
        if self._doubted is not None and not piece.strip() and "\n" not in piece:
            self._after += piece
            return ""
        shown = self._settled(piece)
        self._said = (self._said + piece)[-_LOOKED_BACK:]
        return shown + self._emit(piece)

    def _cited(self, marker: Marker) -> str:
        if marker.quote:
            return self._replaced(marker, [cited_by_quote(marker, self._sources, self._said)])
        if _OPEN_MATHS.search(self._said) or marker.start == self._left:
            return self._replaced(marker, None)
        if len(marker.numbers) == 1 and self._sources and marker.numbers[0] not in self._sources:
            self._doubted = marker
            return ""
        return self._decided(marker, "")

    def _settled(self, behind: str) -> str:
        """Return what becomes of a number of no passage, now that what is behind it is known."""
        marker, after = self._doubted, self._after
        self._doubted, self._after = None, ""
        if marker is None:
            return ""
        shown = self._decided(marker, after + behind)
        self._said += after
        return shown + self._emit(after)

    def _decided(self, marker: Marker, behind: str) -> str:
        before = self._tail + self._blanks
        return self._replaced(marker, cited_by_numbers(marker, self._sources, self._said, before, behind))

    def _replaced(self, marker: Marker, found: Sequence[Citation | None] | None) -> str:
        if found is None:
            self._left = marker.end
            self._said += marker.text
            return self._emit(marker.text)
        return "".join(self._emit(f"[{made['number']}]") if made else self._emit_mark() for made in found)

    def _emit(self, text: str) -> str:
        """Return blanks that waited and the text, without the blanks at its end, which wait."""
        whole = self._blanks + text
        shown = whole.rstrip(" \t")
        self._blanks = whole[len(shown) :]
        if shown:
            self._marked = False
            self._tail = (self._tail + shown)[-_LOOKED_BACK:]
        return shown

    def _emit_mark(self) -> str:
        """Return the mark in the place of the blanks before it; one is enough for citations side by side."""
        self._blanks = ""
        if self._marked:
            return ""
        self._marked = True
        self._tail = (self._tail + self._mark)[-_LOOKED_BACK:]
        return self._mark
