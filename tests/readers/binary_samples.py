"""Files of Office's binary formats with formatted text, made by hand: DOC and XLSB."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from tests.readers import samples

Run = tuple[str, bytes]
"""A text and its modifiers."""
Paragraph = tuple[bytes, Sequence[Run]]
"""The modifiers of a paragraph behind the number of its style, and its runs; the last one ends it."""


def modifier(code: int, *values: int) -> bytes:
    """One modifier; the length of an operand of any size is written before it."""
    size = bytes([len(values)]) if code >> 13 == 6 else b""
    return struct.pack("<H", code) + size + bytes(values)


def style_sheet(styles: Iterable[tuple[int, int, tuple[bytes, ...]]]) -> bytes:
    """Styles (number of the one below, kind, properties) from number 10 on; those before it are empty."""
    written = [b""] * 10
    for base, kind, parts in styles:
        style = struct.pack("<5H", 0x0FFE, kind | base << 4, len(parts), 0, 0) + struct.pack("<HHH", 1, ord("S"), 0)
        for part in parts:
            style += struct.pack("<H", len(part)) + part + bytes(len(part) % 2)
        written.append(style)
    sheet = struct.pack("<HHH", 4, len(written), 10)
    return sheet + b"".join(struct.pack("<H", len(style)) + style for style in written)


def _page(edges: list[int], properties: list[bytes], step: int) -> bytes:
    """A page of properties, each stored once from its end on."""
    page, end = bytearray(512), 510
    struct.pack_into(f"<{len(edges)}I", page, 0, *edges)
    for number, one in enumerate(properties):
        if not one:
            continue
        stored = bytes([len(one)]) + one if step == 1 else bytes([0, len(one) // 2]) + one
        end -= len(stored) + len(stored) % 2
        page[end : end + len(stored)] = stored
        page[4 * len(edges) + step * number] = end // 2
    page[511] = len(properties)
    assert end > 4 * len(edges) + step * len(properties)
    return bytes(page)


def formatted_word(paragraphs: Sequence[Paragraph], styles: bytes = b"", last_piece: int = 0) -> bytes:
    """A DOC of UTF-16 text with its properties; `last_piece` modifies the last paragraph, a piece of its own."""
    runs = [(text, own) for _, of_paragraph in paragraphs for text, own in of_paragraph]
    whole = [("".join(text for text, _ in of_paragraph), own) for own, of_paragraph in paragraphs]
    text = "".join(text for text, _ in whole)
    start, count = 1024, len(text.encode("utf-16-le")) // 2

    def edges(parts: Sequence[Run]) -> list[int]:
        found = [start]
        for part, _ in parts:
            found.append(found[-1] + len(part.encode("utf-16-le")))
        return found

    encoded = text.encode("utf-16-le")
    body = encoded.ljust(-(-len(encoded) // 512) * 512, b"\0")
    first = (start + len(body)) // 512
    body += _page(edges(runs), [own for _, own in runs], 1)
    body += _page(edges(whole), [own + bytes(len(own) % 2) for _, own in whole], 13)
    cut = (edges(whole)[-2] - start) // 2
    clx = b"\x02" + struct.pack("<I", 28) + struct.pack("<3I", 0, cut, count)
    clx += struct.pack("<HIH", 0, start, 0) + struct.pack("<HIH", 0, start + 2 * cut, last_piece)
    tables = [clx, styles]
    tables += [struct.pack("<3I", start, start + len(encoded), page) for page in (first, first + 1)]
    main = bytearray(start)
    struct.pack_into("<HH", main, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", main, 0x0A, 0x0200)
    struct.pack_into("<I", main, 0x4C, count)
    at = 0
    for place, table in zip((0x01A2, 0x00A2, 0x00FA, 0x0102), tables, strict=True):
        struct.pack_into("<II", main, place, at, len(table))
        at += len(table)
    return samples.ole({"WordDocument": bytes(main) + body, "1Table": b"".join(tables)})


def _record(kind: int, data: bytes = b"") -> bytes:
    """A record of an XLSB part."""

    def number(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + number(value >> 7)

    return number(kind) + number(len(data)) + data


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def colour(red: int, green: int, blue: int) -> bytes:
    """A colour of an XLSB part."""
    return bytes([2 << 1 | 1, 0, 0, 0, red, green, blue, 255])


AUTOMATIC = bytes(8)


def binary_workbook(
    rows: Sequence[Sequence[tuple[str | int, int]]],
    styles: Sequence[tuple[int, bytes, bytes, str]],
    *,
    hidden_rows: Iterable[int] = (),
    hidden_columns: Iterable[int] = (),
) -> bytes:
    """An XLSB of one sheet: rows of (value, number of its style), styles of (twips, ink, paper, format)."""
    space = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    sheet = _record(129) + _record(148, struct.pack("<4I", 0, len(rows) - 1, 0, 9)) + _record(390)
    sheet += b"".join(_record(60, struct.pack("<4IH", one, one, 2560, 0, 1)) for one in hidden_columns)
    sheet += _record(391) + _record(145)
    for at, row in enumerate(rows):
        hides = 0x10 if at in [*hidden_rows] else 0
        sheet += _record(0, struct.pack("<IIHBBBI", at, 0, 300, 0, hides, 0, 0))
        for column, (value, style) in enumerate(row):
            cell = struct.pack("<II", column, style)
            if value != "":
                written = _text(value) if isinstance(value, str) else struct.pack("<d", value)
                sheet += _record(6 if isinstance(value, str) else 5, cell + written)
    sheet += _record(146) + _record(130)
    fonts, fills, formats, cells = [], [], [], []
    for number, (twips, ink, paper, code) in enumerate(styles):
        fonts.append(_record(43, struct.pack("<HHHHBBBB", twips, 0, 400, 0, 0, 2, 0, 0) + ink + b"\2" + _text("Arial")))
        fills.append(_record(45, struct.pack("<I", paper != AUTOMATIC) + paper + AUTOMATIC + bytes(48)))
        formats += [_record(44, struct.pack("<H", 164 + number) + _text(code))] if code else []
        cells.append(_record(47, struct.pack("<HHHHHHI", 0, 164 + number if code else 0, number, number, 0, 0, 0)))
    parts = [(615, formats, 616), (611, fonts, 612), (603, fills, 604), (617, cells, 618)]
    style_part = b"".join(
        _record(begin, struct.pack("<I", len(part))) + b"".join(part) + _record(end) for begin, part, end in parts
    )
    book = _record(131) + _record(143)
    book += _record(156, struct.pack("<II", 0, 1) + _text("r1") + _text("S")) + _record(144) + _record(132)
    return samples.packed(
        {
            "[Content_Types].xml": f'<Types xmlns="{space}/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{space}/relationships"/>',
            "xl/workbook.bin": book,
            "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{space}/relationships"><Relationship Id="r1" '
            f'Type="{office}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>',
            "xl/worksheets/sheet1.bin": sheet,
            "xl/styles.bin": _record(278) + style_part + _record(279),
        }
    )
