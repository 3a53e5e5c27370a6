"""Word documents (DOCX): mammoth to HTML, then Markdown, sectioned by heading."""

from __future__ import annotations

import io
import posixpath
import re
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
from readers.detect import HEAD_BYTES, detect
from readers.figures import Figures
from readers.hidden import Hidden
from readers.interface import PARTS, Item, Options, Outline
from readers.media_types import DOCX, EML, HTML, RTF, TEXT
from readers.office.docx_body import HEADER_STYLE, BodyRewriter
from readers.office.package import Package
from readers.office.rtf import rtf_markdown
from readers.office.rtf_unseen import without_unseen
from readers.sections import section_pages
from readers.text.eml import message_text
from readers.text.encodings import decode, decode_page
from readers.text.markup import seen_markdown, to_markdown

_STYLES = f"""
p.{HEADER_STYLE} => h1:fresh
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => h2:fresh
p[style-name='标题'] => h1:fresh
p[style-name='副标题'] => h2:fresh
"""
_CHUNK = "\ufdd2"
_PLACE = re.compile(f"{_CHUNK}(\\d+){_CHUNK}")
_MOST_DEPTH = 3
"""Documents inside documents inside documents are read so far down."""
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
        figures, hidden = Figures(options.max_pixels), Hidden()
        markdown, left_out = _markdown(archive, path.read_bytes(), figures, hidden, options.name)
    if not markdown.strip():
        raise FileEmpty(name=options.name)
    pages = section_pages(markdown)
    warnings = (f"{PARTS}:{left_out}",) if left_out else ()
    yield Outline(options.media_type, "section", len(pages), title, warnings=warnings)
    for page in pages:
        yield hidden.finish(figures.finish(page))


def _markdown(
    archive: ZipFile, data: bytes, figures: Figures, hidden: Hidden, name: str, depth: int = 0
) -> tuple[str, int]:
    """Return the text of an open document whose file is `data`, and how many things were left out of it."""
    package = Package(archive, name)
    chunks: list[str] = []
    left_out = 0

    def chunk(member: str) -> str:
        nonlocal left_out
        inside = package.data(member) or b""
        text, lost = _chunk(inside, member, figures, hidden, name, depth) if depth < _MOST_DEPTH else ("", 0)
        left_out += lost
        chunks.append(text)
        return f"{_CHUNK}{len(chunks) - 1}{_CHUNK}" if text else ""

    body = BodyRewriter(package, chunk, hidden)
    html = mammoth.convert_to_html(
        package.with_part(data, body.document()),
        style_map=_STYLES,
        convert_image=mammoth.images.img_element(lambda image: {"src": figures.place(_embedded(image))}),
        ignore_empty_paragraphs=True,
    ).value
    markdown = to_markdown(html, unquote)  # lxml percent-encodes what stands in `src`
    return _PLACE.sub(lambda found: chunks[int(found[1])], markdown), left_out + body.left_out


def _chunk(data: bytes, member: str, figures: Figures, hidden: Hidden, name: str, depth: int) -> tuple[str, int]:
    """Return the text of a document inside a document (`w:altChunk`), and how many things were left out of it."""
    _, media_type = detect(data[:HEAD_BYTES], posixpath.basename(member))
    if media_type == DOCX:
        with ZipFile(io.BytesIO(data)) as archive:
            return _markdown(archive, data, figures, hidden, name, depth + 1)
    if media_type == HTML:
        text, unseen = seen_markdown(decode_page(data))
        return text + hidden.place(unseen), 0
    if media_type == EML:
        return message_text(data), 0
    if media_type == RTF:
        return rtf_markdown(without_unseen(data)[0], name), 0
    return (decode(data)[0], 0) if media_type == TEXT else ("", 1)


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
