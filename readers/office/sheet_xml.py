"""What calamine does not tell of an XLSX sheet: number formats, errors, formulas without a value, comments.

Sheets are scanned as bytes: their XML is too large to be parsed twice.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from zipfile import ZIP_DEFLATED, ZipFile

from lxml import etree

from readers.office.package import LINK, Package
from readers.office.sheet_unseen import hidden_lines, looks_of, number_codes, unseen_looks

Place = tuple[int, int]
"""Row and column, from 0."""
MOST_CELLS = 20_000_000
"""Of the rectangle around all cells that calamine may lay out; beyond it empty rows and columns are taken out."""
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.S)
_PLACED = re.compile(rb'(<(?:\w+:)?(?:c|row)\s(?:[^>]*?\s)?r=")([A-Z]{0,3})(\d{1,7})(")')
_MERGED = re.compile(rb'(<(?:\w+:)?mergeCell\s(?:[^>]*?\s)?ref=")([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})(")')
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension\s[^>]*?ref="(?:[A-Z]+\d+:)?([A-Z]{1,3})(\d{1,7})"[^>]*>')
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_STYLE = re.compile(rb'\bs="(\d+)"')
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]+)</")
_FORMULA = re.compile(rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>([^<]*)</)")
_LONG = re.compile(rb"-?\d{16,}")
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|[_*].')
_MASK = re.compile(r"[0 ()/.\-]*00[0 ()/\-]*")
_PERCENT = {9: "0%", 10: "0.00%"}
_THREADED = re.compile(r".*?\n\w+:\s*", re.S)


@dataclass(slots=True)
class SheetNotes:
    """What stands in the cells of a sheet beside their values.

    Attributes:
        texts: Cells as they are shown, where that differs from their value.
        comments: What people noted on cells.
        merged: First and last cell of merged ones, where calamine does not tell.
        without_value: How many formulas have no stored value; `texts` then holds the formula.
        rows: Those that are hidden.
        columns: Those that are hidden.
        unseen: Cells whose style shows nothing: a format without signs, the colour of the paper, tiny type.
        hidden: The texts of those cells, filled while the sheet is read.
    """

    texts: dict[Place, str] = field(default_factory=dict)
    comments: dict[Place, str] = field(default_factory=dict)
    merged: list[tuple[Place, Place]] = field(default_factory=list)
    without_value: int = 0
    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)
    unseen: set[Place] = field(default_factory=set)
    hidden: list[str] = field(default_factory=list)


class SheetPackage:
    """The XML of an XLSX workbook."""

    def __init__(self, archive: ZipFile, name: str) -> None:
        """Look at `archive`, which its owner closes."""
        self._archive = archive
        self._package = Package(archive, name)
        self._changed: dict[str, bytes] = {}
        self._members: dict[str, str] = {}
        workbook = self._package.part("xl/workbook.xml")
        if workbook is not None:
            links = {link: member for link, (_, member) in workbook.links.items()}
            for sheet in workbook.root.iter("{*}sheet"):
                self._members[str(sheet.get("name"))] = links.get(str(sheet.get(f"{LINK}id")), "")
        styles = self._package.part("xl/styles.xml")
        self._formats = {} if styles is None else _number_formats(styles.root)
        self._blank, self._faint = unseen_looks([] if styles is None else looks_of(styles.root))

    def sheets(self) -> list[str]:
        """Return the names of the sheets whose XML is there."""
        return [name for name in self._members if self._data(name)]

    def compacted(self) -> io.BytesIO | None:
        """Return the workbook without the empty rows and columns of sheets with far cells; `None` if none has any."""
        for name in self.sheets():
            data = self._data(name)
            if _extent(data) > MOST_CELLS:
                self._changed[self._members[name]] = _compact(data)
        if not self._changed:
            return None
        file = io.BytesIO()
        with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as copy:
            for member in self._archive.namelist():
                copy.writestr(member, self._changed.get(member) or self._archive.read(member))
        file.seek(0)
        return file

    def notes(self, name: str) -> SheetNotes:
        """Return what stands beside the values of a sheet."""
        data = self._data(name)
        rows, columns = hidden_lines(data)
        notes = SheetNotes(comments=self._comments(name), rows=rows, columns=columns)
        unseen = self._blank if b"<tableParts" in data else self._blank | self._faint
        for match in _CELL.finditer(data):
            attributes, content = match[1], match[2] or b""
            reference = _REFERENCE.search(attributes)
            style = _STYLE.search(attributes) if unseen and content else None
            if reference and style and int(style[1]) in unseen:
                notes.unseen.add(_place(reference[1], reference[2]))
            text = self._shown(attributes, content, notes) if reference and content else ""
            if reference and text:
                notes.texts[_place(reference[1], reference[2])] = text
        return notes

    def _shown(self, attributes: bytes, content: bytes, notes: SheetNotes) -> str:
        value = _VALUE.search(content)
        if value is None:
            formula = _FORMULA.search(content)
            if formula is None or b"<is" in content:
                return ""
            notes.without_value += 1
            return "=" + unescape((formula[1] or b"").decode("utf-8", "replace"))
        raw = value[1].decode("utf-8", "replace").strip()
        if b't="e"' in attributes:
            return raw
        if b't="' in attributes and b't="n"' not in attributes:
            return ""
        style = _STYLE.search(attributes)
        code = self._formats.get(int(style[1]), "") if style else ""
        return _formatted(raw, code) if code else raw if _LONG.fullmatch(value[1].strip()) else ""

    def _data(self, name: str) -> bytes:
        member = self._members.get(name, "")
        return self._changed.get(member) or self._package.data(member) or b""

    def _comments(self, name: str) -> dict[Place, str]:
        comments: dict[Place, str] = {}
        for kind, member in sorted(self._package.links(self._members.get(name, "")).values()):
            part = self._package.part(member) if kind in ("comments", "threadedComment") else None
            for comment in part.root.iter("{*}comment", "{*}threadedComment") if part is not None else ():
                reference = _REFERENCE.search(f'r="{comment.get("ref")}"'.encode())
                text = "".join(str(node.text or "") for node in comment.iter("{*}t", "{*}text")).strip()
                if reference and text and not text.startswith("[Threaded comment]"):
                    place = _place(reference[1], reference[2])
                    comments[place] = "; ".join(filter(None, (comments.get(place), " ".join(text.split()))))
        return comments


def _number_formats(styles: etree._Element) -> dict[int, str]:
    """Return the format codes of cell styles that show percent or a fixed number of digits."""
    codes = _PERCENT | number_codes(styles)
    found = {}
    for number, style in enumerate(styles.iterfind("{*}cellXfs/{*}xf")):
        code = _QUOTED.sub("", codes.get(int(style.get("numFmtId", "0")), "").split(";")[0])
        if code.rstrip().endswith("%") or _MASK.fullmatch(code):
            found[number] = code.strip()
    return found


def _formatted(raw: str, code: str) -> str:
    """Return a number as its format shows it: percent, or digits in a mask as of postcodes and telephone numbers."""
    try:
        number = float(raw)
    except ValueError:
        return ""
    if code.endswith("%"):
        shown = f"{number * 100:.{len(code.partition('.')[2].rstrip('%'))}f}"
        exact = f"{number * 100:.10g}"
        return f"{shown if float(shown) == float(exact) else exact}%"
    if number < 0 or not number.is_integer():
        return ""
    digits = str(int(number)).zfill(code.count("0"))
    extra = len(digits) - code.count("0")
    rest = iter(digits[extra:])
    return digits[:extra] + "".join(next(rest) if sign == "0" else sign for sign in code)


def _place(letters: bytes, digits: bytes) -> Place:
    return int(digits) - 1, _column(letters)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _letters(column: int) -> bytes:
    letters = b""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = bytes([65 + rest]) + letters
    return letters


def _extent(data: bytes) -> int:
    """Return how many cells the rectangle around all cells has, by what the sheet states, else by its cells."""
    stated = _DIMENSION.search(data[:4096])
    if stated and (row := int(stated[2])) * (_column(stated[1]) + 1) > MOST_CELLS and row:
        return row * (_column(stated[1]) + 1)
    rows, columns = 0, 0
    for _, letters, digits, _ in _tail(data):
        rows, columns = max(rows, int(digits)), max(columns, _column(letters) + 1)
    return rows * columns


def _tail(data: bytes) -> Iterator[tuple[bytes, ...]]:
    yield from (match.groups() for match in _PLACED.finditer(data))


def _compact(data: bytes) -> bytes:
    """Renumber the rows and columns that have cells, so that none between them is empty."""
    rows, columns = set[int](), set[int]()
    for match in _CELL.finditer(data):
        reference = _REFERENCE.search(match[1]) if match[2] else None
        if reference:
            row, column = _place(reference[1], reference[2])
            rows.add(row)
            columns.add(column)
    new_rows = {old: new for new, old in enumerate(sorted(rows))}
    new_columns = {old: new for new, old in enumerate(sorted(columns))}

    def moved(letters: bytes, digits: bytes) -> bytes:
        row = new_rows.get(int(digits) - 1)
        column = new_columns.get(_column(letters)) if letters else 0
        if row is None or column is None:
            return b""
        return (_letters(column) if letters else b"") + str(row + 1).encode()

    def placed(match: re.Match[bytes]) -> bytes:
        return match[1] + (moved(match[2], match[3]) or (b"A" if match[2] else b"") + b"1048576") + match[4]

    data = _CELL.sub(lambda match: match[0] if match[2] else b"", data)
    data = re.sub(rb"<(?:\w+:)?row\s[^>]*/>", b"", data)
    data = re.sub(rb"<(?:\w+:)?row\s[^>]*>\s*</(?:\w+:)?row>", b"", data)
    data = _PLACED.sub(placed, data)
    data = _DIMENSION.sub(b"", data, count=1)
    return _MERGED.sub(
        lambda match: (
            match[1] + start + b":" + end + match[6]
            if (start := moved(match[2], match[3])) and (end := moved(match[4], match[5]))
            else match[1] + b"A1:A1" + match[6]
        ),
        data,
    )
