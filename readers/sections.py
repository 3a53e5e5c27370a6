"""Cuts Markdown into the sections that documents without pages are numbered by."""

from __future__ import annotations

import re
from collections.abc import Iterator

from domain.text import SPACE, between_words
from readers.figures import split_figures, without_places
from readers.interface import Page

MAX_SECTION_CHARS = 20_000
"""A section longer than this is cut at a paragraph, so that a page of the document stays a page to look at."""
MOST_FIGURES = 4
"""A section with more pictures is cut there, so that a paper scanned into a document is read and found page by page."""

_SPACE = re.compile(SPACE)
_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S.*?)[ \t]*#*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_MARKS = re.compile(r"[*_`]{1,3}|\[([^\]]*)\]\([^)]*\)")


def section_pages(markdown: str) -> list[Page]:
    """Return one page a section: headings of levels 1 and 2 begin one, or of the top level where it is deeper.

    A heading without text stays with the section after it. Headings inside code fences do not count.
    """
    pages: list[Page] = []
    for label, text in _sections(markdown):
        for part in split_figures(text, MOST_FIGURES):
            for short in split_long(part):
                pages.append(Page(len(pages) + 1, label or str(len(pages) + 1), short))
    return pages


def split_long(text: str, limit: int = MAX_SECTION_CHARS) -> list[str]:
    """Cut `text` into parts of at most `limit` characters: at blank lines, line ends, spaces, or between words."""
    parts = []
    while len(text) > limit:
        at = next((at for gap in ("\n\n", "\n") if (at := text.rfind(gap, limit // 2, limit)) > 0), 0)
        at = at or max((gap.start() for gap in _SPACE.finditer(text, limit // 2, limit)), default=0)
        at = at or between_words(text, limit)
        parts.append(text[:at].strip("\n"))
        text = text[at:]
    return [*parts, text.strip("\n")] if text.strip() else parts


def _sections(markdown: str) -> Iterator[tuple[str, str]]:
    lines = markdown.split("\n")
    headings = dict(_headings(lines))
    depth = max(2, min((level for level, _ in headings.values()), default=2))
    block: list[str] = []
    path: list[tuple[int, str]] = []
    has_body = False
    for number, line in enumerate(lines):
        level, title = headings.get(number, (0, ""))
        if 0 < level <= depth:
            if has_body:
                yield _label(path), "\n".join(block)
                block, has_body = [], False
            path = [*((above, text) for above, text in path if above < level), (level, title)]
        elif line.strip():
            has_body = True
        block.append(line)
    if any(line.strip() for line in block):
        yield _label(path), "\n".join(block)


def _headings(lines: list[str]) -> Iterator[tuple[int, tuple[int, str]]]:
    fence = ""
    for number, line in enumerate(lines):
        marker = _FENCE.match(line)
        if marker:
            if not fence:
                fence = marker[1]
            elif marker[1].startswith(fence) and not line.strip(" `~"):
                fence = ""
        elif not fence:
            heading = _HEADING.match(line)
            if heading:
                yield number, (len(heading[1]), _MARKS.sub(r"\1", without_places(heading[2])).strip())


def _label(path: list[tuple[int, str]]) -> str:
    return " › ".join(title for _, title in path)[:200]
