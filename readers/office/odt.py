"""OpenDocument texts and presentations (ODT, ODP): headings, paragraphs, lists, tables, formulas, notes, comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import ZipFile

from lxml import etree

from domain.errors import FileCorrupt, FileEmpty, FileEncrypted
from domain.language import language_of
from readers.archive import open_archive, read_member
from readers.figures import Figures
from readers.hidden import Hidden
from readers.interface import PARTS, Item, Options, Outline, Page
from readers.media_types import ODP
from readers.office.odt_numbers import STYLE, OpenNumbers
from readers.office.odt_unseen import OpenUnseen
from readers.office.running_text import is_page_number
from readers.raised import lowered, raised
from readers.sections import section_pages
from readers.tables import table
from readers.texts import COMMENT, HEADERS

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
_MATH = "{http://www.w3.org/1998/Math/MathML}"
_NOT_TEXT = {f"{_TEXT}tracked-changes", f"{_TEXT}note-citation", f"{_TEXT}bibliography-source"}
_OWN_BLOCKS = {f"{_TEXT}note", f"{_TEXT}p", f"{_TEXT}h", f"{_TEXT}list", f"{_OFFICE}annotation"} | _NOT_TEXT
_MAX_COLUMNS = 500
_MAX_DEPTH = 100
_MOST_RAISED = 20
"""Characters of a raised span that is an exponent or the mark of a note."""
_MAX_CELLS = 200_000


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sections (slides of an ODP) of the OpenDocument file at `path`.

    Raises:
        FileTooLarge: a zip bomb by its directory.
        FileEncrypted: it needs a password.
        FileCorrupt: its content is no sound XML.
        FileEmpty: it holds no text.
    """
    with open_archive(path, options.name) as archive:
        root = _content(archive, options.name)
        body = root.find(f"{_OFFICE}body")
        if body is None:
            raise FileCorrupt(name=options.name)
        styles = _member(archive, "styles.xml")
        parts = [part for part in (styles, root) if part is not None]
        figures, hidden = Figures(options.max_pixels), Hidden()
        OpenUnseen(parts, coloured=options.media_type == ODP).hide(body, hidden.place)
        _set_apart(body, parts)
        left_out = _place_objects(body, archive)
        _place_pictures(body, archive, figures)
    blocks = _Blocks(OpenNumbers(styles, root))
    warnings = (f"{PARTS}:{left_out}",) if left_out else ()
    if options.media_type == ODP:
        slides = list(body.iter(f"{_DRAW}page"))
        yield Outline(options.media_type, "slide", len(slides), warnings=warnings)
        for number, slide in enumerate(slides, 1):
            yield hidden.finish(figures.finish(Page(number, str(number), "\n\n".join(blocks.of(slide)))))
        return
    pages = section_pages("\n\n".join([*blocks.of(body), *_running(styles, blocks)]))
    if not pages:
        raise FileEmpty(name=options.name)
    yield Outline(options.media_type, "section", len(pages), warnings=warnings)
    for page in pages:
        yield hidden.finish(figures.finish(page))


def _set_apart(body: etree._Element, styles: Iterable[etree._Element]) -> None:
    """Write raised and lowered characters so that they do not glue to the number or word before them."""
    positions = {
        style.get(f"{STYLE}name"): str(properties.get(f"{STYLE}text-position") or "")
        for part in styles
        for style in part.iter(f"{STYLE}style")
        for properties in style.iter(f"{STYLE}text-properties")
    }
    for span in list(body.iter(f"{_TEXT}span")):
        position = positions.get(span.get(f"{_TEXT}style-name"), "").partition(" ")[0]
        text = "".join(map(str, span.itertext()))
        if position.strip("-0%") and text.strip() and len(text) <= _MOST_RAISED:
            previous = span.getprevious()
            before = str((span.getparent().text if previous is None else previous.tail) or "")
            change = lowered if position == "sub" or position.startswith("-") else raised
            tail = span.tail
            span[:] = []
            span.text, span.tail = change(before, text), tail


def _content(archive: ZipFile, name: str) -> etree._Element:
    if "META-INF/manifest.xml" in archive.namelist():
        if b":encryption-data" in read_member(archive, "META-INF/manifest.xml", name):
            raise FileEncrypted(name=name)
    return _parsed(read_member(archive, "content.xml", name), name)


