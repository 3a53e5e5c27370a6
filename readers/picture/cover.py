"""Covers parts of a picture before it is shown to anyone else."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

COLOUR = (0, 0, 0)
Box = Sequence[Sequence[float]]


def cover(image: bytes, boxes: Sequence[Box], width: int) -> bytes:
    """Return a picture of ours (PNG or JPEG) with the boxes filled, as PNG.

    Args:
        image: The picture.
        boxes: Corners [x, y] of each, in pixels of the picture that they were found in.
        width: Width of that picture, of which `image` may be a smaller copy.
    """
    with Image.open(io.BytesIO(image), formats=["PNG", "JPEG"]) as opened:
        covered = opened.convert("RGB")
    draw, scale = ImageDraw.Draw(covered), covered.width / width
    margin = max(2.0, covered.height / 200)
    for box in boxes:
        across, down = [x * scale for x, _ in box], [y * scale for _, y in box]
        draw.rectangle((min(across) - margin, min(down) - margin, max(across) + margin, max(down) + margin), COLOUR)
    written = io.BytesIO()
    covered.save(written, "PNG")
    return written.getvalue()
