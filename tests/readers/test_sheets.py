"""Workbooks and CSV files: cells as people see them, each under the name of its column."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment

from readers.tables import has_header, split_header
from tests.readers.conftest import Read


def saved(fill: Callable[[Any], None]) -> bytes:
    book = openpyxl.Workbook()
    fill(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


async def test_numbers_are_shown_as_formatted(read: Read) -> None:
    cells = [
        (0.1275, "0.00%", "12.75%"),
        (0.5, "0%", "50%"),
        (0.125, "0%", "12.5%"),
        (7045, "00000", "07045"),
        (1234567, "000-0000", "123-4567"),
        (timedelta(days=1, hours=7, minutes=15), "[h]:mm", "31:15"),
        (110101199003070000, "0", "110101199003070000"),
        (1234567.5, "#,##0.00", "1234567.5"),
        ("#N/A", "General", "#N/A"),
    ]

    def fill(book: Any) -> None:
        book.active.append(["Metric", "Value"])
        for number, (value, code, _) in enumerate(cells, 2):
            book.active.append([f"row {number}", value])
            book.active.cell(number, 2).number_format = code

    _, pages, _ = await read(saved(fill), "a.xlsx")
    for number, (_, _, shown) in enumerate(cells, 2):
        assert f"| row {number} | {shown} |" in pages[0].markdown


async def test_formulas_without_a_value_are_said(read: Read) -> None:
    def fill(book: Any) -> None:
        for row in (["Item", "Quantity", "Price", "Total"], ["Desk", 4, 120, "=B2*C2"], ["Lamp", 2, 9, "=B3*C3"]):
            book.active.append(row)
        book.active["F5"] = "=SUM(D2:D3)"

    _, pages, _ = await read(saved(fill), "a.xlsx")
    assert pages[0].warnings == ("formulas_without_value:3",)
    assert "| Desk | 4 | 120 | =B2*C2 |" in pages[0].markdown
    assert "=SUM(D2:D3)" in pages[0].markdown


async def test_merged_cells_stand_in_every_place_that_they_cover(read: Read) -> None:
    def fill(book: Any) -> None:
        sheet = book.active
        for row in (
            ["Report", None, None, None],
            ["部门", "First half", None, "Note"],
            [None, "Plan", "Actual", None],
            ["财务部", 10, 12, "x"],
            [None, 20, 18, "y"],
            ["法务部", 5, 7, "z"],
        ):
            sheet.append(row)
        for place in ("A1:D1", "B2:C2", "A2:A3", "D2:D3", "A4:A5"):
            sheet.merge_cells(place)

    _, pages, _ = await read(saved(fill), "a.xlsx")
    assert pages[0].markdown.startswith("# Sheet\n\nReport\n\n| 部门 | First half Plan | First half Actual | Note |\n")
    assert "| 财务部 | 20 | 18 | y |\n| 法务部 | 5 | 7 | z |" in pages[0].markdown


async def test_comments_and_hidden_sheets_are_shown_as_such(read: Read) -> None:
    def fill(book: Any) -> None:
        book.active.append(["Name", "Score"])
        book.active.append(["Ada", 91])
        book.active["A2"].comment = Comment("Resits on\n4 June", "Mei")
        book.create_sheet("Secret").append(["Salary", "5400"])
        book["Secret"].sheet_state = "hidden"

    _, pages, _ = await read(saved(fill), "a.xlsx")
    assert "| Ada (Comment: Resits on 4 June) | 91 |" in pages[0].markdown
    assert pages[1].markdown.startswith("# Secret (hidden sheet)")


@pytest.mark.parametrize("stray", [" ", "seen"])
async def test_a_far_cell_costs_nothing(read: Read, stray: str) -> None:
    def fill(book: Any) -> None:
        for row in (["Group", "Name", "Score"], ["A", "Ada", 91], [None, "Bob", 0.5]):
            book.active.append(row)
        book.active["C3"].number_format = "0%"
        book.active.merge_cells("A2:A3")
        book.active["XFD1048576"] = stray

    _, pages, _ = await read(saved(fill), "a.xlsx")
    assert "| A | Ada | 91 |" in pages[0].markdown
    assert "| A | Bob | 50% |" in pages[0].markdown
    assert stray.strip() in pages[0].markdown


async def test_a_far_cell_that_the_sheet_does_not_state(read: Read) -> None:
    def fill(book: Any) -> None:
        book.active.append(["Name", "Score"])
        book.active.append(["Ada", 91])
        book.active["XFD1048576"] = "x"

    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(fill))) as made, zipfile.ZipFile(file, "w") as changed:
        for member in made.namelist():
            data = made.read(member)
            changed.writestr(member, data.replace(b'<dimension ref="A1:XFD1048576"/>', b""))
    _, pages, _ = await read(file.getvalue(), "a.xlsx")
    assert "| Ada | 91 |" in pages[0].markdown


def open_sheet(*rows: str, columns: str = "", hidden: str = "") -> bytes:
    """Make an ODS file of rows of cells: attributes, then `|` and what is in the cell; `hidden` is of the last row."""
    cells = [[cell.partition("|")[::2] for cell in row.split(" & ")] for row in rows]
    body = "".join(
        f"<table:table-row{hidden if row is cells[-1] else ''}>"
        + "".join(f"<table:table-cell {attributes}>{content}</table:table-cell>" for attributes, content in row)
        + "</table:table-row>"
        for row in cells
    )
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr("META-INF/manifest.xml", "<manifest/>")
        made.writestr(
            "content.xml",
            f'<office:document-content{names}><office:body><office:spreadsheet><table:table table:name="S">'
            f"{columns}{body}</table:table></office:spreadsheet></office:body></office:document-content>",
        )
    return file.getvalue()


async def test_open_document_sheets(read: Read) -> None:
    word = 'office:value-type="string"'
    number = 'office:value-type="float" office:value='
    data = open_sheet(
        f'{word} table:number-rows-spanned="2"|<text:p>Dept</text:p>'
        f' & {word} table:number-columns-spanned="2"|<text:p>First half</text:p> & |',
        f"| & {word}|<text:p>Plan</text:p> & {word}|<text:p>Actual</text:p>",
        f'{word} table:number-rows-spanned="2"|<text:p>Fin</text:p>'
        f' & {number}"10"|<office:annotation><text:p>Resits</text:p></office:annotation><text:p>10</text:p>'
        ' & office:value-type="percentage" office:value="0.1275"|<text:p>12.75%</text:p>',
        f'| & {number}"20"|<text:p>20</text:p> & {number}"7045"|<text:p>07045</text:p>',
    )
    _, pages, _ = await read(data, "a.ods")
    assert pages[0].markdown == (
        "# S\n\n| Dept | First half Plan | First half Actual |\n| --- | --- | --- |\n"
        "| Fin | 10 (Comment: Resits) | 12.75% |\n| Fin | 20 | 07045 |"
    )


@pytest.mark.parametrize("how", ["collapse", "filter"])
async def test_hidden_rows_and_columns_of_open_document_sheets_say_so(read: Read, how: str) -> None:
    word, unseen = 'office:value-type="string"|', f' table:visibility="{how}"'
    rows = [
        " & ".join(f"{word}<text:p>{cell}</text:p>" for cell in row.split()) for row in ("姓名 薪资", "甲 乙", "丙 丁")
    ]
    data = open_sheet(*rows, columns=f"<table:table-column/><table:table-column{unseen}/>", hidden=unseen)
    _, pages, _ = await read(data, "a.ods")
    assert (
        pages[0].markdown == "# S\n\n| 姓名 | 薪资 （隐藏的列） |\n| --- | --- |\n| 甲 | 乙 |\n| （隐藏的行） 丙 | 丁 |"
    )
    _, pages, _ = await read(open_sheet(*rows), "a.ods")
    assert "隐藏" not in pages[0].markdown


BODY = "\n".join(f"Works {number} in the north,{number},{number + 1000},{number + 7000}" for number in range(150))


@pytest.mark.parametrize(
    ("text", "name", "start"),
    [
        ("Plant,2023,2024,2025\n" + BODY, "a.csv", "| Plant | 2023 | 2024 | 2025 |"),
        ("Name,Phone,Phone,Mail\n" + BODY, "a.csv", "| Name | Phone | Phone | Mail |"),
        ('"sep=;"\nPart;Price\nNut M6;0,12\n', "a.csv", "| Part | Price |\n| --- | --- |\n| Nut M6 | 0,12 |"),
        ("sep=|\r\nPart|Price\r\nNut M6|0,12\r\n", "a.csv", "| Part | Price |\n| --- | --- |\n| Nut M6 | 0,12 |"),
        ("# exported on 4 May\nPart,Price\nNut,2\n", "a.csv", "# exported on 4 May\n\n| Part | Price |"),
        ("Prices of May\n\nPart,Price\nNut,2\n", "a.csv", "Prices of May\n\n| Part | Price |\n"),
        ("Part\tPrice\nNut M6\t0,12\n", "a.xls", "| Part | Price |\n| --- | --- |\n| Nut M6 | 0,12 |"),
    ],
)
async def test_tables_as_text(read: Read, text: str, name: str, start: str) -> None:
    _, pages, _ = await read(text.encode(), name)
    assert pages[0].markdown.startswith(start)
    assert all(page.markdown.startswith(start) for page in pages)


async def test_a_quote_that_is_never_closed_damages_one_row(read: Read) -> None:
    text = 'Item,Size,Price\nNail,3",2\n"Wide, long",1,"two\nlines"\nBolt,"4,5\nNut,6,7\nRod,8,9\n'
    _, pages, _ = await read(text.encode(), "a.csv")
    assert "| Wide, long | 1 | two lines |" in pages[0].markdown
    assert "| Nut | 6 | 7 |\n| Rod | 8 | 9 |" in pages[0].markdown


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([["Plant", "2021", "2022"], ["A", "5", "6"]], True),
        ([["", "2021", "2022", "2023"], ["A", "5", "6", "7"]], True),
        ([["1", "2021", "5"], ["2", "2022", "6"]], False),
        ([["yes", "no", "yes"], ["yes", "yes", "no"]], False),
        ([["Rome", "2021", "2022"], ["Oslo", "2023", "2024"]], False),
        ([["Works", "2021", "2022", "2023"], ["A", "1000", "2000", "3000"], ["B", "1001", "2001", "3001"]], True),
        ([["电厂", "2023年", "2022年"], ["甲", "2010", "870"], ["乙", "1999", "910"]], True),
        ([["Ada", "2001", "2015"], ["Bob", "1999", "800"]], False),
        ([["Region", "2021", "2022"], ["North", "2020", "2050"], ["South", "1999", "2005"]], True),
        ([["North", "2021", "2022"], ["South", "2022", "2023"]], False),
        ([["Name", "Name"], ["Ada", "Bob"]], True),
        ([["Ada", "91", "yes"], ["Bob", "80", "no"]], False),
        ([["Name", "2024"], ["Ada", "17"]], True),
    ],
)
def test_what_names_columns(rows: list[list[str]], named: bool) -> None:
    assert has_header(rows) is named


def test_words_above_numbers_are_one_header() -> None:
    header, body = split_header([["", "Q1", "Q1"], ["Site", "Plan", "Actual"], ["Lyon", "1", "2"]])
    assert header == ["Site", "Q1 Plan", "Q1 Actual"]
    assert body == [["Lyon", "1", "2"]]