def _parsed(data: bytes, name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise FileCorrupt(name=name) from error


def _member(archive: ZipFile, member: str) -> etree._Element | None:
    try:
        return _parsed(read_member(archive, member, ""), "")
    except FileCorrupt:
        return None


def _place_objects(body: etree._Element, archive: ZipFile) -> int:
    """Put formulas as text and charts as tables where they are; return how many other objects there are."""
    left_out = 0
    for made in list(body.iter(f"{_DRAW}object", f"{_DRAW}object-ole")):
        inside = made.find(f"{_MATH}math")
        link = str(made.get(_HREF) or "").removeprefix("./").rstrip("/")
        inside = _member(archive, f"{link}/content.xml") if inside is None and link else inside
        formula = "" if inside is None else _formula(inside)
        if formula and _is_inline(made):
            frame = made.getparent()
            shown = etree.Element(f"{_TEXT}span")
            shown.text, shown.tail = f"${formula}$", frame.tail
            frame.getparent().replace(frame, shown)
        elif formula:
            etree.SubElement(made, f"{_TEXT}p").text = f"${formula}$"
        elif inside is not None and (chart := inside.find(f".//{_TABLE}table")) is not None:
            made.append(chart)
        else:
            left_out += 1
    return left_out


def _formula(root: etree._Element) -> str:
    """Return a formula in the notation that it was typed in, else its signs."""
    if root.tag != f"{_MATH}math":
        return ""
    noted = root.findtext(f".//{_MATH}annotation")
    return " ".join((noted or "".join(map(str, root.itertext()))).split())


def _is_inline(made: etree._Element) -> bool:
    frame = made.getparent()
    return frame.getparent() is not None and frame.getparent().tag in (f"{_TEXT}p", f"{_TEXT}span", f"{_TEXT}h")


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


def _running(styles: etree._Element | None, blocks: _Blocks) -> Iterator[str]:
    """Yield the text of headers and footers, each once, those that only number the pages left out."""
    said: dict[str, None] = {}
    for kind in ("header", "header-first", "header-left", "footer", "footer-first", "footer-left"):
        for part in styles.iter(f"{STYLE}{kind}") if styles is not None else ():
            numbers = list(part.iter(f"{_TEXT}page-number", f"{_TEXT}page-count"))
            for number in numbers:
                number.text = ""
            text = "\n\n".join(filter(str.strip, blocks.of(part)))
            if text and not (numbers and is_page_number(text)):
                said[text] = None
    if said:
        yield f"# {HEADERS.text(language_of(''.join(said), 'en'))}"
        yield from said


class _Blocks:
    """Turns what is in a document into Markdown, in its order."""

    def __init__(self, numbers: OpenNumbers) -> None:
        self._numbers = numbers

    def of(self, parent: etree._Element, depth: int = 0) -> Iterator[str]:
        """Yield headings, paragraphs, lists, tables and comments below `parent` in order."""
        for element in parent:
            if element.tag in _NOT_TEXT or depth > _MAX_DEPTH:
                continue
            if element.tag in (f"{_TEXT}h", f"{_TEXT}p"):
                yield self._heading(element) if element.tag == f"{_TEXT}h" else _inline(element)
                yield from self.of(element, depth + 1)
            elif element.tag == f"{_TEXT}list":
                style = str(element.get(f"{_TEXT}style-name") or "")
                yield "\n".join(self._items(element, style, self._numbers.begin(element, style), 0))
            elif element.tag == f"{_TABLE}table":
                rows = _rows(element)
                yield table(rows[0], rows[1:]) if rows else ""
            elif element.tag == f"{_OFFICE}annotation":
                yield _comment(element)
            else:
                yield from self.of(element, depth + 1)

    def _heading(self, element: etree._Element) -> str:
        level = min(max(int(element.get(f"{_TEXT}outline-level", "1")), 1), 10)
        number = self._numbers.heading(element, level - 1)
        return f"{'#' * min(level, 6)} {number + ' ' if number else ''}{_inline(element)}"

    def _items(self, element: etree._Element, style: str, counts: list[int], level: int) -> Iterator[str]:
        for item in element.iterchildren(f"{_TEXT}list-item", f"{_TEXT}list-header"):
            is_item = item.tag == f"{_TEXT}list-item"
            paragraphs = [_inline(part) for part in item.iterchildren(f"{_TEXT}p", f"{_TEXT}h")]
            text = " ".join(paragraphs)
            number = self._numbers.item(item, style, counts, level) if is_item and paragraphs else ""
            if text.strip():
                yield f"{'  ' * level}{number or '-'} {text}"
            for inner in item.iterchildren(f"{_TEXT}list"):
                if level < _MAX_DEPTH:
                    name = str(inner.get(f"{_TEXT}style-name") or style)
                    yield from self._items(inner, name, counts, level + 1)


def _comment(element: etree._Element) -> str:
    text = " ".join(_inline(part) for part in element.iter(f"{_TEXT}p"))
    author = str(element.findtext(_CREATOR) or "").strip()
    name = COMMENT.text(language_of(text, "en"))
    return f"{name} ({author}): {text}" if author else f"{name}: {text}"


def _rows(element: etree._Element) -> list[list[str]]:
    """Return the cells of a table, the text of merged ones in each place; one as wide as the table stands once."""
    found = element.iter(f"{_TABLE}table-row")
    lines = [_cells(row) for row in found if next(row.iterancestors(f"{_TABLE}table")) is element]
    width = max((len(cells) for cells in lines), default=0)
    if width * len(lines) > _MAX_CELLS:
        return [[text for text, _, _ in cells] for cells in lines]
    rows = [[text for text, _, _ in cells] for cells in lines]
    for at, cells in enumerate(lines):
        for column, (text, across, down) in enumerate(cells):
            reach = 1 if across >= width else across
            for below in range(at, min(at + down, len(rows))) if text and (reach > 1 or down > 1) else ():
                rows[below][column : column + reach] = [text] * len(rows[below][column : column + reach])
    return rows


def _cells(row: etree._Element) -> list[tuple[str, int, int]]:
    """Return text, columns and rows of the cells of a row; covered ones are empty."""
    cells: list[tuple[str, int, int]] = []
    for cell in row:
        if cell.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            text = " ".join(_inline(part) for part in cell.iter(f"{_TEXT}p", f"{_TEXT}h"))
            across, down = (_count(cell, f"number-{name}-spanned") for name in ("columns", "rows"))
            repeated = _count(cell, "number-columns-repeated") if text else 1
            cells += [(text, across, down)] * repeated
    return cells[:_MAX_COLUMNS]


def _count(cell: etree._Element, name: str) -> int:
    value = str(cell.get(_TABLE + name) or "1")
    return min(int(value), _MAX_COLUMNS) if value.isdecimal() and value != "0" else 1


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
