"""Presentations (PPTX): one page a slide, with title, text, tables, charts and speaker notes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.opc.package import OpcPackage
from pptx.package import Package
from pptx.shapes.group import GroupShape
from pptx.shapes.picture import Picture
from pptx.shapes.placeholder import PlaceholderPicture

from domain.errors import FileCorrupt, FileTooLarge
from domain.language import language_of
from readers.archive import open_archive
from readers.figures import Figures
from readers.interface import PARTS, Item, Options, Outline, Page
from readers.office.charts import chart_markdown
from readers.office.compatible import DIAGRAM, DRAWING, choose, drawn_text
from readers.office.equations import MATH, latex
from readers.office.package import LINK
from readers.office.pptx_unseen import take_unseen
from readers.raised import lowered, raised
from readers.tables import table
from readers.texts import COMMENT, HIDDEN, NOTES, SLIDES, filled

_SKIPPED = {PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER}
_MOST_NESTED = 20
_HEADING = re.compile(r"^(?=#)", re.M)
"""What would end the notes for whoever reads the page."""
_PRESENTATION = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_UNREAD = (f"{_PRESENTATION}oleObj", f"{DRAWING}videoFile", f"{DRAWING}audioFile", "{*}contentPart")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the slides of the PPTX (or PPSX, POTX) file at `path`.

    Raises:
        FileTooLarge: a zip bomb by its directory, or far too many slides.
        FileCorrupt: it is no sound presentation.
    """
    open_archive(path, options.name).close()
    try:
        package: OpcPackage = Package.open(str(path))
        presentation = package.main_document_part.presentation
        slides = list(presentation.slides)
    except (PythonPptxError, KeyError, AttributeError, ValueError) as error:
        raise FileCorrupt(name=options.name) from error
    if len(slides) > options.max_pages:
        raise FileTooLarge(name=options.name, limit=filled(SLIDES, len(slides), options.max_pages))
    yield Outline(options.media_type, "slide", len(slides), presentation.core_properties.title or "")
    figures = Figures(options.max_pixels)
    footers: set[str] = set()
    for number, slide in enumerate(slides, 1):
        choose(slide.element)
        hidden = take_unseen(slide, presentation.slide_width or 0, presentation.slide_height or 0)
        reader = _SlideReader(slide, figures, footers)
        markdown = "\n\n".join(filter(None, reader.parts()))
        warnings = (f"{PARTS}:{reader.left_out}",) if reader.left_out else ()
        unshown = slide.element.get("show") == "0"
        label = f"{number} {HIDDEN.text(language_of(markdown, 'en'))}" if unshown else str(number)
        yield figures.finish(Page(number, label, markdown, warnings=warnings, hidden=hidden))


