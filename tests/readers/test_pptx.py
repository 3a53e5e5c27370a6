"""Slides: merged cells, charts of points, equations, diagrams, hidden slides, footers and comments."""

from __future__ import annotations

import io
from typing import Any

from lxml import etree
from pptx import Presentation
from pptx.chart.data import BubbleChartData, CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Inches

from tests.readers.conftest import Read
from tests.readers.samples import saved

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"


def blank(presentation: Any) -> Any:
    return presentation.slides.add_slide(presentation.slide_layouts[6])


def box(slide: Any, text: str) -> Any:
    frame = slide.shapes.add_textbox(0, 0, Inches(3), Inches(1)).text_frame
    frame.text = text
    return frame


async def test_merged_cells_hidden_slides_and_exponents(read: Read) -> None:
    presentation = Presentation()
    slide = blank(presentation)
    grid = slide.shapes.add_table(4, 3, 0, 0, Inches(6), Inches(2)).table
    for row, words in enumerate(["Region Plan Is", "North 310 287", "- 420 -", "Closed - -"]):
        for column, word in enumerate(words.split()):
            grid.cell(row, column).text = word.strip("-")
    grid.cell(1, 0).merge(grid.cell(2, 0))
    grid.cell(1, 2).merge(grid.cell(2, 2))
    grid.cell(3, 0).merge(grid.cell(3, 2))
    hidden = blank(presentation)
    hidden.element.set("show", "0")
    paragraph = box(hidden, "Load 10").paragraphs[0]
    run = paragraph.add_run()
    run.text = "6"
    run.font._element.set("baseline", "30000")
    _, pages, _ = await read(saved(presentation), "a.pptx")
    assert pages[0].markdown.splitlines() == [
        "| Region | Plan | Is |", "| --- | --- | --- |", "| North | 310 | 287 |", "| North | 420 | 287 |",
        "| Closed |  |  |",
    ]  # fmt: skip
    assert pages[1].markdown == "(Hidden slide)\n\nLoad 10^6"


async def test_charts_keep_every_value(read: Read) -> None:
    presentation = Presentation()
    points = XyChartData()
    series = points.add_series("Well A")
    series.add_data_point(0.5, 1234567)
    series.add_data_point(1.25, 20345678.25)
    bubbles = BubbleChartData()
    bubbles.add_series("B").add_data_point(1, 2, 3)
    shares = CategoryChartData(number_format="0.0%")
    shares.categories = ["Q1", "Q2"]
    shares.add_series("Share", (0.1275, None))
    for kind, data in (
        (XL_CHART_TYPE.XY_SCATTER, points), (XL_CHART_TYPE.BUBBLE, bubbles), (XL_CHART_TYPE.LINE, shares),
    ):  # fmt: skip
        blank(presentation).shapes.add_chart(kind, 0, 0, Inches(4), Inches(3), data)
    outline, pages, _ = await read(saved(presentation), "a.pptx")
    assert [page.markdown.splitlines()[-2:] for page in pages] == [
        ["| Well A | 0.5 | 1234567 |", "| Well A | 1.25 | 20345678.25 |"],
        ["| --- | --- | --- | --- |", "| B | 1 | 2 | 3 |"],
        ["| Q1 | 12.75% |", "| Q2 |  |"],
    ]
    assert outline.warnings == ()


async def test_equations_footers_comments_and_what_is_left_out(read: Read) -> None:
    presentation = Presentation()
    for _ in range(2):
        slide = blank(presentation)
        paragraph = box(slide, "Speed ").paragraphs[0]._p
        equation = (
            '<m:oMath xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"><m:sSup><m:e><m:r><m:t>v'
            "</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup></m:oMath>"
        )
        paragraph.append(
            etree.fromstring(
                f'<a14:m xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main">{equation}</a14:m>'
            )
        )
        footer = box(slide, "Contract HX-44")._txBody.getparent()
        footer.find(".//{*}nvPr").append(
            etree.fromstring(
                '<p:ph xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" type="ftr" idx="11"/>'
            )
        )
    comments = (
        '<p:cmLst xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"><p:cm authorId="0"><p:text>'
        "Check the date</p:text></p:cm></p:cmLst>"
    )
    made = Part(PackURI("/ppt/comments/comment1.xml"), "application/xml", presentation.part.package, comments.encode())
    slide.part.relate_to(made, f"{OFFICE}/comments")
    slide.shapes.add_movie(io.BytesIO(b"film"), 0, 0, Inches(1), Inches(1), mime_type="video/mp4")
    _, pages, _ = await read(saved(presentation), "a.pptx")
    assert pages[0].markdown == "Speed $v^2$\n\nContract HX-44"
    assert pages[1].markdown.endswith("Comment: Check the date")
    assert "Contract" not in pages[1].markdown
    assert "parts_not_read:1" in pages[1].warnings
