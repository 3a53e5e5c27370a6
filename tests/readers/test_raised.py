"""Raised figures never glue to the number or word before them, in any format that marks them."""

from __future__ import annotations

import io

import pymupdf
import pytest
from pptx import Presentation

from readers.raised import lowered, raised
from tests.readers import samples
from tests.readers.conftest import Read


@pytest.mark.parametrize(
    ("before", "mark", "text"),
    [
        ("4.2 x 10", "6", "4.2 x 10^6"),
        ("3,5·10", "−3", "3,5·10^−3"),
        ("45 m", "2", "45 m^2"),
        ("120 km", "2", "120 km^2"),
        ("9.81 m/s", "2", "9.81 m/s^2"),
        ("45 平方米，高 3 米", "3", "45 平方米，高 3 米^3"),
        ("x", "n+1", "x^(n+1)"),
        ("(a + b)", "2", "(a + b)^2"),
        ("y = 2", "8", "y = 2^8"),
        ("1,240", "3", "1,240 [3]"),
        ("in 2025", "1, 2", "in 2025 [1, 2]"),
        ("1,240", "a", "1,240 [a]"),
        ("营业收入", "1", "营业收入 [1]"),
        ("the branch", "12", "the branch [12]"),
        ("", "3", "[3]"),
        ("May 1", "st", "May 1st"),
        ("Acme", "TM", "AcmeTM"),
    ],
)
def test_exponents_notes_and_ordinals(before: str, mark: str, text: str) -> None:
    assert before + raised(before, mark) == text


def test_lowered_figures() -> None:
    assert [lowered("H", "2"), lowered("101", "2")] == ["2", "_2"]


LINES = [("Turnover was 1,240", "3", " million euros"), ("The dose is 4.2 x 10", "6", " units"), ("45 m", "2", " hall")]
NAMES = ("office", "text", "style")
WANTED = ("1,240 [3] million euros", "4.2 x 10^6 units", "45 m^2 hall")


async def test_in_pdf(read: Read) -> None:
    def draw(document: pymupdf.Document) -> None:
        page = document.new_page()
        for row, (before, mark, after) in enumerate(LINES):
            x, y = 60.0, 80 + 40.0 * row
            for text, size, rise in ((before, 11, 0), (mark, 7, 4), (after, 11, 0)):
                page.insert_text((x, y - rise), text, fontsize=size)
                x += pymupdf.get_text_length(text, fontsize=size)

    _, pages, _ = await read(samples.pdf(draw), "a.pdf")
    assert all(text in pages[0].markdown for text in WANTED)


async def test_in_pdf_tables_and_where_it_is_drawn_apart(read: Read) -> None:
    def draw(document: pymupdf.Document) -> None:
        page = document.new_page()
        for y in range(4):
            page.draw_line((60, 80 + 20 * y), (240, 80 + 20 * y))
        for x in range(3):
            page.draw_line((60 + 90 * x, 80), (60 + 90 * x, 140))
        for y, row in enumerate((["Item", "2024"], ["Sales", "1,240"], ["Area", "45 m"])):
            for x, text in enumerate(row):
                page.insert_text((66 + 90 * x, 94 + 20 * y), text, fontsize=10)
        for y, (text, mark) in enumerate((("1,240", "3"), ("45 m", "2"))):
            page.insert_text((156 + pymupdf.get_text_length(text, fontsize=10), 110 + 20 * y), mark, fontsize=6)

    _, pages, _ = await read(samples.pdf(draw), "a.pdf")
    assert "| Sales | 1,240 [3] |\n| Area | 45 m^2 |" in pages[0].markdown


async def test_in_rich_text_and_open_documents(read: Read) -> None:
    rich = "".join(rf"{before}{{\super\fs16 {mark}}}{after}\par " for before, mark, after in LINES)
    names = "".join(f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in NAMES)
    style = '<style:style style:name="T1"><style:text-properties style:text-position="super 58%"/></style:style>'
    spans = "".join(
        f'<text:p>{before}<text:span text:style-name="T1">{mark}</text:span>{after}</text:p>'
        for before, mark, after in LINES
    )
    content = (
        f"<office:document-content{names}><office:automatic-styles>{style}</office:automatic-styles>"
        f"<office:body><office:text>{spans}</office:text></office:body></office:document-content>"
    )
    opened = samples.packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})
    for data, name in ((b"{\\rtf1\\ansi " + rich.encode() + b"}", "a.rtf"), (opened, "a.odt")):
        _, pages, _ = await read(data, name)
        assert all(text in pages[0].markdown for text in WANTED)


async def test_in_slides_and_web_pages(read: Read) -> None:
    deck = Presentation()
    frame = deck.slides.add_slide(deck.slide_layouts[6]).shapes.add_textbox(0, 0, 9_000_000, 9_000_000).text_frame
    for before, mark, after in LINES:
        paragraph = frame.add_paragraph()
        for text in (before, mark, after):
            run = paragraph.add_run()
            run.text = text
            if text == mark:
                run.font._element.set("baseline", "30000")
    file = io.BytesIO()
    deck.save(file)
    html = "".join(f"<p>{before}<sup>{mark}</sup>{after}</p>" for before, mark, after in LINES)
    for data, name in ((file.getvalue(), "a.pptx"), (f"<html><body>{html}</body></html>".encode(), "a.html")):
        _, pages, _ = await read(data, name)
        assert all(text in pages[0].markdown for text in WANTED)
