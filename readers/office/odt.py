"""OpenDocument texts and presentations (ODT, ODP): headings, paragraphs, lists and tables of content.xml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

from lxml import etree

from domain.errors import FileCorrupt, FileEmpty, FileEncrypted
from readers.archive import open_archive, read_member
from readers.figures import Figures
from readers.interface import Item, Options, Outline, Page
from readers.media_types import ODP
from readers.sections import section_pages
from readers.tables import table

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_NOT_TEXT = {f"{_TEXT}tracked-changes", f"{_OFFICE}annotation", f"{_TEXT}note-citation", f"{_TEXT}bibliography-source"}
_OWN_BLOCKS = {f"{_TEXT}note", f"{_TEXT}p", f"{_TEXT}h", f"{_TEXT}list"} | _NOT_TEXT
_MAX_COLUMNS = 500
_MAX_DEPTH = 100


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sections (slides of an ODP) of the OpenDocument file at `path`.

    Raises:
        FileTooLarge: a zip bomb by its directory.
        FileEncrypted: it needs a password.
        FileCorrupt: its content is no sound XML.
        FileEmpty: it holds no text.
    """
    with open_archive(path, options.name) as archive:
        body = _content(archive, options.name).find(f"{_OFFICE}body")
        if body is None:
            raise FileCorrupt(name=options.name)
        figures = Figures(options.max_pixels)
        _place_pictures(body, archive, figures)
    if options.media_type == ODP:
        slides = list(body.iter(f"{_DRAW}page"))
        yield Outline(options.media_type, "slide", len(slides))
        for number, slide in enumerate(slides, 1):
            yield figures.finish(Page(number, str(number), "\n\n".join(_blocks(slide))))
        return
    pages = section_pages("\n\n".join(_blocks(body)))
    if not pages:
        raise FileEmpty(name=options.name)
    yield Outline(options.media_type, "section", len(pages))
    for page in pages:
        yield figures.finish(page)


def _content(archive: ZipFile, name: str) -> etree._Element:
    if "META-INF/manifest.xml" in archive.namelist():
        if b":encryption-data" in read_member(archive, "META-INF/manifest.xml", name):
            raise FileEncrypted(name=name)
    data = read_member(archive, "content.xml", name)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise FileCorrupt(name=name) from error


def _place_pictures(body: etree._Element, archive: ZipFile, figures: Figures) -> None:
    """Put a placeholder where each picture is; of several forms of one picture the first counts."""
    for frame in body.iter(f"{_DRAW}frame"):
        image = frame.find(f"{_DRAW}image")
        if image is None or frame.find(f"{_DRAW}object") is not None:
            continue
        try:
            data = read_member(archive, image.get(_HREF, "").removeprefix("./"), "")
        except FileCorrupt:
            data = None
        etree.SubElement(image, f"{_TEXT}p").text = figures.place(data)


def _blocks(parent: etree._Element, depth: int = 0) -> Iterator[str]:
    """Yield headings, paragraphs, lists and tables below `parent` in order."""
    for element in parent:
        tag = element.tag
        if tag in _NOT_TEXT or depth > _MAX_DEPTH:
            continue
        if tag == f"{_TEXT}h":
            level = int(element.get(f"{_TEXT}outline-level", "1"))
            yield f"{'#' * min(max(level, 1), 6)} {_inline(element)}"
        elif tag == f"{_TEXT}p":
            yield _inline(element)
            yield from _blocks(element, depth + 1)
        elif tag == f"{_TEXT}list":
            yield "\n".join(_items(element, 0))
        elif tag == f"{_TABLE}table":
            rows = [_cells(row) for row in element.iter(f"{_TABLE}table-row")]
            if rows:
                yield table(rows[0], rows[1:])
        else:
            yield from _blocks(element, depth + 1)


def _items(element: etree._Element, level: int) -> Iterator[str]:
    for item in element.iterchildren(f"{_TEXT}list-item", f"{_TEXT}list-header"):
        text = " ".join(_inline(part) for part in item.iterchildren(f"{_TEXT}p", f"{_TEXT}h"))
        if text.strip():
            yield f"{'  ' * level}- {text}"
        for inner in item.iterchildren(f"{_TEXT}list"):
            if level < _MAX_DEPTH:
                yield from _items(inner, level + 1)


def _cells(row: etree._Element) -> list[str]:
    cells: list[str] = []
    for cell in row:
        if cell.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            text = " ".join(_inline(part) for part in cell.iter(f"{_TEXT}p", f"{_TEXT}h"))
            repeated = int(cell.get(f"{_TABLE}number-columns-repeated", "1")) if text else 1
            cells += [text] * max(1, min(repeated, _MAX_COLUMNS))
    return cells[:_MAX_COLUMNS]


def _inline(element: etree._Element) -> str:
    """Return a paragraph's own text: spaces and breaks written out, boxes and notes inside it left to `_blocks`."""
    parts = [element.text or ""]
    for child in element:
        if child.tag == f"{_TEXT}s":
            parts.append(" " * min(int(child.get(f"{_TEXT}c", "1")), 100))
        elif child.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            parts.append(" ")
        elif child.tag not in _OWN_BLOCKS and str(child.tag).startswith(_TEXT):
            parts.append(_inline(child))
        parts.append(child.tail or "")
    return "".join(parts)
