from __future__ import annotations

from readers.table_text import tables_of

BLOCK = "| A | B |\n| --- | --- |\n"


def test_blocks_under_one_header_are_one_table_and_sheets_their_own() -> None:
    pages = [("Jan", f"# Jan\n\n{BLOCK}| 1 | x |\n\n{BLOCK}| 2 | y |"), ("Feb", f"{BLOCK}| 3 | z |")]
    together = tables_of(pages, apart=False)
    assert [(table.place, table.rows) for table in together] == [("Jan", [["1", "x"], ["2", "y"], ["3", "z"]])]
    assert [(table.place, len(table.rows)) for table in tables_of(pages, apart=True)] == [("Jan", 2), ("Feb", 1)]


def test_names_are_told_apart_and_short_rows_filled() -> None:
    text = "| A | a | | a 2 |\n|---|---|---|---|\n| 1 |\n| 1 | 2 \\| 2 | 3 | 4 | 5 |"
    (table,) = tables_of([("1", text)], apart=False)
    assert len({name.casefold() for name in table.columns}) == 4 and table.columns[:3] == ("A", "a 2", "column 3")
    assert table.rows == [["1", "", "", ""], ["1", "2 | 2", "3", "4"]]
