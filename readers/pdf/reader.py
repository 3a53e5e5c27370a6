"""PDF: one page at a time, text where the text layer is usable, else a picture of the page for OCR.

A document over `max_pages` is read up to there and says so; over ten times as many it is refused.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from domain.errors import FileCorrupt, FileEncrypted, FileTooLarge
from domain.language import language_of
from readers.figures import MARK, UNREAD
from readers.hidden import joined
from readers.interface import Embedded, Item, Options, Outline, Page
from readers.pdf.figures import MOST, MOST_A_PAGE, above, clipped, draw, regions
from readers.pdf.layout import Block, Typography, squeeze, typography, visible_blocks
from readers.pdf.lines import ONCE, is_doubled, mended, torn_out
from readers.pdf.markdown import page_markdown
from readers.pdf.mupdf import pymupdf
from readers.pdf.scan import Verdict, judge, render
from readers.pdf.tables import OpenTable
from readers.pdf.unseen import Layers, Parted, parted
from readers.texts import COMMENT, PAGES, filled

HARD_FACTOR = 10
_NAME = re.compile(r"(?!(?:text|field|undefined|untitled|fill|feld|champ)[\W\d_]*\Z).*?[^\W\d_]{2}", re.I)
"""What the name of a field has when it says what the field holds."""
TABLE_SECONDS = 6.0
"""Time a document may spend on finding ruled tables (5 to 30 pages a second)."""
HIDDEN_LAYER_PAGES = 40
"""Pages of a scan with hidden text that are recognised again; after these, a layer that reads well is trusted."""

_TEXT_FLAGS = (
    pymupdf.TEXTFLAGS_DICT
    & ~pymupdf.TEXT_PRESERVE_IMAGES
    & ~pymupdf.TEXT_PRESERVE_LIGATURES
    & ~pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
) | pymupdf.TEXT_MEDIABOX_CLIP
_NOTES = (
    pymupdf.mupdf.PDF_ANNOT_TEXT,
    pymupdf.mupdf.PDF_ANNOT_HIGHLIGHT,
    pymupdf.mupdf.PDF_ANNOT_UNDERLINE,
    pymupdf.mupdf.PDF_ANNOT_SQUIGGLY,
    pymupdf.mupdf.PDF_ANNOT_STRIKE_OUT,
    pymupdf.mupdf.PDF_ANNOT_CARET,
)
MOST_FILES = 20
"""Most files inside a document that are read."""
_ERRORS = (RuntimeError, ValueError, pymupdf.FileDataError, pymupdf.mupdf.FzErrorBase)


@dataclass(slots=True)
class _Reading:
    """What is carried from page to page."""

    options: Options
    typography: Typography
    headings: dict[int, dict[str, int]]
    layers: Layers
    table_seconds: float = TABLE_SECONDS
    hidden_pages: int = field(default=0)
    figures: int = field(default=0)
    table: OpenTable | None = None


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the pages of the PDF at `path`.

    Raises:
        FileCorrupt: it cannot be opened, or has no page.
        FileEncrypted: it needs a password, or another one than `options.password`.
        FileTooLarge: over `HARD_FACTOR` times `options.max_pages`.
    """
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    document, total = _open(path, options)
    with document:
        count = min(total, options.max_pages)
        warnings = ["repaired"] if document.is_repaired else []
        if count < total:
            warnings.append(f"pages_cut:{count}")
        title = ((document.metadata or {}).get("title") or "").strip()
        yield Outline(options.media_type, "page", count, title, warnings=tuple(warnings))
        with closing(Layers(document, lambda: _open(path, options)[0])) as layers:
            reading = _Reading(options, _typography(document, count), _headings(document), layers)
            for index in range(count):
                yield _read_page(document, index, reading)
        yield from islice(_files(document, count), MOST_FILES)


