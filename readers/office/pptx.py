"""Presentations (PPTX): one page a slide, with title, text, tables, charts and speaker notes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.opc.package import OpcPackage
from pptx.package import Package
from pptx.shapes.picture import Picture
from pptx.shapes.placeholder import PlaceholderPicture

from domain.errors import FileCorrupt, FileTooLarge
from domain.language import language_of
from readers.archive import open_archive
from readers.figures import Figures
from readers.interface import Item, Options, Outline, Page
from readers.tables import table
from readers.texts import NOTES, SLIDES, filled

_SKIPPED = {PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER}
_MOST_NESTED = 20


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
    for number, slide in enumerate(slides, 1):
        yield figures.finish(Page(number, str(number), "\n\n".join(_slide_parts(slide, figures))))


def _slide_parts(slide: Any, figures: Figures) -> Iterator[str]:
    title = slide.shapes.title
    if title is not None and title.has_text_frame and title.text_frame.text.strip():
        yield "# " + " ".join(title.text_frame.text.split())
    shapes = [shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id]
    for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
        yield from _shape_parts(shape, 0, figures)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text.strip()
        if notes:
            yield f"## {NOTES.text(language_of(notes, 'en'))}\n\n{notes}"


def _shape_parts(shape: Any, depth: int, figures: Figures) -> Iterator[str]:
    if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
        for inner in shape.shapes if depth < _MOST_NESTED else ():
            yield from _shape_parts(inner, depth + 1, figures)
    elif not (shape.is_placeholder and shape.placeholder_format.type in _SKIPPED):
        yield from _content_parts(shape)
        if isinstance(shape, Picture | PlaceholderPicture):
            yield _picture(shape, figures)


def _content_parts(shape: Any) -> Iterator[str]:
    if getattr(shape, "has_table", False):
        rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
        if rows:
            yield table(rows[0], rows[1:])
    elif getattr(shape, "has_chart", False):
        yield from _chart_parts(shape.chart)
    elif shape.has_text_frame:
        text = "\n".join(_paragraphs(shape.text_frame))
        if text:
            yield text


def _picture(shape: Any, figures: Figures) -> str:
    """Keep a picture as it is shown, without what is cropped away; linked ones are not in the file."""
    try:
        data = shape.image.blob
        crop = (shape.crop_left, shape.crop_top, shape.crop_right, shape.crop_bottom)
    except (PythonPptxError, KeyError, AttributeError, ValueError):
        return figures.place(None)
    return figures.place(data, crop)


def _paragraphs(frame: Any) -> Iterator[str]:
    """Yield a text frame's paragraphs; where it has several, as list items indented by level."""
    paragraphs = [(paragraph.level, " ".join(paragraph.text.split())) for paragraph in frame.paragraphs]
    filled = [(level, text) for level, text in paragraphs if text]
    for level, text in filled:
        yield f"{'  ' * level}- {text}" if len(filled) > 1 else text


def _chart_parts(chart: Any) -> Iterator[str]:
    if chart.has_title and chart.chart_title.has_text_frame:
        yield chart.chart_title.text_frame.text
    plot = next(iter(chart.plots), None)
    if plot is None:
        return
    series = [(str(one.name), list(one.values)) for one in plot.series]
    categories = [str(category) for category in plot.categories]
    rows = [
        [category, *("" if at >= len(values) or values[at] is None else f"{values[at]:g}" for _, values in series)]
        for at, category in enumerate(categories)
    ]
    if rows:
        yield table(["", *(name for name, _ in series)], rows)
