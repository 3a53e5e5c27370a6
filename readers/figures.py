"""Pictures inside documents: kept with their place in the text, made fit for OCR, bounded in number and size.

A reader puts `Figures.place(data)` where a picture stands; `Figures.finish` then turns these places into `MARK`s, one
for each picture in `Page.figures`, and counts unreadable ones.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

from domain.errors import AppError
from readers.interface import Page
from readers.picture.reader import WHOLE, Crop, for_ocr

MOST = 100
"""Most different pictures of one document that are recognised; a page of a scan costs OCR one to three seconds."""
MOST_A_PAGE = 20
UNREAD = "pictures_not_read"
"""The warning that pictures on a page cannot be read, with their number."""
LEAST_SIDE = 24
LEAST_AREA = 10_000
"""Pixels below which a picture is an icon or a rule rather than something to read."""
MARK = "\ufdd0"
"""Placeholder of a picture in the text of a page: a noncharacter, which Unicode keeps out of all documents."""

_PLACE = re.compile(f"{MARK}(\\d+)\ufdd1")
_STRAY = re.compile("[\ufdd0\ufdd1]")
_BARE = " \t#>*-"


class Figures:
    """The pictures of one document, in the order in which its reader finds them."""

    def __init__(self, max_pixels: int, most: int = MOST) -> None:
        """Recognise at most `most` different pictures of at most `max_pixels` pixels each."""
        self._max_pixels = max_pixels
        self._most = most
        self._found: list[tuple[bytes | None, Crop]] = []
        self._ready: dict[bytes, bytes | None] = {}

    def place(self, data: bytes | None, crop: Crop = WHOLE) -> str:
        """Keep a picture and return its placeholder for the text.

        Args:
            data: The picture; `None` for one that is missing.
            crop: What is not shown of it, see `readers.picture.reader.for_ocr`.
        """
        self._found.append((data, crop))
        return f"{MARK}{len(self._found) - 1}\ufdd1"

    def finish(self, page: Page) -> Page:
        """Return `page` with its pictures, and a `MARK` for each of them in its text."""
        if MARK not in page.markdown:
            return page
        figures: list[bytes] = []
        unread = 0

        def marked(found: re.Match[str]) -> str:
            nonlocal unread
            number = int(found[1])
            data, crop = self._found[number] if number < len(self._found) else (b"", WHOLE)
            image = self._prepared(data, crop) if len(figures) < MOST_A_PAGE else None
            if image is None:
                unread += 1
            elif image:
                figures.append(image)
                return "\ufdd1"
            return ""

        markdown = _PLACE.sub(marked, page.markdown).replace(MARK, "").replace("\ufdd1", MARK)
        warnings = (*page.warnings, f"{UNREAD}:{unread}") if unread else page.warnings
        return replace(page, markdown=markdown, figures=tuple(figures), warnings=warnings)

    def _prepared(self, data: bytes | None, crop: Crop) -> bytes | None:
        """Return the picture for OCR; empty for one that is too small to read, `None` for one that cannot be read."""
        if not data:
            return data
        key = hashlib.sha256(b"%r" % (crop,) + data).digest()
        if key not in self._ready:
            if sum(1 for image in self._ready.values() if image) >= self._most:
                return None
            try:
                self._ready[key] = for_ocr(data, self._max_pixels, LEAST_SIDE, LEAST_AREA, crop)
            except AppError:
                self._ready[key] = None
        return self._ready[key]


def without_places(text: str) -> str:
    """Return `text` without placeholders of pictures."""
    return _STRAY.sub("", _PLACE.sub("", text)) if MARK in text else text


def split_figures(text: str, most: int) -> list[str]:
    """Cut `text` so that no part has more than `most` pictures."""
    starts = [found.start() for found in _PLACE.finditer(text)][most::most]
    parts = [text[a:b] for a, b in zip([0, *starts], [*starts, len(text)], strict=True)]
    return [part.strip("\n") for part in parts]


def with_texts(markdown: str, texts: Sequence[str]) -> str:
    """Return `markdown` with each `MARK` replaced by its text: as paragraphs below its line, in tables in its place."""
    remaining = iter(texts)
    lines: list[str] = []
    for line in markdown.split("\n"):
        here = [next(remaining, "").strip() for _ in range(line.count(MARK))]
        if not here:
            lines.append(line)
        elif line.startswith("|"):
            parts = line.split(MARK)
            cells = [" ".join(text.split()).replace("|", "\\|") for text in here]
            lines.append("".join(part + cell for part, cell in zip(parts, [*cells, ""], strict=True)))
        else:
            rest = line.replace(MARK, "").rstrip()
            lines += [rest] if rest.strip(_BARE) else []
            lines += ["", "\n\n".join(filter(None, here)), ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
