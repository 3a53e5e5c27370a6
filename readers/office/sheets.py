"""Spreadsheets (XLSX, XLSB, XLS, ODS): one page a sheet, its cells as Markdown tables under repeated headers.

Cells are shown as people see them, merged ones in each row and column that they cover, comments behind their cells.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from io import BytesIO
from itertools import chain, repeat
from pathlib import Path
from zipfile import ZipInfo

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from domain.errors import FileCorrupt, FileEncrypted, FileTooLarge
from domain.language import language_of
from readers.archive import open_archive
from readers.figures import UNREAD
from readers.hidden import joined
from readers.interface import Item, Options, Outline, Page
from readers.media_types import ODS, XLS, XLSX
from readers.office.ods_notes import ods_notes
from readers.office.sheet_xml import MOST_CELLS, SheetNotes, SheetPackage
from readers.office.xls_unseen import XlsBook
from readers.office.xlsb_unseen import XlsbBook
from readers.tables import split_header, table_blocks
from readers.texts import CELLS, CHARACTERS, COMMENT, HIDDEN_COLUMN, HIDDEN_ROW, HIDDEN_SHEET, SHEETS, filled

_PICTURE = re.compile(r"(?:xl/media|Pictures)/.*\.(?:png|jpe?g|gif|bmp|tiff?|webp|emf|wmf)$", re.I)
_LEAST_PICTURE = 4096
MAX_ROWS = 250_000
Cell = str | int | float | bool | date | datetime | time | timedelta | None


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sheets of the workbook at `path`.

    Raises:
        FileTooLarge: a zip bomb by its directory, or a sheet of more than `MOST_CELLS` cells.
        FileEncrypted: it needs a password.
        FileCorrupt: it is no sound workbook.
    """
    pictures, source = 0, None
    notes_of: Callable[[str], SheetNotes]
    with ExitStack() as stack:
        if options.media_type == XLS:
            notes_of = XlsBook(path).notes
        else:
            archive = stack.enter_context(open_archive(path, options.name))
            pictures = sum(1 for member in archive.infolist() if _is_picture(member))
            if options.media_type == XLSX:
                package = SheetPackage(archive, options.name)
                source, notes_of = package.compacted(), package.notes
            elif options.media_type == ODS:
                notes_of = defaultdict(SheetNotes, ods_notes(archive, options.name)).__getitem__
            else:
                notes_of = XlsbBook(archive, options.name).notes
        workbook = _opened(source or path, options)
        sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
        if len(sheets) > options.max_pages:
            raise FileTooLarge(name=options.name, limit=filled(SHEETS, len(sheets), options.max_pages))
        yield Outline(options.media_type, "sheet", len(sheets))
        for number, metadata in enumerate(sheets, 1):
            try:
                sheet = workbook.get_sheet_by_name(metadata.name)
            except (CalamineError, ValueError) as error:
                raise FileCorrupt(name=options.name) from error
            hidden = metadata.visible != SheetVisibleEnum.Visible
            page = _page(sheet, number, hidden, notes_of(metadata.name), options)
            noted = (*page.warnings, f"{UNREAD}:{pictures}") if pictures and number == 1 else page.warnings
            yield replace(page, warnings=noted)


def _opened(source: Path | BytesIO, options: Options) -> CalamineWorkbook:
    try:
        if isinstance(source, BytesIO):
            return CalamineWorkbook.from_filelike(source)
        return CalamineWorkbook.from_path(str(source))
    except PasswordError as error:
        raise FileEncrypted(name=options.name) from error
    except (CalamineError, OSError, ValueError) as error:
        raise FileCorrupt(name=options.name) from error


def _is_picture(member: ZipInfo) -> bool:
    """Whether a member is a picture of some size; which sheet shows it is not looked up, so it is only counted."""
    return bool(_PICTURE.match(member.filename)) and member.file_size >= _LEAST_PICTURE


def _page(sheet: CalamineSheet, number: int, hidden: bool, notes: SheetNotes, options: Options) -> Page:
    if sheet.height * sheet.width > MOST_CELLS:
        limit = filled(CELLS, sheet.name, sheet.height, sheet.width, MOST_CELLS)
        raise FileTooLarge(name=options.name, limit=limit)
    rows: list[list[str]] = []
    wide: list[bool] = []
    size = 0
    warnings: tuple[str, ...] = ()
    for cells, grouped in _rows(sheet, notes):
        size += sum(map(len, cells))
        if size > options.max_text_chars:
            raise FileTooLarge(name=options.name, limit=filled(CHARACTERS, options.max_text_chars))
        rows.append(cells)
        wide.append(grouped)
        if len(rows) == MAX_ROWS:
            warnings = (f"rows_cut:{MAX_ROWS}",)
            break
    if notes.without_value:
        warnings += (f"formulas_without_value:{notes.without_value}",)
    name = f"{sheet.name} {HIDDEN_SHEET.text(language_of(sheet.name, 'en'))}" if hidden else sheet.name
    text = "\n\n".join(_markdown(name, _without_empty_columns(rows), wide))
    return Page(number, name, text, warnings=warnings, hidden=joined(notes.hidden))


