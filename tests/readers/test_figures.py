"""Pictures inside documents are handed on with their place, bounded; what is left out is counted."""

from __future__ import annotations

import io

import docx
import numpy as np
import pptx
import pymupdf
import pytest
from docx.shared import Inches
from PIL import Image
from pptx.util import Inches as SlideInches

from readers.figures import MARK, MOST_A_PAGE, Figures, with_texts
from readers.interface import Page
from tests.drawn_pictures import drawn, encoded
from tests.readers import samples
from tests.readers.conftest import Read

PICTURE = encoded(drawn((40, 40, "Invoice 7731-KX"), size=(700, 300)))
OTHER = encoded(drawn((40, 40, "第三页 海獭"), size=(700, 200)))


def size(image: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(image)).size


async def test_pictures_of_word_stand_where_they_were(read: Read) -> None:
    document = docx.Document()
    document.add_heading("One", 1)
    document.add_paragraph("before")
    document.add_picture(io.BytesIO(PICTURE), width=Inches(3))
    document.add_paragraph("after")
    grid = document.add_table(rows=2, cols=2)
    grid.cell(0, 0).text = "Stamp"
    grid.cell(1, 0).paragraphs[0].add_run().add_picture(io.BytesIO(OTHER), width=Inches(2))
    document.add_heading("二", 1)
    document.add_picture(io.BytesIO(encoded(drawn(size=(40, 40)))), width=Inches(1))
    document.add_paragraph(f"a stray {MARK} mark")
    _, pages, _ = await read(samples.saved(document), "a.docx")
    assert [page.label for page in pages] == ["One", "二"]
    assert pages[0].markdown.startswith(f"# One\n\nbefore\n\n{MARK}\n\nafter") and f"| {MARK} |" in pages[0].markdown
    assert [size(image) for image in pages[0].figures] == [(700, 300), (700, 200)]
    assert (pages[1].figures, pages[1].warnings) == ((), ()), "icons are not worth reading"
    assert MARK not in pages[1].markdown


async def test_a_paper_pasted_into_word_is_read_in_parts(read: Read) -> None:
    document = docx.Document()
    for number in range(9):
        document.add_picture(io.BytesIO(encoded(drawn((9, 9, f"{number}"), size=(200, 100)))), width=Inches(3))
    outline, pages, _ = await read(samples.saved(document), "a.docx")
    assert outline.pages_total == 3 and [len(page.figures) for page in pages] == [4, 4, 1]


async def test_pictures_of_slides_are_cropped_as_shown(read: Read) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    slide.shapes.add_picture(io.BytesIO(PICTURE), 0, 0, SlideInches(5)).crop_bottom = 0.5
    slide.shapes.add_picture(io.BytesIO(OTHER), 0, SlideInches(3), SlideInches(5))
    _, (page,), _ = await read(samples.saved(deck), "a.pptx")
    assert [size(image) for image in page.figures] == [(700, 150), (700, 200)]


async def test_pictures_of_books_and_open_documents(read: Read) -> None:
    book = samples.book(1)
    chapter = (
        "<html><body><h1>One</h1><p>text</p><img src='../img/a%20b.png'/><img src='http://x.y/z.png'/></body></html>"
    )
    members: dict[str, str | bytes] = {"OEBPS/ch 0.xhtml": chapter, "img/a b.png": PICTURE}
    _, (page,), _ = await read(samples.repacked(book, members), "a.epub")
    assert [size(image) for image in page.figures] == [(700, 300)]
    assert page.markdown.endswith(f"text\n\n{MARK}")
    spaces = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:text><text:p>before<draw:frame>"
        '<draw:image xlink:href="Pictures/1.png"/></draw:frame></text:p><text:p>after</text:p>'
        "</office:text></office:body></office:document-content>"
    )
    _, (page,), _ = await read(samples.repacked(samples.open_text(), {"content.xml": content, "Pictures/1.png": OTHER}))
    assert page.markdown == f"before\n\n{MARK}\n\nafter" and [size(image) for image in page.figures] == [(700, 200)]