class _SlideReader:
    """Reads one slide.

    Attributes:
        left_out: How many things were left out, so far.
    """

    def __init__(self, slide: Any, figures: Figures, footers: set[str]) -> None:
        """Read `slide`; of `footers`, which are those of the slides before it, none is read again."""
        self.left_out = 0
        self._slide = slide
        self._figures = figures
        self._footers = footers

    def parts(self) -> Iterator[str]:
        """Yield title, shapes from top to bottom, notes and comments."""
        slide = self._slide
        title = slide.shapes.title
        if title is not None and title.has_text_frame and title.text_frame.text.strip():
            yield "# " + " ".join(" ".join(text for _, text in _paragraphs(title.text_frame)).split())
        if slide.element.get("show") == "0":
            yield HIDDEN.text(language_of(drawn_text(slide.element), "en"))
        shapes = [shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id]
        for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
            yield from self._shape(shape, 0)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            notes = slide.notes_slide.notes_text_frame.text.strip()
            if notes:
                yield f"## {NOTES.text(language_of(notes, 'en'))}\n\n{_HEADING.sub(chr(92) * 2, notes)}"
        yield from self._comments()

    def _shape(self, shape: Any, depth: int) -> Iterator[str]:
        if isinstance(shape, GroupShape):
            for inner in shape.shapes if depth < _MOST_NESTED else ():
                yield from self._shape(inner, depth + 1)
        elif not shape.is_placeholder or shape.placeholder_format.type not in _SKIPPED:
            yield from self._content(shape)
            if isinstance(shape, Picture | PlaceholderPicture):
                yield _picture(shape, self._figures)
        elif shape.placeholder_format.type == PP_PLACEHOLDER.FOOTER and shape.has_text_frame:
            text = " ".join(shape.text_frame.text.split())
            if text not in self._footers:
                self._footers.add(text)
                yield text

    def _content(self, shape: Any) -> Iterator[str]:
        self.left_out += sum(1 for _ in shape.element.iter(*_UNREAD))
        if getattr(shape, "has_table", False):
            yield _table(shape.table)
        elif getattr(shape, "has_chart", False):
            text = chart_markdown(shape.chart.element)
            self.left_out += not text
            yield text
        elif shape.has_text_frame:
            yield _listed(list(_paragraphs(shape.text_frame)))
        else:
            yield from self._diagram(shape)

    def _diagram(self, shape: Any) -> Iterator[str]:
        for link in shape.element.iter(f"{DIAGRAM}relIds"):
            try:
                data = self._slide.part.related_part(link.get(f"{LINK}dm")).blob
            except KeyError:
                data = b"<none/>"
            points = [drawn_text(one) for one in etree.fromstring(data, _PARSER).iter(f"{DIAGRAM}pt")]
            self.left_out += not any(points)
            yield "\n".join(f"- {text}" for text in points if text)

    def _comments(self) -> Iterator[str]:
        for link in self._slide.part.rels.values():
            if link.is_external or "comment" not in link.reltype.rpartition("/")[2].lower():
                continue
            for comment in etree.fromstring(link.target_part.blob, _PARSER).iter("{*}cm", "{*}reply"):
                own = comment.findtext("{*}text") or "".join(map(drawn_text, comment.iterchildren("{*}txBody")))
                yield f"{COMMENT.text(language_of(own, 'en'))}: {own.strip()}" if own.strip() else ""


def _picture(shape: Any, figures: Figures) -> str:
    """Keep a picture as it is shown, without what is cropped away; linked ones are not in the file."""
    try:
        data = shape.image.blob
        crop = (shape.crop_left, shape.crop_top, shape.crop_right, shape.crop_bottom)
    except (PythonPptxError, KeyError, AttributeError, ValueError):
        return figures.place(None)
    return figures.place(data, crop)


def _table(made: Any) -> str:
    """Return a table in Markdown, the text of merged cells in each place; a cell as wide as the table stands once."""
    rows: list[list[str]] = [[""] * len(made.columns) for _ in made.rows]
    for at, row in enumerate(made.rows):
        for column, cell in enumerate(row.cells):
            if cell.is_spanned:
                continue
            text = " ".join(text for _, text in _paragraphs(cell.text_frame) if text)
            across = 1 if cell.span_width == len(rows[at]) else cell.span_width
            for down in range(at, min(at + cell.span_height, len(rows))):
                rows[down][column : column + across] = [text] * len(rows[down][column : column + across])
    return table(rows[0], rows[1:]) if rows else ""


def _listed(paragraphs: list[tuple[int, str]]) -> str:
    """Return paragraphs; where there are several, as list items indented by level."""
    filled = [(level, text) for level, text in paragraphs if text]
    return "\n".join(f"{'  ' * level}- {text}" if len(filled) > 1 else text for level, text in filled)


def _paragraphs(frame: Any) -> Iterator[tuple[int, str]]:
    """Yield level and text of a frame's paragraphs, with equations as LaTeX and exponents apart."""
    for paragraph in frame.paragraphs:
        parts: list[str] = []
        for element in paragraph._p.iterchildren(etree.Element):
            name = etree.QName(element).localname
            if name == "m":
                parts += [f"${latex(one)}$" for one in element.iter(f"{MATH}oMath")]
            elif name == "br":
                parts.append(" ")
            else:
                text = "".join(str(one.text or "") for one in element.iter(f"{DRAWING}t"))
                style = element.find(f"{DRAWING}rPr")
                shift = str(style.get("baseline") or "0") if style is not None else "0"
                if shift.strip("-0%"):
                    text = (lowered if shift.startswith("-") else raised)("".join(parts), text)
                parts.append(text)
        yield paragraph.level, " ".join("".join(parts).split())