def _rows(sheet: CalamineSheet, notes: SheetNotes) -> Iterator[tuple[list[str], bool]]:
    """Yield the cells of each row that has any, and whether some of them are named in groups."""
    start = sheet.start[1] if sheet.start else 0
    noted = [*notes.texts, *notes.comments]
    left = min([start, *(column for _, column in noted)])
    width = max([start + sheet.width, *(column + 1 for _, column in noted)]) - left
    rows = chain(sheet.iter_rows(), repeat([], max([0, *(row + 1 - sheet.total_height for row, _ in noted)])))
    covered, grouped = _merged(sheet, notes, left)
    above: dict[int, str] = {}
    unnamed = set(notes.columns)
    for at, row in enumerate(rows):
        values = {start + column: cell_value(value) for column, value in enumerate(row)}
        places = [(at, column) for column in range(left, left + width)]
        cells = [notes.texts.get(place) or values.get(place[1], "") for place in places]
        if notes.unseen:
            notes.hidden += [cell for place, cell in zip(places, cells, strict=True) if place in notes.unseen]
            cells = ["" if place in notes.unseen else cell for place, cell in zip(places, cells, strict=True)]
        for column, first in covered.get(at, {}).items():
            if column < len(cells):
                above[first] = cells[column] if column == first and cells[column] else above.get(first, "")
                cells[column] = above[first]
        _name(cells, at, left, notes, unnamed)
        if any(cells):
            yield cells, at in grouped


def _name(cells: list[str], at: int, left: int, notes: SheetNotes, unnamed: set[int]) -> None:
    """Say in the cells of row `at` what is a comment, and which rows and columns are hidden, each once."""
    for column, cell in enumerate(cells) if notes.comments or unnamed else ():
        if comment := notes.comments.get((at, left + column)):
            name = COMMENT.text(language_of(comment, "en"))
            cells[column] = f"{cell} ({name}: {comment})".strip()
        if cell and left + column in unnamed:
            unnamed.remove(left + column)
            cells[column] = f"{cells[column]} {HIDDEN_COLUMN.text(language_of(cell, 'en'))}"
    if at in notes.rows and any(cells):
        first = next(column for column, cell in enumerate(cells) if cell)
        cells[first] = f"{HIDDEN_ROW.text(language_of(cells[first], 'en'))} {cells[first]}"


def _merged(sheet: CalamineSheet, notes: SheetNotes, left: int) -> tuple[dict[int, dict[int, int]], set[int]]:
    """Return which cells merged ones cover (row -> column -> its first column), and the rows with groups of columns.

    A cell as wide as the sheet is a title and stands once.
    """
    covered: dict[int, dict[int, int]] = {}
    grouped: set[int] = set()
    for (top, first), (bottom, last) in sheet.merged_cell_ranges or notes.merged:
        if last - first + 1 >= max(sheet.width, 2) or (bottom - top + 1) * (last - first + 1) > MOST_CELLS:
            continue
        if last > first:
            grouped.add(top)
        for row in range(top, min(bottom, sheet.height + top) + 1):
            for column in range(first - left, last - left + 1):
                covered.setdefault(row, {})[column] = first - left
    return covered, grouped


def cell_value(value: Cell) -> str:
    """Return a cell as people write it: whole numbers without a point, dates as ISO 8601."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).strip()


def _without_empty_columns(rows: list[list[str]]) -> list[list[str]]:
    filled = sorted({at for row in rows for at, cell in enumerate(row) if cell})
    return [[row[at] if at < len(row) else "" for at in filled] for row in rows]


def _markdown(name: str, rows: list[list[str]], wide: list[bool]) -> Iterator[str]:
    if not rows:
        return
    yield f"# {name}"
    lead = next((at for at, row in enumerate(rows) if len({*row} - {""}) > 1), len(rows))
    for row in rows[:lead]:
        yield next(cell for cell in row if cell)
    header, body = split_header(rows[lead:], wide[lead:])
    if header:
        for _, _, markdown in table_blocks(header, body):
            yield markdown
