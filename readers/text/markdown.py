"""Markdown files: kept as they are, sectioned by heading. Front matter gives the title, nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from readers.interface import Item, Options, Outline
from readers.sections import section_pages
from readers.text.plain import read_text

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_TITLE = re.compile(r"""^title:[ \t]*["']?(.+?)["']?[ \t]*$""", re.M)
_FIRST_HEADING = re.compile(r"^#[ \t]+(.+)$", re.M)
_DATA_URL = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+")


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sections of the Markdown file at `path`."""
    text, encoding, warnings = read_text(path, options)
    front = _FRONT_MATTER.match(text)
    body = text[front.end() :] if front else text
    title = _TITLE.search(front[1]) if front else None
    title = title or _FIRST_HEADING.search(body)
    pages = section_pages(_DATA_URL.sub("", body))
    yield Outline(options.media_type, "section", len(pages), title[1] if title else "", encoding, warnings)
    yield from pages
