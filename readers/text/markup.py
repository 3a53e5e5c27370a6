"""HTML to Markdown: headings, lists, definitions, forms, formulas, and tables whose spans are filled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import pairwise
from typing import Any

import lxml.html
from lxml import etree
from lxml.html import HtmlElement
from lxml.html.builder import E
from markdownify import MarkdownConverter

from domain.language import language_of
from readers.raised import lowered, raised
from readers.text.unseen import take_unseen
from readers.texts import PICTURE

NOT_SHOWN = ("script", "style", "noscript", "template", "iframe", "object", "embed", "audio", "video", "canvas")
"""Elements whose content is no text of the page."""
MOST_CELLS = 100_000
"""Cells of a table, its spans filled; a larger one keeps its spans."""
_MOST_COLUMNS = 500
_MOST_HEADER_ROWS = 4
_PLACING = {"width", "height", "cellpadding", "cellspacing", "bgcolor", "background", "align"}
"""Attributes of tables that e-mails and old pages are laid out with."""
_DROPPED = etree.XPath(
    "|".join(f"//{tag}" for tag in NOT_SHOWN)
    + "|//*[contains(@class, 'katex-html')]|//a[starts-with(@href, '#')][normalize-space() = '¶']"
)
_BLOCKS = "address aside center fieldset figure footer form header hgroup legend main nav summary".split()
_SPACE = re.compile(r"\s+")


def to_markdown(html: str, picture: Callable[[str], str] | None = None) -> str:
    """Return what is shown of `html` as Markdown: headings, lists and tables kept, links and pictures as their text.

    `picture` returns the placeholder of a picture, by its `src`.
    """
    return seen_markdown(html, picture)[0]


def seen_markdown(html: str, picture: Callable[[str], str] | None = None) -> tuple[str, str]:
    """Return what `to_markdown` does, and the text that a browser does not show."""
    if not html.strip():
        return "", ""
    tree = lxml.html.document_fromstring(html)
    hidden = take_unseen(tree)
    return tree_to_markdown(tree, picture), hidden


def tree_to_markdown(tree: HtmlElement, picture: Callable[[str], str] | None = None) -> str:
    """Do as `to_markdown` with a parsed page, which is changed.

    Raises:
        RecursionError: Its elements are nested too deeply.
    """
    for element in _DROPPED(tree):
        element.drop_tree()
    for change in (_formulas, _drawings, _ruby, _fields, _definitions, _tables):
        change(tree)
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


def alternative(text: str) -> str:
    """Return the text that stands for a picture, marked as such."""
    text = " ".join(text.replace("[", "(").replace("]", ")").split())
    return PICTURE.text(language_of(text, "en")).format(text) if text else ""


class _Converter(MarkdownConverter):
    """Markdownify, limited to what belongs to the text."""

    picture: Callable[[str], str] | None = None

    def convert_a(self, _element: object, text: str, parent_tags: set[str]) -> str:
        return text

    def convert_img(self, element: dict[str, str], text: str, parent_tags: set[str]) -> str:
        alt = alternative(str(element.get("alt") or ""))
        source = str(element.get("src") or "")
        return alt + self.picture(source) if self.picture and source else alt

    def convert_title(self, _element: object, text: str, parent_tags: set[str]) -> str:
        return ""

    def convert_sup(self, element: Any, text: str, parent_tags: set[str]) -> str:
        """Keep exponents and the marks of notes apart from what they stand behind."""
        text = text.strip()
        if text and element.find("a"):
            return " " + (text if text.startswith("[") else f"[{text}]")
        return raised(str(element.previous_sibling or ""), text)

    def convert_sub(self, element: Any, text: str, parent_tags: set[str]) -> str:
        return lowered(str(element.previous_sibling or ""), text)

    def convert_td(self, _element: object, text: str, parent_tags: set[str]) -> str:
        return f" {_SPACE.sub(' ', text.strip()).replace('|', chr(92) + '|')} |"

    convert_th = convert_td


for _tag in _BLOCKS:
    setattr(_Converter, f"convert_{_tag}", vars(MarkdownConverter)["convert_div"])


def _replaced(element: HtmlElement, text: str) -> None:
    """Put `text` where `element` was."""
    span = E.span(text)
    span.tail = element.tail
    element.getparent().replace(element, span)


def _text(element: HtmlElement) -> str:
    return _SPACE.sub(" ", str(element.text_content())).strip()


def _formulas(tree: HtmlElement) -> None:
    """Write formulas as the TeX that they carry, else as their text."""
    for formula in tree.xpath("//math"):
        noted = formula.xpath(".//annotation[contains(@encoding, 'tex')]")
        tex = _text(noted[0]) if noted else str(formula.get("alttext") or "").strip()
        _replaced(formula, f"${tex}$" if tex else _text(formula))


def _drawings(tree: HtmlElement) -> None:
    """Keep the lettering of drawings."""
    for drawing in tree.xpath("//svg[not(ancestor::svg)]"):
        _replaced(drawing, "; ".join(filter(None, map(_text, drawing.xpath(".//text")))))


def _ruby(tree: HtmlElement) -> None:
    """Put a reading in parentheses behind its characters."""
    for mark in tree.xpath("//rp"):
        mark.drop_tree()
    for reading in tree.xpath("//rt"):
        _replaced(reading, f"({_text(reading)})")


def _fields(tree: HtmlElement) -> None:
    """Show what stands in the fields of a form."""
    for field in tree.xpath("//input"):
        kind = str(field.get("type") or "text").lower()
        if kind in ("checkbox", "radio"):
            gap = "" if (field.tail or "")[:1].isspace() else " "
            _replaced(field, ("☒" if "checked" in field.attrib else "☐") + gap)
        else:
            _replaced(field, "" if kind in ("hidden", "password") else str(field.get("value") or ""))
    for choice in tree.xpath("//select"):
        chosen = choice.xpath(".//option[@selected]") or choice.xpath(".//option")
        _replaced(choice, " / ".join(filter(None, map(_text, chosen))))


def _definitions(tree: HtmlElement) -> None:
    """Turn lists of definitions into lists of `term: definition`."""
    for definitions in tree.xpath("//dl"):
        items: list[HtmlElement] = []
        before = ""
        for part in definitions.xpath("./dt | ./dd | ./div/dt | ./div/dd"):
            is_term = part.tag == "dt"
            if not items or (is_term and before != "dt"):
                items.append(E.li())
            block = bool(part.xpath("./p | ./ul | ./ol | ./div | ./table | ./dl"))
            mark = (
                ", "
                if is_term and before == "dt"
                else ": "
                if before == "dt"
                else "; "
                if before and not is_term
                else ""
            )
            if mark and not (block and mark == "; "):
                items[-1].append(E.span(mark))
            before, part.tag, part.tail = str(part.tag), "div" if block and not is_term else "span", None
            items[-1].append(part)
        definitions.tag = "ul"
        tail = definitions.tail
        definitions[:] = items
        definitions.tail = tail


def _tables(tree: HtmlElement) -> None:
    """Give each table one header and no spans; take apart those that only place things on a page."""
    for table in reversed(tree.xpath("//table")):
        for cell in table.xpath("./thead/tr/td"):
            cell.tag = "th"
        cells = [row.xpath("./td | ./th") for row in table.xpath("./tr | ./thead/tr | ./tbody/tr | ./tfoot/tr")]
        grid = _filled([row for row in cells if row])
        if _is_layout(table, grid):
            _take_apart(table, cells)
        elif grid:
            _rebuild(table, grid)


def _is_layout(table: HtmlElement, grid: list[list[HtmlElement]]) -> bool:
    """Whether a table only places things: it says so, has a single row or column, or is laid out around others."""
    placed = table.get("border") == "0" or not _PLACING.isdisjoint(table.attrib)
    return (
        table.get("role") in ("presentation", "none")
        or max(map(len, grid), default=0) < 2
        or (len(grid) < 2 and not table.xpath(".//th"))
        or (placed and bool(table.xpath(".//table")) and not table.xpath("./tr/th | ./*/tr/th"))
    )


def _take_apart(table: HtmlElement, rows: list[list[HtmlElement]]) -> None:
    for cell in (cell for row in rows for cell in row):
        cell.tag = "div"
    for part in table.xpath("./tr | ./thead | ./tbody | ./tfoot | ./*/tr"):
        part.tag = "div"
    table.tag = "div"


def _filled(rows: list[list[HtmlElement]]) -> list[list[HtmlElement]]:
    """Return the cells by row and column, one that spans rows or columns in each place that it covers.

    A cell as wide as the table stands in its first column alone.
    """
    width = min(max((sum(_span(cell, "colspan") for cell in row) for row in rows), default=0), _MOST_COLUMNS)
    grid: list[dict[int, HtmlElement]] = [{} for _ in rows]
    if width * len(rows) > MOST_CELLS:
        return rows
    for number, row in enumerate(rows):
        column = 0
        for cell in row:
            while column in grid[number]:
                column += 1
            across = min(_span(cell, "colspan"), max(width - column, 1))
            for down in range(min(_span(cell, "rowspan"), len(rows) - number)):
                for over in range(across if across < width else 1):
                    grid[number + down][column + over] = cell if not down and not over else _copy(cell)
            column += across
    return [[row[at] if at in row else E.td() for at in range(max(row, default=-1) + 1)] for row in grid]


def _span(cell: HtmlElement, name: str) -> int:
    value = str(cell.get(name) or "1").strip()
    return max(int(value), 1) if value.isdecimal() and len(value) < 6 else 1


def _copy(cell: HtmlElement) -> HtmlElement:
    """Return a copy without pictures, which are read once."""
    copy = deepcopy(cell)
    copy.tail = None
    for image in copy.xpath(".//img"):
        image.drop_tree()
    return copy


def _rebuild(table: HtmlElement, grid: list[list[HtmlElement]]) -> None:
    for inner in (inner for row in grid for cell in row for inner in cell.xpath(".//table")):
        lines = (" ".join(filter(None, map(_text, row))) for row in inner.xpath(".//tr"))
        _replaced(inner, "; ".join(filter(None, lines)))
    for item in (item for row in grid for cell in row for item in cell.xpath(".//li")):
        item.tag, item.tail = "span", "; " if item.getnext() is not None else None
    for items in (items for row in grid for cell in row for items in cell.xpath(".//ul | .//ol")):
        items.tag = "div"
    captions = [E.p(*_content(caption)) for caption in table.xpath("./caption")]
    spans = [[(_span(cell, "colspan"), _span(cell, "rowspan")) for cell in row] for row in grid]
    while len(grid) > 1 and len(grid[0]) == 1:
        captions.append(E.p(*_content(grid.pop(0)[0])))
        spans.pop(0)
    height = _header_rows(grid, spans)
    rows = [list(_joined(grid[:height]))] if height > 1 else grid[:1]
    body = [*rows, *grid[height:]]
    width = max(map(len, body))
    for row in body:
        row += [E.td() for _ in range(width - len(row))]
        for cell in row:
            cell.tag, cell.tail = "th" if row is body[0] else "td", None
            cell.attrib.clear()
    new = E.table(*(E.tr(*row) for row in body))
    whole = E.div(*captions, new)
    whole.tail = table.tail
    table.getparent().replace(table, whole)


def _content(cell: HtmlElement) -> Iterator[str | HtmlElement]:
    if cell.text:
        yield cell.text
    yield from list(cell)


def _header_rows(grid: list[list[HtmlElement]], spans: list[list[tuple[int, int]]]) -> int:
    """Return how many rows name the columns: all of `th`, or as many as the first row's cells span beside groups."""
    marked = 0
    for row in grid:
        if not all(cell.tag == "th" for cell in row):
            break
        marked += 1
    grouped = any(across > 1 for across, _ in spans[0]) and any(down > 1 for _, down in spans[0])
    stated = max(down for _, down in spans[0]) if grouped else 1
    height = max(marked, stated, 1)
    return height if height < min(len(grid), _MOST_HEADER_ROWS + 1) else 1


def _joined(rows: list[list[HtmlElement]]) -> Iterator[HtmlElement]:
    """Yield one cell a column with the names that stand above each other."""
    for column in range(max(map(len, rows))):
        names = [_text(row[column]) for row in rows if column < len(row)]
        yield E.th(" ".join(name for last, name in pairwise(["", *names]) if name != last))
