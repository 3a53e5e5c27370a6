"""Compares two readings of the text in a picture: OCR, and what a vision model quotes in its description."""

from __future__ import annotations

import re
import unicodedata

SHINGLE_CELLS = 6
"""Length of the pieces that are compared, in character cells: six Latin letters, three Chinese characters."""
LEAST_CELLS = 2
"""Shorter lines and quotes (stray letters, bullets) say nothing."""
DISAGREE_BELOW = 0.5
"""Below this share of its quotes found by OCR, the vision model is said to disagree with it."""

_QUOTED = re.compile(r"“([^”]+)”|\"([^\"\n]+)\"|「([^」]+)」|『([^』]+)』|《([^》]+)》|`([^`\n]+)`|‘([^’\n]+)’")


def agreement(ocr_text: str, description: str) -> float | None:
    """Return the share (0..1) of the OCR text that the description holds too.

    Both are put in NFKC, case-folded, and rid of everything but letters and digits. The share is that of the distinct
    shingles (pieces of `SHINGLE_CELLS`) of the OCR lines that also occur in the description; a line that is shorter is
    one piece. None when there is no OCR text, or when the description neither quotes nor holds any of it: a description
    that does not mention the text is no reading of it.
    """
    pieces = {piece for line in ocr_text.splitlines() for piece in _shingles(_normalised(line))}
    if not pieces:
        return None
    seen = _share(pieces, _normalised(description))
    return round(seen, 2) if seen > 0 or quotes(description) else None


def disagree(ocr_text: str, description: str) -> bool:
    """Tell whether the description quotes text that OCR has not found."""
    pieces = {piece for quote in quotes(description) for piece in _shingles(_normalised(quote))}
    return bool(pieces) and _share(pieces, _normalised(ocr_text)) < DISAGREE_BELOW


def quotes(description: str) -> list[str]:
    """Return what stands between quotation marks of either language."""
    return ["".join(match) for match in _QUOTED.findall(description)]


def _normalised(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def _shingles(text: str) -> set[str]:
    ends, cells = [0], [0]
    for at, char in enumerate(text, 1):
        cells.append(cells[-1] + (2 if unicodedata.east_asian_width(char) in "WF" else 1))
        ends.append(at)
    if cells[-1] < LEAST_CELLS:
        return set()
    if cells[-1] <= SHINGLE_CELLS:
        return {text}
    found, end = set(), 0
    for start in range(len(text)):
        while end < len(text) and cells[end] - cells[start] < SHINGLE_CELLS:
            end += 1
        if cells[end] - cells[start] >= SHINGLE_CELLS:
            found.add(text[start:end])
    return found


def _share(pieces: set[str], text: str) -> float:
    return sum(piece in text for piece in pieces) / len(pieces)
