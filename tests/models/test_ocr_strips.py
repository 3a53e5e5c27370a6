"""Long pictures are cut where nothing is written."""

from __future__ import annotations

import numpy as np
import pytest

from models.ocr.strips import DETECTOR_SIDE, cut


def scroll(height: int, width: int = 700) -> np.ndarray:
    """A tall picture with a black line of 40 rows every 100 rows."""
    picture = np.full((height, width, 3), 255, np.uint8)
    for top in range(30, height - 40, 100):
        picture[top : top + 40, 50:650:7] = 0
    return picture


def test_an_ordinary_picture_is_one_strip() -> None:
    picture = np.zeros((3000, 2000, 3), np.uint8)
    strips = cut(picture)
    assert len(strips) == 1 and strips[0][2] is picture


@pytest.mark.parametrize("lying", [False, True])
def test_strips_cover_the_picture_and_cut_no_line(lying: bool) -> None:
    picture = scroll(9000).transpose(1, 0, 2) if lying else scroll(9000)
    strips = cut(picture)
    axis = 1 if lying else 0
    assert np.array_equal(np.concatenate([strip for _, _, strip in strips], axis=axis), picture)
    starts = [left if lying else top for left, top, _ in strips]
    assert starts[0] == 0 and all(70 <= start % 100 or start % 100 < 30 for start in starts[1:])
    assert max(strip.shape[axis] for _, _, strip in strips) <= DETECTOR_SIDE
    assert len(strips) <= 8


def test_a_picture_full_of_ink_is_cut_all_the_same() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (8000, 400, 3), np.uint8)
    assert np.array_equal(np.concatenate([strip for _, _, strip in cut(noise)]), noise)
