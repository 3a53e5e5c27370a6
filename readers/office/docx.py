"""Word documents (DOCX): mammoth to HTML, then Markdown, sectioned by heading."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zipfile import BadZipFile, ZipFile

import mammoth
from lxml import etree
from mammoth.docx.files import InvalidFileReferenceError

from domain.errors import FileCorrupt, FileEmpty
from readers.archive import open_archive, read_member
from readers.figures import Figures
from readers.interface import Item, Options, Outline
from readers.sections import section_pages
from readers.text.markup import to_markdown

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => h2:fresh
p[style-name='标题'] => h1:fresh
p[style-name='副标题'] => h2:fresh
"""
_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sections of the DOCX file at `path`.

    Raises:
        FileTooLarge: a zip bomb by its directory.
        FileCorrupt: it is no sound Word document.
        FileEmpty: it holds no text.
    """
    with open_archive(path, options.name) as archive:
        title = _title(archive, options.name)
    figures = Figures(options.max_pixels)
    with path.open("rb") as file:
        html = mammoth.convert_to_html(
            file,
            style_map=_STYLES,
            convert_image=mammoth.images.img_element(lambda image: {"src": figures.place(_embedded(image))}),
            ignore_empty_paragraphs=True,
        ).value
    markdown = to_markdown(html, unquote)  # lxml percent-encodes what stands in `src`
    if not markdown.strip():
        raise FileEmpty(name=options.name)
    pages = section_pages(markdown)
    yield Outline(options.media_type, "section", len(pages), title)
    for page in pages:
        yield figures.finish(page)


def _embedded(image: Any) -> bytes | None:
    """Return a picture that is in the file; mammoth refuses those that are linked, wherever they may be."""
    try:
        with image.open() as file:
            return bytes(file.read())
    except (InvalidFileReferenceError, BadZipFile, KeyError, NotImplementedError, OSError, EOFError, zlib.error):
        return None


def _title(archive: ZipFile, name: str) -> str:
    if "docProps/core.xml" not in archive.namelist():
        return ""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        return etree.fromstring(read_member(archive, "docProps/core.xml", name), parser).findtext(_DC_TITLE) or ""
    except (etree.XMLSyntaxError, FileCorrupt):
        return ""
