"""Which frames of an animation to look at: those that show something, and something else than the one before."""

from __future__ import annotations

import numpy as np
from PIL import Image

ANIMATIONS = ("GIF", "WEBP", "PNG", "AVIF")
MOST_FRAMES = 4
"""Different frames of an animation that are read, spread over its length."""
MOST_LOOKED_AT = 24
MOST_DECODED = 400_000_000
"""Pixels of frames that are decoded to find those; of a longer animation the end is not seen."""
_SIDE = 256
_BLANK = 12
"""Steps of grey, of 255, within which a frame is blank paper."""
_CHANGED = 40
_LEAST_CHANGE = 0.0015
"""Share of the points that change by more than `_CHANGED` steps between two frames that tell different things."""


def telling_frames(image: Image.Image) -> list[int]:
    """Return the numbers of at most `MOST_FRAMES` different frames, in order; the first one where all are blank.

    Raises:
        OSError, EOFError, SyntaxError, ValueError: The file is damaged.
    """
    if image.format not in ANIMATIONS or not getattr(image, "is_animated", False):
        return [0]
    frames = min(int(getattr(image, "n_frames", 1)), max(2, MOST_DECODED // (image.width * image.height)))
    found: list[int] = []
    before: np.ndarray | None = None
    for frame in sorted({round(at) for at in np.linspace(0, frames - 1, min(frames, MOST_LOOKED_AT))}):
        image.seek(frame)
        seen = _seen(image)
        if seen.max() - seen.min() <= _BLANK:
            continue
        if before is None or (np.abs(seen - before) > _CHANGED).mean() > _LEAST_CHANGE:
            found.append(frame)
            before = seen
    if len(found) > MOST_FRAMES:
        found = [found[round(at)] for at in np.linspace(0, len(found) - 1, MOST_FRAMES)]
    return found or [0]


def _seen(image: Image.Image) -> np.ndarray:
    """Return a frame as small grey pixels, transparent ones as half grey."""
    small = image.convert("RGBA").resize((_SIDE, _SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    paper = Image.new("RGBA", small.size, (128, 128, 128, 255))
    paper.alpha_composite(small)
    return np.asarray(paper.convert("L"), np.int16)
