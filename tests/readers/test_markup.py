"""HTML to Markdown: what people see of lists, definitions, forms, formulas and tables with spans stays legible."""

from __future__ import annotations

import pytest

from readers.text.markup import MOST_CELLS, to_markdown

SALES = """<table><caption>Sales of 2024</caption>
<tr><td rowspan=2>Region</td><td colspan=2>Sales</td></tr><tr><td>Plan</td><td>Actual</td></tr>
<tr><td rowspan=2>North</td><td>310</td><td>287</td></tr><tr><td>420</td><td>4|55</td></tr>
<tr><td colspan=3>Closed in May</td></tr></table>"""
QUARTERS = """<table><thead><tr><th></th><th colspan=2>Q1</th></tr>
<tr><th>Plant</th><th>Plan</th><th>Is</th></tr></thead><tr><td>Riga</td><td colspan=2>closed</td></tr></table>"""
HOURS = """<table><tr><th>Shop</th><th>Hours</th></tr>
<tr><td>North</td><td><ul><li>Mon 10-20</li><li>Tue closed</li></ul></td></tr></table>"""
INNER = """<table><tr><th>Box</th><th>Content</th></tr><tr><td>A</td><td><table><tr><td>nails</td><td>40</td></tr>
<tr><td>nuts</td><td>12</td></tr></table></td></tr></table>"""
PLACED = """<table role="presentation"><tr><td><h2>Left</h2><p>one</p></td>
<td><ul><li>two</li><li>three</li></ul></td></tr>
</table>"""


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<dl><dt>Fuse</dt><dd>10 A</dd><dt>Lock</dt><dt>Code</dt><dd>44</dd></dl>", "- Fuse: 10 A\n- Lock, Code: 44"),
        ("<dl><div><dt>邮编</dt><dd>361000</dd><dd>361001</dd></div></dl>", "- 邮编: 361000; 361001"),
        ("<details><summary>Warranty</summary>Three years.</details>", "Warranty\n\nThree years."),
        ("<p>one</p><aside>14.60 euros</aside><footer>Tel 0471</footer>", "one\n\n14.60 euros\n\nTel 0471"),
        ("<p>10<sup>6</sup> N on 45 m<sup>2</sup>, CO<sub>2</sub></p>", "10^6 N on 45 m^2, CO2"),
        ("<p>1,240<sup><a href='#n'>3</a></sup> euros<sup>[74]</sup>, 4<sup>th</sup></p>", "1,240 [3] euros [74], 4th"),
        ("<p><ruby>苏敏<rp>(</rp><rt>sū mǐn</rt><rp>)</rp></ruby>负责</p>", "苏敏(sū mǐn)负责"),
        ("<p><input type=checkbox checked>yes <input type=radio> no</p>", "☒ yes ☐ no"),
        ("<p><input value='QX 4471'><input type=hidden value=token></p>", "QX 4471"),
        ("<p><select><option>Ulm<option selected>Bonn</select></p>", "Bonn"),
        ("<p><select><option>Ulm<option>Bonn</select></p>", "Ulm / Bonn"),
        ("<p><math alttext='E=mc^2'><mi>E</mi></math></p>", "$E=mc^2$"),
        ("<math><mi>x</mi><annotation encoding='application/x-tex'>x_1</annotation></math>", "$x_1$"),
        ("<svg><title>icon</title><text>Pump A</text><text>Pump B</text></svg>", "Pump A; Pump B"),
        ("<h2>Rules<a href='#rules'>¶</a></h2>", "## Rules"),
        (HOURS, "| Shop | Hours |\n| --- | --- |\n| North | Mon 10-20; Tue closed |"),
        (INNER, "| Box | Content |\n| --- | --- |\n| A | nails 40; nuts 12 |"),
        (PLACED, "## Left\n\none\n\n- two\n- three"),
        ("<table><tr><td>A box around a remark.</td></tr></table>", "A box around a remark."),
        (QUARTERS, "| Plant | Q1 Plan | Q1 Is |\n| --- | --- | --- |\n| Riga | closed | closed |"),
        (
            SALES,
            "Sales of 2024\n\n| Region | Sales Plan | Sales Actual |\n| --- | --- | --- |\n| North | 310 | 287 |\n"
            "| North | 420 | 4\\|55 |\n| Closed in May |  |  |",
        ),
    ],
)  # fmt: skip
def test_what_is_seen_stays(html: str, markdown: str) -> None:
    assert to_markdown(html) == markdown


def test_a_picture_in_a_cell_that_spans_rows_is_placed_once() -> None:
    rows = "<tr><th>A</th><th>B</th></tr><tr><td rowspan=3><img src=x alt=seal></td><td>1</td></tr><tr><td>2</td></tr>"
    sources = iter(["@"])  # a second picture has none
    text = to_markdown(f"<table>{rows}</table>", lambda source: next(sources))
    assert text.splitlines()[2:] == ["| [picture: seal]@ | 1 |", "|  | 2 |"]


def test_spans_beyond_all_bounds_cost_nothing() -> None:
    cell = "<td rowspan=99999 colspan=99999>x</td>"
    text = to_markdown(f"<table><tr><th>A<th>B<th>C</tr>{f'<tr>{cell}{cell}</tr>' * 3000}</table>")
    assert 6000 <= text.count("x") <= MOST_CELLS
