"""Markdown files: kept as they are, sectioned by heading. Front matter becomes a list, and gives the title."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from readers.interface import Item, Options, Outline
from readers.sections import section_pages
from readers.text.plain import read_text

_FRONT_MATTER = re.compile(r"\A\ufeff?(---|\+\+\+)[ \t]*\n(.*?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_MOST_FRONT_MATTER = 20_000
_ENTRY = re.compile(r"""^([\w][\w .-]{0,60}?)[ \t]*[:=][ \t]*(.*?)[ \t]*$""")
_TITLE = re.compile(r"""^title[ \t]*[:=][ \t]*["']?(.+?)["']?[ \t]*$""", re.M | re.I)
_FIRST_HEADING = re.compile(r"^#[ \t]+(.+)$", re.M)
_HEAD = re.compile(r"\s*#{1,6}[ \t]+.+\n?")
_DATA_URL = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+")


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sections of the Markdown file at `path`."""
    text, encoding, warnings = read_text(path, options)
    found = _FRONT_MATTER.match(text)
    front = found[2] if found and _is_front_matter(found[1], found[2]) else ""
    body = text[found.end() :] if found and front else text
    title = _TITLE.search(front) or _FIRST_HEADING.search(body)
    entries = "\n".join(_entries(front))
    head = _HEAD.match(body)
    start = head.end() if head else 0
    pages = section_pages(_DATA_URL.sub("", f"{body[:start]}\n{entries}\n\n{body[start:]}" if entries else body))
    yield Outline(options.media_type, "section", len(pages), title[1] if title else "", encoding, warnings)
    yield from pages


def _is_front_matter(fence: str, text: str) -> bool:
    """Tell a mapping from text that happens to stand between two rules."""
    if fence == "+++":
        return any(map(_ENTRY.match, text.split("\n")))
    if len(text) > _MOST_FRONT_MATTER:
        return False
    try:
        return isinstance(yaml.load(text, yaml.BaseLoader), dict)
    except (yaml.YAMLError, RecursionError):
        return False


def _entries(front: str) -> Iterator[str]:
    """Yield the lines of front matter as list items, those that are indented below the ones above."""
    for line in front.split("\n"):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        indent = "  " if line[0].isspace() or text.startswith("- ") else ""
        yield f"{indent}- {text.removeprefix('- ')}"
