"""HTML pages: all that is shown but menus, as Markdown. Scripts, link targets and pictures are dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import lxml.html
from lxml import etree

from domain.errors import FileEmpty, FileTooLarge
from domain.words import Words
from readers.figures import UNREAD
from readers.interface import PARTS, Item, Options, Outline, Page
from readers.sections import section_pages
from readers.text.encodings import decode_page
from readers.text.markup import tree_to_markdown
from readers.text.page_parts import visible_text, without_furniture
from readers.text.unseen import take_unseen

MAX_BYTES = 5 * 1024 * 1024
MOST_ELEMENTS = 50_000
"""Beyond this many tags the converter, which needs quadratic time, is left out for a single walk over the page."""
_PARTS = "//video | //audio | //object | //embed | //canvas"
_INLINE_PICTURE = re.compile(rb"<img\b[^>]{0,500}?\ssrc=[\"']?data:image/[^\"'>]{8000}", re.I)
"""A picture of some size inside the page; all others are elsewhere, and are not fetched."""
_SPACE = re.compile(r"\s+")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,500}\?>")
_PARSER = lxml.html.HTMLParser(remove_pis=True)


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sections of the HTML file at `path`.

    Raises:
        FileTooLarge: over `MAX_BYTES`, for parsers need quadratic time for some pages, or nested too deeply.
        FileEmpty: nothing that a reader would see.
    """
    if path.stat().st_size > MAX_BYTES:
        raise FileTooLarge(name=options.name, limit=Words(f"over {MAX_BYTES >> 20} MiB", f"超过 {MAX_BYTES >> 20} MiB"))
    data = path.read_bytes()
    title, markdown, hidden, warnings = _page_text(data)
    if not markdown.strip() and not hidden:
        if any("Excessive depth" in str(error.message) for error in _PARSER.error_log):
            raise FileTooLarge(name=options.name, limit=Words("its elements are nested too deeply", "元素嵌套过深"))
        raise FileEmpty(name=options.name)
    pages = section_pages(markdown) or [Page(1, "1", "")]
    pictures = len(_INLINE_PICTURE.findall(data))
    yield Outline(options.media_type, "section", len(pages), title, warnings=warnings)
    noted = (f"{UNREAD}:{pictures}",) if pictures else ()
    yield replace(pages[0], warnings=noted, hidden=hidden)
    yield from pages[1:]


def main_text(data: bytes, claimed: str | None = None) -> tuple[str, str, str]:
    """Return title and Markdown of an HTML page, all that is shown but its menus; and what is not shown.

    `claimed` is the encoding that a server names for it.
    """
    return _page_text(data, claimed)[:3]


def _page_text(data: bytes, claimed: str | None = None) -> tuple[str, str, str, tuple[str, ...]]:
    """Return what `main_text` does, and notes on what was left out."""
    text = _DECLARATION.sub("", decode_page(data, claimed), count=1)
    try:
        tree = lxml.html.document_fromstring(text, parser=_PARSER)
    except (etree.ParserError, ValueError):
        return "", "", "", ()
    title = _SPACE.sub(" ", str(tree.xpath("string(//title[not(ancestor::svg)])"))).strip()
    parts = len(tree.xpath(_PARTS))
    warnings = (f"{PARTS}:{parts}",) if parts else ()
    hidden = take_unseen(tree)
    if sum(1 for _ in tree.iter()) > MOST_ELEMENTS:
        return title, visible_text(tree), hidden, warnings
    try:
        markdown = tree_to_markdown(without_furniture(tree, text))
    except RecursionError:
        markdown = visible_text(tree)
    return title, _with_title(title, markdown), hidden, warnings


def _with_title(title: str, markdown: str) -> str:
    """Put the page's title on top where the article lost its heading."""
    heading = re.split(r"\s+[|–—_-]\s+", title)[0].strip()
    plain = _SPACE.sub("", markdown[:2000])
    return f"# {heading}\n\n{markdown}" if heading and _SPACE.sub("", heading) not in plain else markdown
