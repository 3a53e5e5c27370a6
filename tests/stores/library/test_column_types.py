from __future__ import annotations

import pytest

from stores.library.column_types import typed


@pytest.mark.parametrize(
    ("cells", "kind", "unit", "written"),
    [
        (["1", "-2", "1,310", ""], "BIGINT", "", ["1", "-2", "1310", None]),
        (["4.20", "2.755", "n/a"], "DECIMAL(18,3)", "", ["4.20", "2.755", None]),
        (["0.123456789", "1"], "DOUBLE", "", ["0.123456789", "1"]),
        (["1e-7", "2.5"], "DOUBLE", "", ["1e-7", "2.5"]),
        (["¥1,200.50", "-¥900", "(¥3)", "无"], "DECIMAL(18,2)", "¥", ["1200.50", "-900", "-3", None]),
        (["12.5%", "3%", "-"], "DECIMAL(18,1)", "%", ["12.5", "3", None]),
        (["$1", "€1"], "VARCHAR", "", ["$1", "€1"]),
        (["1", "12%"], "VARCHAR", "", ["1", "12%"]),
        (["007", "8"], "VARCHAR", "", ["007", "8"]),
        (["110101199003070002", "11010119900307000X"], "VARCHAR", "", ["110101199003070002", "11010119900307000X"]),
        (["6222020200112233445", "1"], "VARCHAR", "", ["6222020200112233445", "1"]),
        (["2026-07-01", "2026/7/2", "2026年7月3日", "–"], "DATE", "", ["2026-07-01", "2026-07-02", "2026-07-03", None]),
        (["2026-02-30", "2026-07-01"], "VARCHAR", "", ["2026-02-30", "2026-07-01"]),
        (["2026-07-01 08:30", "2026-07-02"], "TIMESTAMP", "", ["2026-07-01 08:30:00", "2026-07-02"]),
        (["TRUE", "FALSE", ""], "BOOLEAN", "", ["TRUE", "FALSE", None]),
        (["n/a", "-", ""], "VARCHAR", "", ["n/a", "-", None]),
        (["none of it", "none"], "VARCHAR", "", ["none of it", "none"]),
        ([], "VARCHAR", "", []),
    ],
)
def test_a_column_has_the_type_that_all_its_cells_have(
    cells: list[str], kind: str, unit: str, written: list[str | None]
) -> None:
    column = typed(cells)
    assert (column.kind, column.unit, column.cells) == (kind, unit, written)