def _open(path: Path, options: Options) -> tuple[pymupdf.Document, int]:
    try:
        document = pymupdf.open(path, filetype="pdf")
        if document.needs_pass and not document.authenticate(options.password or ""):
            raise FileEncrypted(name=options.name)
        total = _page_count(document)
    except _ERRORS as error:
        raise FileCorrupt(name=options.name) from error
    if total == 0:
        raise FileCorrupt(name=options.name)
    if total > HARD_FACTOR * options.max_pages:
        raise FileTooLarge(name=options.name, limit=filled(PAGES, total, HARD_FACTOR * options.max_pages))
    return document, total


def _page_count(document: pymupdf.Document) -> int:
    """Return the number of pages that can be loaded, which a broken or lying file states wrongly."""
    stated = int(document.page_count)
    if stated == 0 or _loads(document, stated - 1):
        return stated
    low, high = 0, stated - 1
    while low < high:
        middle = (low + high) // 2
        if _loads(document, middle):
            low = middle + 1
        else:
            high = middle
    return low


def _loads(document: pymupdf.Document, index: int) -> bool:
    try:
        document.load_page(index)
    except _ERRORS:
        return False
    return True


def _typography(document: pymupdf.Document, count: int) -> Typography:
    """Learn the body type from up to 16 pages spread over the document."""
    sample = []
    for index in range(0, count, max(1, count // 16)):
        try:
            sample.append(visible_blocks(document[index].get_text("dict", flags=_TEXT_FLAGS)["blocks"])[0])
        except _ERRORS:
            continue
    return typography(sample)


def _headings(document: pymupdf.Document) -> dict[int, dict[str, int]]:
    """Return the table of contents as page index -> squeezed title -> level."""
    headings: dict[int, dict[str, int]] = {}
    try:
        entries = document.get_toc(simple=True)
    except _ERRORS:
        return {}
    for level, title, number in entries[:20_000]:
        if number > 0 and squeeze(title):
            headings.setdefault(number - 1, {}).setdefault(squeeze(title), min(int(level), 6))
    return headings


def _read_page(document: pymupdf.Document, index: int, reading: _Reading) -> Page:
    label = str(index + 1)
    try:
        page = document[index]
        label = page.get_label() or label
        text = parted(page, _TEXT_FLAGS)
        if is_doubled(text.seen):
            text = parted(page, _TEXT_FLAGS | ONCE)
        off = reading.layers.text(index, [*text.seen, *text.layer, *text.hidden], _TEXT_FLAGS)
        hidden = joined([*text.text.split("\n"), *off.split("\n")])
        verdict = judge(page, text.seen, text.layer)
        if verdict.needs_ocr and not _trusts(verdict, reading):
            return replace(_picture_page(page, label, verdict, reading), hidden=hidden)
        if verdict.uses_hidden:
            markdown, _ = page_markdown(mended(text.layer, page), reading.typography, {})
            return Page(index + 1, label, markdown, warnings=("scan_text_layer",), hidden=hidden)
        return _text_page(page, label, text, hidden, reading)
    except _ERRORS:
        return Page(index + 1, label, "", warnings=("page_failed",))


def _trusts(verdict: Verdict, reading: _Reading) -> bool:
    """Whether a scan's own text layer is taken as it is: it reads like language, and OCR had its share of pages."""
    if not verdict.uses_hidden:
        return False
    reading.hidden_pages += 1
    return reading.hidden_pages > HIDDEN_LAYER_PAGES


def _picture_page(page: pymupdf.Page, label: str, verdict: Verdict, reading: _Reading) -> Page:
    image, warnings = render(page, reading.options.max_pixels)
    return Page(page.number + 1, label, verdict.text, image, warnings)


def _text_page(page: pymupdf.Page, label: str, text_of: Parted, hidden: str, reading: _Reading) -> Page:
    began, blocks = time.monotonic(), text_of.seen
    headings = {**reading.headings.get(page.number - 1, {}), **reading.headings.get(page.number, {})}
    finder = page if reading.table_seconds > 0 else None
    lines, broken = torn_out(mended(blocks, page))
    if len(broken) > MOST_A_PAGE:
        return _picture_page(page, label, Verdict(True, False, ""), reading)
    unseen = [*text_of.hidden, *text_of.layer]
    markdown, reading.table = page_markdown(lines, reading.typography, headings, finder, reading.table, unseen)
    if finder is not None:
        reading.table_seconds -= time.monotonic() - began
    fields = _form_fields(page, squeeze(markdown))
    text = "\n\n".join(part for part in (markdown, fields, *_notes(page)) if part)
    figures, places, unread = _figures(page, blocks, reading)
    torn, text = _torn(page, broken, text, reading)
    first = above(blocks, places)
    text = "\n\n".join([*[MARK] * first, text, *[MARK] * (len(places) - first)])
    unread += len(broken) - len(torn)
    warnings = (f"{UNREAD}:{unread}",) if unread else ()
    kept = (*figures[:first], *torn, *figures[first:])
    return Page(page.number + 1, label, text, None, warnings, kept, hidden)


def _torn(
    page: pymupdf.Page, broken: dict[str, Sequence[float]], text: str, reading: _Reading
) -> tuple[list[bytes], str]:
    """Return pictures of the lines without letters in the order of the text, and the text with their marks."""
    pictures: list[bytes] = []
    for place in sorted(broken, key=text.find):
        if place not in text or reading.figures >= MOST:
            text = text.replace(place, "")
            continue
        reading.figures += 1
        pictures.append(clipped(page, broken[place]))
        text = text.replace(place, MARK)
    return pictures, text


def _figures(
    page: pymupdf.Page, blocks: list[Block], reading: _Reading
) -> tuple[tuple[bytes, ...], list[pymupdf.Rect], int]:
    """Return the pictures beside the text that may hold text too, where they stand, and how many are left out."""
    figures, places, unread = [], [], 0
    huge = any(image[2] * image[3] > reading.options.max_pixels for image in page.get_images())
    for region in regions(page, blocks):
        if reading.figures >= MOST or huge:
            unread += 1
        elif (image := draw(page, region, blocks)) is not None:
            reading.figures += 1
            figures.append(image)
            places.append(region)
    return tuple(figures), places, unread


def _notes(page: pymupdf.Page) -> Iterator[str]:
    """Yield what people noted on the page, and what they struck out."""
    for note in page.annots(types=_NOTES) if page.first_annot else ():
        content = " ".join(str(note.info["content"]).split())
        struck = note.type[0] == pymupdf.mupdf.PDF_ANNOT_STRIKE_OUT
        under = " ".join(page.get_textbox(note.rect).split()) if struck else ""
        said = ": ".join(part for part in (f"~~{under}~~" if under else "", content) if part)
        if said:
            author = f" ({note.info['title']})" if note.info["title"] else ""
            yield f"{COMMENT.text(language_of(said, 'en'))}{author}: {said}"


def _files(document: pymupdf.Document, count: int) -> Iterator[Embedded]:
    """Yield the files that are attached to the document, and to places on its pages."""
    try:
        for name in document.embfile_names():
            yield Embedded(document.embfile_info(name).get("filename") or name, document.embfile_get(name))
        for index in range(count) if document.has_annots() else ():
            for pin in document[index].annots(types=(pymupdf.mupdf.PDF_ANNOT_FILE_ATTACHMENT,)):
                yield Embedded(str(pin.file_info.get("filename") or "attachment"), pin.get_file())
    except _ERRORS:
        return


def _form_fields(page: pymupdf.Page, seen: str) -> str:
    """Return the filled fields of a form, unless the page's text shows them behind their names."""
    lines = []
    for widget in page.widgets() or ():
        value = str(widget.field_value or "").strip()
        if not value or value in ("Off", "False") or widget.field_type_string in ("Signature", "Button"):
            continue
        name = (widget.field_label or widget.field_name or "").strip()
        telling = bool(_NAME.match(name))
        shown = squeeze(value) in seen and not (telling and squeeze(name.rstrip(":： ")) not in seen)
        if not shown or widget.field_type_string in ("CheckBox", "RadioButton"):
            lines.append(f"- {name}: {value}" if telling or len(value) < 2 else f"- {value}")
    return "\n".join(lines)
