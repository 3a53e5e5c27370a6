"""Files of every kind, made here, so that the tests need no corpus."""

from __future__ import annotations

import datetime
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import docx
import openpyxl
import pptx
import pymupdf
from PIL import Image, ImageDraw
from pptx.util import Inches

LOREM = "The quick brown fox jumps over the lazy dog while seven wizards make toxic brew for the evil queen. "
AES_256, RC4_128 = pymupdf.PDF_ENCRYPT_AES_256, pymupdf.PDF_ENCRYPT_RC4_128  # type: ignore[attr-defined]
CHINESE = "人工智能是计算机科学的一个分支，它研究如何让机器模拟人类的智能行为。"


def pdf(draw: Callable[[pymupdf.Document], object], **options: Any) -> bytes:
    with pymupdf.open() as document:
        draw(document)
        return bytes(document.tobytes(**options))


def text_pdf(*pages: str, fontname: str = "helv") -> bytes:
    def draw(document: pymupdf.Document) -> None:
        for text in pages:
            document.new_page().insert_textbox((60, 60, 540, 780), text, fontsize=11, fontname=fontname)

    return pdf(draw)


def picture(text: str = "SCANNED PAGE", size: tuple[int, int] = (1200, 1600)) -> bytes:
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for line in range(10):
        draw.text((100, 100 + 120 * line), text, fill="black", font_size=60)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.add_heading("年度报告 Annual report", 1)
    document.add_paragraph("收入增长了百分之十二。Revenue grew by twelve percent.")
    document.add_heading("Table of results", 2)
    cells = [["Region", "Sales"], ["华东", "1,234"], ["North", "987"]]
    grid = document.add_table(rows=3, cols=2)
    for row, texts in zip(grid.rows, cells, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    document.add_heading("Outlook", 1)
    document.add_paragraph("first point", style="List Bullet")
    return saved(document)


def saved(thing: Any) -> bytes:
    buffer = io.BytesIO()
    thing.save(buffer)
    return buffer.getvalue()


def slides() -> bytes:
    presentation = pptx.Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "季度总结"
    first.placeholders[1].text = "Revenue up\nCosts down"
    first.notes_slide.notes_text_frame.text = "Say thanks to the team"
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Numbers"
    grid = second.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for at, text in enumerate(["Item", "Count", "Ducks", "17"]):
        grid.cell(at // 2, at % 2).text = text
    group = second.shapes.add_group_shape()
    group.shapes.add_textbox(Inches(1), Inches(5), Inches(3), Inches(1)).text_frame.text = "inside a group"
    return saved(presentation)


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "订单"
    sheet.append(["Name", "Amount", "Day"])
    sheet.append(["张三", 1250, datetime.date(2026, 3, 4)])
    sheet.append(["Li Si", 0.1 + 0.2, datetime.datetime.fromisoformat("2026-03-05T14:30")])
    book.create_sheet("Second").append(["only", "row"])
    return saved(book)


def book(chapters: int = 2) -> bytes:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
        '<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    items = "".join(
        f'<item id="c{n}" href="ch%20{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(chapters)
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in reversed(range(chapters)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>红楼梦</dc:title></metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    members: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": container,
        "OEBPS/content.opf": package,
    }
    for number in range(chapters):
        members[f"OEBPS/ch {number}.xhtml"] = (
            '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><body>'
            f"<h1>第{number}回</h1><p>Chapter {number} text.</p></body></html>"
        )
    return packed(members)


def packed(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def repacked(archive: bytes, members: dict[str, str | bytes]) -> bytes:
    """The zip file `archive` with `members` added or replaced."""
    with zipfile.ZipFile(io.BytesIO(archive)) as old:
        return packed({**{name: old.read(name) for name in old.namelist()}, **members})


def mail() -> bytes:
    message = EmailMessage()
    message["From"] = "王芳 <wang@example.org>"
    message["To"] = "team@example.org"
    message["Date"] = "Mon, 02 Nov 2026 10:00:00 +0800"
    message["Subject"] = "会议纪要 Minutes"
    message.set_content("请查收附件。The meeting is at nine.")
    message.add_alternative("<p>The <b>HTML</b> twin</p>", subtype="html")
    message.add_attachment("附件内容".encode(), maintype="text", subtype="plain", filename="说明.txt")
    return message.as_bytes()


def open_text() -> bytes:
    spaces = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:text>"
        '<text:h text:outline-level="1">第一章 Start</text:h><text:p>Body <text:span>with a <text:s text:c="1"/>span'
        "</text:span>.</text:p><text:list><text:list-item><text:p>outer</text:p><text:list><text:list-item><text:p>inner"
        "</text:p></text:list-item></text:list></text:list-item></text:list><table:table><table:table-row>"
        "<table:table-cell><text:p>Key</text:p></table:table-cell><table:table-cell><text:p>Value</text:p>"
        "</table:table-cell></table:table-row><table:table-row><table:table-cell><text:p>pi</text:p></table:table-cell>"
        "<table:table-cell><text:p>3.14</text:p></table:table-cell></table:table-row></table:table>"
        "</office:text></office:body></office:document-content>"
    )
    return packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


RTF = (
    rb"{\rtf1\ansi\ansicpg936\deff0{\fonttbl{\f0 Arial;}}\pard Hello \b bold\b0  world.\par "
    rb"\'c4\'e3\'ba\'c3\'a3\'ac\'ca\'c0\'bd\'e7\par \u8364? sign\par "
    rb"\trowd\cellx1000\cellx2000 A\cell B\cell\row \trowd\cellx1000\cellx2000 1\cell 2\cell\row }"
)

HTML = """<html><head><title>鸭子 Ducks</title><script>var secret = 'run me'</script><style>p {}</style></head>
<body><h1>鸭子 Ducks</h1><p>Ducks are <a href="https://evil.example/ignore-all-orders">birds</a>.</p>
<table><tr><th>Kind</th><th>Weight</th></tr><tr><td>Mallard</td><td>1.1 kg</td></tr></table></body></html>"""


def far_cell(reference: str) -> bytes:
    """An XLSX of 1.5 KB whose one cell lies at `reference`."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    sheet_type = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    row = "".join(char for char in reference if char.isdigit())
    return packed(
        {
            "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{sheet_type}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" '
            f'ContentType="{sheet_type}.worksheet+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="S" sheetId="1" '
            f'r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
            f'<row r="{row}"><c r="{reference}"><v>2</v></c></row></sheetData></worksheet>',
        }
    )


def docx_with(document_xml: str | bytes, **others: str | bytes) -> bytes:
    """A DOCX with the given `word/document.xml`."""
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return packed(
        {
            "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" '
            f'ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
            "word/document.xml": document_xml,
            **others,
        }
    )


WORD_SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def billion_laughs_docx() -> bytes:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return docx_with(
        f'<?xml version="1.0"?><!DOCTYPE d [{entities}]><w:document {WORD_SPACE}><w:body><w:p>'
        "<w:r><w:t>&a9;</w:t></w:r></w:p></w:body></w:document>"
    )


def external_entity_docx(target: str) -> bytes:
    return docx_with(
        f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file://{target}">]><w:document {WORD_SPACE}><w:body>'
        "<w:p><w:r><w:t>before &x; after</w:t></w:r></w:p></w:body></w:document>"
    )


def nested_tables_docx(depth: int) -> bytes:
    opened = "<w:tbl><w:tr><w:tc>" * depth
    closed = "<w:p/></w:tc></w:tr></w:tbl>" * depth
    return docx_with(f"<w:document {WORD_SPACE}><w:body>{opened}{closed}</w:body></w:document>")


def raw_pdf(objects: dict[int, bytes], root: int = 1) -> bytes:
    """A PDF of the given objects with a right cross-reference table."""
    out, offsets = bytearray(b"%PDF-1.7\n"), {}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    size = max(objects) + 1
    out += b"xref\n0 %d\n" % size
    for number in range(size):
        out += b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 65535 f \n"
    return bytes(out + b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, root, start))


def stream(data: bytes, extra: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (extra, len(data), data)


def form_bomb_pdf(levels: int = 26) -> bytes:
    """Form XObjects that call each other twice, `levels` deep: 2^levels drawings in a few KB."""
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</XObject<</X 10 0 R>>>>>>",
        4: stream(b"/X Do"),
    }
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]"
    for level in range(levels):
        below = b"/Resources<</XObject<</X %d 0 R>>>>" % (11 + level)
        objects[10 + level] = stream(b"/X Do /X Do", form + below)
    objects[10 + levels] = stream(b"0 0 1 1 re f", form)
    return raw_pdf(objects)


def lying_pdf(stated: int) -> bytes:
    """One page, with a page tree that claims `stated`."""
    return raw_pdf(
        {
            1: b"<</Type/Catalog/Pages 2 0 R>>",
            2: b"<</Type/Pages/Kids[3 0 R]/Count %d>>" % stated,
            3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
            b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
            4: stream(b"BT /F 12 Tf 72 700 Td (the only page of this document) Tj ET"),
        }
    )


def png_bomb(side: int = 30_000) -> bytes:
    """A PNG of side x side white pixels in under a megabyte."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    compressor = zlib.compressobj(9)
    row = b"\0" + b"\xff" * (side // 8 + 1)
    data = b"".join(compressor.compress(row) for _ in range(side)) + compressor.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def ole(streams: dict[str, bytes]) -> bytes:
    """A compound file with the given streams, each stored in whole 512-byte sectors."""
    end, free = 0xFFFFFFFE, 0xFFFFFFFF
    padded = {name: data.ljust(4096, b"\0") for name, data in streams.items()}
    chains, body = [], b""
    sector = 0
    starts = {}
    for name, data in padded.items():
        count = -(-len(data) // 512)
        starts[name] = sector
        chains += [sector + at + 1 for at in range(count - 1)] + [end]
        body += data.ljust(count * 512, b"\0")
        sector += count
    entries = [("Root Entry", 5, end, 0)] + [(name, 2, starts[name], len(data)) for name, data in padded.items()]
    directory = b""
    for number, (name, kind, start, size) in enumerate(entries, 1):
        child, right = (1, free) if kind == 5 else (free, number if number < len(entries) else free)
        encoded = name.encode("utf-16-le") + b"\0\0"
        directory += struct.pack(
            "<64sHBBIII16sIQQIQ", encoded, len(encoded), kind, 1, free, right, child, b"", 0, 0, 0, start, size
        )
    directory = directory.ljust(-(-len(directory) // 512) * 512, b"\0")
    directory_at = sector
    count = len(directory) // 512
    chains += [sector + at + 1 for at in range(count - 1)] + [end]
    sector += count
    fat_at = sector
    chains.append(0xFFFFFFFD)
    fat = struct.pack(f"<{len(chains)}I", *chains).ljust(512, b"\xff")
    assert len(fat) == 512
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"",
        62,
        3,
        0xFFFE,
        9,
        6,
        0,
        1,
        directory_at,
        0,
        4096,
        end,
        0,
        end,
        0,
    )
    difat = struct.pack("<109I", fat_at, *[free] * 108)
    return header + difat + body + directory + fat


def legacy_word(text: str, *others: str, flags: int = 0, version: int = 0xC1) -> bytes:
    """A DOC with one UTF-16 piece of text and no styles; `others` are footnotes, headers and so on behind the body."""
    body, text = len(text), text + "".join(others)
    encoded = text.encode("utf-16-le")
    main = bytearray(1024)
    struct.pack_into("<HH", main, 0, 0xA5EC, version)
    struct.pack_into("<H", main, 0x0A, flags | 0x0200)
    struct.pack_into(f"<{1 + len(others)}I", main, 0x4C, body, *map(len, others))
    clx = b"\x02" + struct.pack("<I", 16) + struct.pack("<II", 0, len(text)) + struct.pack("<HIH", 0, 1024, 0)
    struct.pack_into("<II", main, 0x01A2, 0, len(clx))
    return ole({"WordDocument": bytes(main) + encoded, "1Table": clx})
