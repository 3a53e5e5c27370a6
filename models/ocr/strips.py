"""Cuts very long pictures (scrolling screenshots, banners) into strips that the text detector sees at full size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

DETECTOR_SIDE = 1920
"""Longest side the detector is given; anything longer is scaled down (at 1920 a page reads as well as at 4000)."""
LONG = 2.5
"""Pictures with sides in a ratio above this are cut when they are also longer than the detector's side."""
LEAST_STRIP = 0.6
"""A cut is sought in the last 40 % of each strip, so that no strip is much shorter than the others."""


def cut(picture: Pixels) -> list[tuple[int, int, Pixels]]:
    """Return (left, top, strip) for the strips of an HxWx3 picture; one strip, the picture, when it is not long.

    Cuts go through the emptiest row (or column) near the end of each strip, so that no line of text is cut.
    """
    height, width = picture.shape[:2]
    if max(height, width) <= DETECTOR_SIDE or max(height, width) < LONG * min(height, width):
        return [(0, 0, picture)]
    if height > width:
        return [(0, start, picture[start:end]) for start, end in _spans(_ink(picture, axis=1), height, width)]
    return [(start, 0, picture[:, start:end]) for start, end in _spans(_ink(picture, axis=0), width, height)]


def _ink(picture: Pixels, axis: int) -> NDArray[np.uint8]:
    """Return the contrast of each row (axis 1) or column (axis 0): 0 where it has one colour throughout."""
    grey = picture.max(axis=2)
    contrast: NDArray[np.uint8] = grey.max(axis=axis) - grey.min(axis=axis)
    return contrast


def _spans(ink: NDArray[np.uint8], length: int, breadth: int) -> list[tuple[int, int]]:
    step = max(DETECTOR_SIDE, breadth)
    spans, start = [], 0
    while length - start > step:
        first = start + int(LEAST_STRIP * step)
        end = first + _middle_of_longest_gap(ink[first : start + step])
        spans.append((start, end))
        start = end
    return [*spans, (start, length)]


def _middle_of_longest_gap(ink: NDArray[np.uint8]) -> int:
    """Return the middle of the longest run of rows with nearly the least contrast."""
    empty = np.flatnonzero(ink <= int(ink.min()) + 8)
    runs = np.split(empty, np.flatnonzero(np.diff(empty) > 1) + 1)
    longest = max(runs, key=len)
    return int(longest[len(longest) // 2])
