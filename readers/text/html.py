"""HTML pages: the main text without the boilerplate, as Markdown. Scripts, link targets and pictures are dropped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import lxml.html
import trafilatura
from lxml import etree
from markdownify import MarkdownConverter

from domain.errors import FileEmpty, FileTooLarge
from domain.words import Words
from readers.figures import UNREAD
from readers.interface import Item, Options, Outline
from readers.sections import section_pages
from readers.text.encodings import decode_page

MAX_BYTES = 5 * 1024 * 1024
MOST_ELEMENTS = 50_000
"""Beyond this many tags the extractors, which need quadratic time, are left out for a single walk over the page."""
_LEAST_CHARS = 200
_LEAST_SHARE = 0.05
_NOT_SHOWN = ("script", "style", "noscript", "template", "head", "svg", "iframe", "object", "embed")
_BLOCKS = (
    dict.fromkeys(
        "p div section article main aside header footer nav ul ol table tr br blockquote pre dt dd".split(), "\n"
    )
    | {f"h{level}": "\n" + "#" * level + " " for level in range(1, 7)}
    | {"li": "\n- ", "td": " | ", "th": " | "}
)
_DROPPED_TREE = etree.XPath("|".join(f"//{tag}" for tag in _NOT_SHOWN if tag != "head"))
_INLINE_PICTURE = re.compile(rb"<img\b[^>]{0,500}?\ssrc=[\"']?data:image/[^\"'>]{8000}", re.I)
"""A picture of some size inside the page; all others are elsewhere, and are not fetched."""
_SPACE = re.compile(r"\s+")


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sections of the HTML file at `path`.

    Raises:
        FileTooLarge: over `MAX_BYTES`; parsers need quadratic time for some pages.
        FileEmpty: nothing that a reader would see.
    """
    if path.stat().st_size > MAX_BYTES:
        raise FileTooLarge(name=options.name, limit=Words(f"over {MAX_BYTES >> 20} MiB", f"超过 {MAX_BYTES >> 20} MiB"))
    data = path.read_bytes()
    title, markdown = main_text(data)
    if not markdown.strip():
        raise FileEmpty(name=options.name)
    pages = section_pages(markdown)
    yield Outline(options.media_type, "section", len(pages), title)
    pictures = len(_INLINE_PICTURE.findall(data))
    warnings = (f"{UNREAD}:{pictures}",) if pictures else ()
    yield from (replace(page, warnings=warnings if page.number == 1 else ()) for page in pages)


def main_text(data: bytes, claimed: str | None = None) -> tuple[str, str]:
    """Return title and Markdown of an HTML page: the article where there is one, else all that is shown.

    `claimed` is the encoding that a server names for it.
    """
    text = decode_page(data, claimed)
    tree = trafilatura.load_html(text)
    if tree is None:
        return "", ""
    title = _SPACE.sub(" ", tree.findtext(".//title") or "").strip()
    visible = _visible_text(tree)
    if sum(1 for _ in tree.iter()) > MOST_ELEMENTS:
        return title, visible
    extracted = trafilatura.extract(
        text, output_format="markdown", include_tables=True, include_links=False, include_images=False
    )
    if extracted and len(extracted) >= max(_LEAST_CHARS, _LEAST_SHARE * len(visible)):
        return title, _with_title(title, extracted)
    try:
        return title, to_markdown(lxml.html.tostring(tree, encoding="unicode"))
    except RecursionError:
        return title, visible


def to_markdown(html: str, picture: Callable[[str], str] | None = None) -> str:
    """Return all of `html` as Markdown with headings, lists and tables kept, links and pictures as their text.

    `picture` returns the placeholder of a picture, by its `src`.
    """
    tree = lxml.html.document_fromstring(html) if html.strip() else None
    if tree is None:
        return ""
    for element in _DROPPED_TREE(tree):
        element.drop_tree()
    converter = _Converter(
        heading_style="ATX",
        bullets="-",
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
        table_infer_header=True,
    )
    converter.picture = picture
    return str(converter.convert(lxml.html.tostring(tree, encoding="unicode")))


class _Converter(MarkdownConverter):
    """Markdownify, limited to what belongs to the text."""

    picture: Callable[[str], str] | None = None

    def convert_a(self, _element: object, text: str, parent_tags: set[str]) -> str:
        return text

    def convert_img(self, element: dict[str, str], text: str, parent_tags: set[str]) -> str:
        alt = str(element.get("alt") or "")
        source = str(element.get("src") or "")
        return alt + self.picture(source) if self.picture and source else alt

    def convert_title(self, _element: object, text: str, parent_tags: set[str]) -> str:
        return ""


def _with_title(title: str, markdown: str) -> str:
    """Put the page's title on top where the article lost its heading."""
    heading = re.split(r"\s+[|–—_-]\s+", title)[0].strip()
    plain = _SPACE.sub("", markdown[:2000])
    return f"# {heading}\n\n{markdown}" if heading and _SPACE.sub("", heading) not in plain else markdown


def _visible_text(tree: lxml.html.HtmlElement) -> str:
    """Return the text a browser would show, headings, list items and cells marked, in one walk without recursion."""
    parts: list[str] = []
    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, element in walk:
        tag = element.tag if isinstance(element.tag, str) else "script"
        if event == "start":
            parts.append(_BLOCKS.get(tag, ""))
            if tag in _NOT_SHOWN:
                walk.skip_subtree()
            else:
                parts.append(_SPACE.sub(" ", element.text or ""))
        else:
            parts.append("\n" if tag in _BLOCKS and tag not in ("td", "th") else "")
            parts.append(_SPACE.sub(" ", element.tail or ""))
    lines = (line.strip() for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line.strip("#|- "))