async def test_pictures_beside_the_text_of_a_pdf(read: Read) -> None:
    noise = np.linspace(0, 255, 300 * 400 * 3).astype(np.uint8).reshape(300, 400, 3)
    with pymupdf.open() as document:
        for picture, angle in ((PICTURE, 0), (PICTURE, 90), (encoded(Image.fromarray(noise)), 0)):
            page = document.new_page()
            page.insert_text((72, 60), "Received by fax on the third of March at the main office.")
            page.insert_image(pymupdf.Rect(20, 100, 575, 400), stream=picture)
            page.set_rotation(angle)
        page = document.new_page()
        page.insert_textbox((20, 400, 575, 800), samples.LOREM * 10)
        page.insert_image(pymupdf.Rect(20, 100, 575, 400), stream=PICTURE)
        page = document.new_page()
        for strip in range(4):
            page.insert_image(pymupdf.Rect(0, 200 * strip, 595, 200 * strip + 200), stream=OTHER, keep_proportion=False)
        page.insert_text((72, 780), "ACME-CONFIDENTIAL-000123")
        _, pages, _ = await read(document.tobytes(), "a.pdf")
    assert [len(page.figures) for page in pages] == [1, 1, 0, 0, 1], "neither photographs nor figures in long text"
    assert pages[0].markdown.endswith(f"office.\n\n{MARK}")
    for page, share in zip(pages[:2], (7 / 3, 3 / 7), strict=True):
        width, height = size(page.figures[0])
        assert (
            width / height == pytest.approx(share, rel=0.05)
            and np.asarray(Image.open(io.BytesIO(page.figures[0])).convert("L")).min() < 90
        ), "the picture is on it"
    dark = np.asarray(Image.open(io.BytesIO(pages[4].figures[0])).convert("L"))
    assert dark[-dark.shape[0] // 20 :].min() > 200, "real text is not read a second time"


async def test_what_nobody_can_read_is_counted(read: Read) -> None:
    book = samples.repacked(samples.workbook(), {"xl/media/image1.png": bytes(5000), "xl/media/a.xml": bytes(5000)})
    _, pages, _ = await read(book, "a.xlsx")
    assert [page.warnings for page in pages] == [("pictures_not_read:1",), ()]
    rtf = b"{\\rtf1 words {\\pict\\pngblip 89504e47}{\\pict\\jpegblip ffd8} more}"
    _, (page,), _ = await read(rtf, "a.rtf")
    assert page.warnings == ("pictures_not_read:2",)
    inline = b"<html><body><p>words enough to be seen</p><img alt='x' src='data:image/png;base64," + b"A" * 9000 + b"'>"
    _, (page,), _ = await read(inline + b"<img src='http://x.y/z.png'></body></html>", "a.html")
    assert page.warnings == ("pictures_not_read:1",)


def test_only_so_many_pictures_are_taken() -> None:
    figures = Figures(10_000_000, most=2)
    others = [encoded(drawn((9, 9, f"{number}"), size=(200, 100))) for number in range(3)]
    text = "".join(figures.place(data) for data in (*others, others[0], None, b"no picture", samples.png_bomb(9000)))
    page = figures.finish(Page(1, "1", text))
    assert (len(page.figures), page.warnings) == (3, ("pictures_not_read:4",)), "the same picture counts once"
    full = figures.finish(Page(2, "2", figures.place(others[0]) * (MOST_A_PAGE + 5)))
    assert (len(full.figures), full.warnings) == (MOST_A_PAGE, ("pictures_not_read:5",))


def test_texts_of_pictures_come_where_the_pictures_stood() -> None:
    page = f"# Title {MARK}\n\n| a | {MARK} |\n\n- {MARK}\nend {MARK}"
    assert with_texts(page, ["one\ntwo", "x | y\nz", "item", ""]) == (
        "# Title\n\none\ntwo\n\n| a | x \\| y z |\n\nitem\n\nend"
    )
    assert with_texts(f"{MARK}{MARK}", ["a"]) == "a", "a mark without a picture is dropped"
