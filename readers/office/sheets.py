"""Spreadsheets (XLSX, XLSB, XLS, ODS): one page a sheet, its cells as Markdown tables under repeated headers.

Calamine returns a sheet as a full rectangle, so one stray cell far away can need more memory than there is; its
process then aborts, which the sandbox reports as too large.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zipfile import ZipInfo

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum

from domain.errors import FileCorrupt, FileEncrypted, FileTooLarge
from readers.archive import open_archive
from readers.figures import UNREAD
from readers.interface import Item, Options, Outline, Page
from readers.media_types import XLS
from readers.tables import has_header, is_number, table_blocks
from readers.texts import CELLS, CHARACTERS, SHEETS, filled

_PICTURE = re.compile(r"(?:xl/media|Pictures)/.*\.(?:png|jpe?g|gif|bmp|tiff?|webp|emf|wmf)$", re.I)
_LEAST_PICTURE = 4096
MAX_ROWS = 200_000
MAX_CELLS = 20_000_000
Cell = str | int | float | bool | date | datetime | time | timedelta | None


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sheets of the workbook at `path`.

    Raises:
        FileTooLarge: a zip bomb by its directory, or a sheet of more than `MAX_CELLS` cells.
        FileEncrypted: it needs a password.
        FileCorrupt: it is no sound workbook.
    """
    pictures = 0
    if options.media_type != XLS:
        with open_archive(path, options.name) as archive:
            pictures = sum(1 for member in archive.infolist() if _is_picture(member))
    try:
        workbook = CalamineWorkbook.from_path(str(path))
    except PasswordError as error:
        raise FileEncrypted(name=options.name) from error
    except (CalamineError, OSError, ValueError) as error:
        raise FileCorrupt(name=options.name) from error
    names = [sheet.name for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    if len(names) > options.max_pages:
        raise FileTooLarge(name=options.name, limit=filled(SHEETS, len(names), options.max_pages))
    yield Outline(options.media_type, "sheet", len(names))
    for number, name in enumerate(names, 1):
        try:
            sheet = workbook.get_sheet_by_name(name)
        except (CalamineError, ValueError) as error:
            raise FileCorrupt(name=options.name) from error
        page = _page(sheet, number, options)
        noted = (*page.warnings, f"{UNREAD}:{pictures}") if pictures and number == 1 else page.warnings
        yield replace(page, warnings=noted)


def _is_picture(member: ZipInfo) -> bool:
    """Whether a member is a picture of some size; which sheet shows it is not looked up, so it is only counted."""
    return bool(_PICTURE.match(member.filename)) and member.file_size >= _LEAST_PICTURE


def _page(sheet: CalamineSheet, number: int, options: Options) -> Page:
    if sheet.height * sheet.width > MAX_CELLS:
        limit = filled(CELLS, sheet.name, sheet.height, sheet.width, MAX_CELLS)
        raise FileTooLarge(name=options.name, limit=limit)
    rows: list[list[str]] = []
    size = 0
    warnings: tuple[str, ...] = ()
    for row in sheet.iter_rows():
        cells = [cell_value(value) for value in row]
        size += sum(map(len, cells))
        if size > options.max_text_chars:
            raise FileTooLarge(name=options.name, limit=filled(CHARACTERS, options.max_text_chars))
        if any(cells):
            rows.append(cells)
        if len(rows) == MAX_ROWS:
            warnings = (f"rows_cut:{MAX_ROWS}",)
            break
    return Page(number, sheet.name, "\n\n".join(_markdown(sheet.name, _without_empty_columns(rows))), warnings=warnings)


def cell_value(value: Cell) -> str:
    """Return a cell as people write it: whole numbers without a point, dates as ISO 8601."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).strip()


def _without_empty_columns(rows: list[list[str]]) -> list[list[str]]:
    filled = sorted({at for row in rows for at, cell in enumerate(row) if cell})
    return [[row[at] if at < len(row) else "" for at in filled] for row in rows]


def _markdown(name: str, rows: list[list[str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"# {name}"
    lead = next((at for at, row in enumerate(rows) if sum(map(bool, row)) > 1), len(rows))
    for row in rows[:lead]:
        yield " ".join(cell for cell in row if cell)
    header, body = _split_header(rows[lead:])
    if header:
        for _, _, markdown in table_blocks(header, body):
            yield markdown


def _split_header(rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return the names of the columns and the rows below; up to three rows of words above numbers are one header."""
    if len(rows) <= 1 or has_header(rows):
        return (rows[0], rows[1:]) if rows else ([], [])
    height = next((at for at, row in enumerate(rows[:4]) if any(is_number(cell) for cell in row)), 0)
    if not 1 <= height <= 3:
        return [""] * len(rows[0]), rows
    return [" ".join(filter(None, column)) for column in zip(*rows[:height], strict=True)], rows[height:]
