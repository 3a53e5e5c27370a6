"""Names the dominant colours of a picture in plain words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.words import Words

NAMES = {
    words.en: words
    for words in (
        Words("black", "黑色"),
        Words("dark grey", "深灰色"),
        Words("grey", "灰色"),
        Words("light grey", "浅灰色"),
        Words("white", "白色"),
        Words("red", "红色"),
        Words("brown", "棕色"),
        Words("orange", "橙色"),
        Words("yellow", "黄色"),
        Words("beige", "米色"),
        Words("green", "绿色"),
        Words("dark green", "深绿色"),
        Words("cyan", "青色"),
        Words("blue", "蓝色"),
        Words("light blue", "浅蓝色"),
        Words("dark blue", "深蓝色"),
        Words("purple", "紫色"),
        Words("pink", "粉色"),
    )
}
"""Every name that `dominant_colours` gives."""
_ORDER = tuple(NAMES)
LEAST_SHARE = 0.12
"""A colour is dominant when at least this share of the picture has it."""
MOST = 3
_HUES = ((15, "red"), (42, "orange"), (68, "yellow"), (165, "green"), (195, "cyan"), (255, "blue"), (290, "purple"))
_DARK = {"red": "brown", "orange": "brown", "green": "dark green", "blue": "dark blue", "yellow": "brown"}
_PALE = {"red": "pink", "orange": "beige", "yellow": "beige", "blue": "light blue", "cyan": "light blue"}


def dominant_colours(pixels: NDArray[np.uint8]) -> tuple[str, ...]:
    """Return up to three colour names of RGB pixels (any shape ending in 3), the largest share first."""
    names = _names(np.asarray(pixels.reshape(-1, 3), np.float32) / np.float32(255))
    shares = np.bincount(names, minlength=len(_ORDER)) / len(names)
    best = np.argsort(-shares, kind="stable")[:MOST]
    return tuple(_ORDER[i] for i in best if shares[i] >= LEAST_SHARE) or (_ORDER[best[0]],)


def _names(rgb: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the index in `_ORDER` of each pixel (shape (n, 3), 0..1), by hue, chroma and lightness."""
    high, low = rgb.max(axis=1), rgb.min(axis=1)
    chroma, light = high - low, (high + low) / 2
    hue = _hue(rgb, high, chroma)
    named = np.full(len(rgb), _ORDER.index("red"), np.intp)
    for limit, name in reversed(_HUES):
        named[hue < limit] = _ORDER.index(name)
    named[(hue >= 290) & (hue < 345)] = _ORDER.index("pink")
    plain = named.copy()
    for name, darker in _DARK.items():
        named[(plain == _ORDER.index(name)) & (light < 0.27)] = _ORDER.index(darker)
    for name, paler in _PALE.items():
        named[(plain == _ORDER.index(name)) & (light > 0.72) & (chroma < 0.5)] = _ORDER.index(paler)
    grey = (chroma < 0.1) | (light < 0.08) | (light > 0.96)
    named[grey] = np.digitize(light[grey], (0.12, 0.35, 0.65, 0.9))
    return named


def _hue(rgb: NDArray[np.float32], high: NDArray[np.float32], chroma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the hue in degrees, 0..360 (0 where there is none)."""
    safe = np.where(chroma > 0, chroma, 1)
    red, green, blue = rgb[:, 0], rgb[:, 1], rgb[:, 2]
    hue = np.where(high == blue, (red - green) / safe + 4, 0)
    hue = np.where(high == green, (blue - red) / safe + 2, hue)
    hue = np.where(high == red, ((green - blue) / safe) % 6, hue)
    return (hue * 60).astype(np.float32)
