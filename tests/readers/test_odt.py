"""OpenDocument: numbers, merged cells, comments, formulas, charts, headers and footers are in the text."""

from __future__ import annotations

import pytest

from tests.readers.conftest import Read
from tests.readers.samples import packed

SPACES = (
    " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for short, name in (
            ("office", "office"),
            ("text", "text"),
            ("table", "table"),
            ("draw", "drawing"),
            ("style", "style"),
        )
    )
    + ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
MATH = "http://www.w3.org/1998/Math/MathML"


def document(body: str, styles: str = "", lists: str = "", **members: str) -> bytes:
    content = (
        f"<office:document-content {SPACES}><office:automatic-styles>{lists}</office:automatic-styles>"
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"
    )
    parts: dict[str, str | bytes] = {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content}
    parts["styles.xml"] = f"<office:document-styles {SPACES}>{styles}</office:document-styles>"
    return packed(parts | {name.replace("__", "/"): text for name, text in members.items()})


def item(text: str, inner: str = "", start: str = "") -> str:
    value = f' text:start-value="{start}"' if start else ""
    return f"<text:list-item{value}><text:p>{text}</text:p>{inner}</text:list-item>"


def listed(items: str, more: str = "") -> str:
    return f'<text:list text:style-name="L1" {more}>{items}</text:list>'


CLAUSES = (
    '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="一, 二, 三, ..." '
    'style:num-prefix="第" style:num-suffix="条"/><text:list-level-style-number text:level="2" style:num-format="1" '
    'style:num-suffix="." text:display-levels="2"/></text:list-style>'
)
OUTLINE = (
    '<text:outline-style><text:outline-level-style text:level="1" style:num-format="1"/>'
    '<text:outline-level-style text:level="2" style:num-format="1" text:display-levels="2"/></text:outline-style>'
)
MERGED = (
    '<table:table><table:table-row><table:table-cell table:number-rows-spanned="2"><text:p>North</text:p>'
    "</table:table-cell><table:table-cell><text:p>310</text:p></table:table-cell></table:table-row><table:table-row>"
    "<table:covered-table-cell/><table:table-cell><text:p>420</text:p></table:table-cell></table:table-row>"
    '<table:table-row><table:table-cell table:number-columns-spanned="2"><text:p>Closed</text:p></table:table-cell>'
    "<table:covered-table-cell/></table:table-row></table:table>"
)
COMMENT = "<office:annotation><dc:creator>Mei</dc:creator><text:p>only 15</text:p></office:annotation>"
RUNNING = (
    "<style:header><text:p>Contract HX-44</text:p></style:header><style:footer><text:p>Page <text:page-number>3"
    "</text:page-number></text:p></style:footer>"
)
FRAME = '<draw:frame><draw:object xlink:href="./Object 1"/></draw:frame>'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            document(
                listed(item("甲", listed(item("乙") + item("丙"))) + item("丁")) + "<text:p>插</text:p>"
                + listed(item("戊"), 'text:continue-numbering="true"') + listed(item("己", start="7")),
                lists=CLAUSES,
            ),
            ["第一条 甲", "  一.1. 乙", "  一.2. 丙", "第二条 丁", "插", "第三条 戊", "第七条 己"],
        ),
        (
            document("".join(f'<text:h text:outline-level="{at}">{text}</text:h>' for at, text in
                             ((1, "A"), (2, "B"), (2, "C"), (1, "D"), (2, "E"))) + "<text:p>end</text:p>", OUTLINE),
            ["# 1 A", "## 1.1 B", "## 1.2 C", "# 2 D", "## 2.1 E", "end"],
        ),
        (document(MERGED), ["| North | 310 |", "| --- | --- |", "| North | 420 |", "| Closed |  |"]),
        (document(f"<text:p>Twelve days.{COMMENT}</text:p>"), ["Twelve days.", "Comment (Mei): only 15"]),
        (document("<text:p>Body.</text:p>", RUNNING), ["Body.", "# Headers and footers", "Contract HX-44"]),
        (
            document(
                f"<text:p>Speed {FRAME} here.</text:p>",
                **{"Object 1__content.xml": f'<math xmlns="{MATH}"><mi>v</mi><annotation>v = 3</annotation></math>'},
            ),
            ["Speed $v = 3$ here."],
        ),
        (
            document(
                f"<text:p>Chart.{FRAME}</text:p>",
                **{"Object 1__content.xml": f"<office:document-content {SPACES}>{MERGED}</office:document-content>"},
            ),
            ["Chart.", "| North | 310 |", "| --- | --- |", "| North | 420 |", "| Closed |  |"],
        ),
    ],
)  # fmt: skip
async def test_what_people_see_is_text(read: Read, data: bytes, expected: list[str]) -> None:
    outline, pages, _ = await read(data, "a.odt")
    assert [line for page in pages for line in page.markdown.split("\n") if line] == expected
    assert outline.warnings == ()


async def test_other_objects_are_counted(read: Read) -> None:
    outline, _, _ = await read(document(f"<text:p>Text.{FRAME}</text:p>"), "a.odt")
    assert outline.warnings == ("parts_not_read:1",)


async def test_a_text_without_its_mimetype_is_known_by_its_name(read: Read) -> None:
    body = "<office:body><office:text><text:p>Kept.</text:p></office:text></office:body>"
    content = f"<office:document-content {SPACES}>{body}</office:document-content>"
    _, pages, _ = await read(packed({"content.xml": content}), "a.odt")
    assert [page.markdown for page in pages] == ["Kept."]
