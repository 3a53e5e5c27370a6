"""What people see in Word is in the text: numbers, notes, boxes, charts, equations, and what is left out is counted."""

from __future__ import annotations

import pytest
from lxml import etree

from readers.interface import Outline
from readers.office.equations import latex
from tests.readers import samples
from tests.readers.conftest import Read

SPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    ' xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
    ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    ' xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'
    ' xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
    ' xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
)
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TABLE_MERGED = (
    "<w:tbl><w:tr>{0}<w:vMerge w:val='restart'/>{1}Region{2}{0}<w:gridSpan w:val='2'/>{1}Sales{2}</w:tr>"
    "<w:tr>{0}<w:vMerge/>{1}{2}{0}{1}Plan{2}{0}{1}Actual{2}</w:tr>"
    "<w:tr>{0}<w:vMerge w:val='restart'/>{1}North{2}{0}{1}310{2}{0}{1}287{2}</w:tr>"
    "<w:tr>{0}<w:vMerge/>{1}{2}{0}{1}420{2}{0}{1}455{2}</w:tr></w:tbl>"
).format("<w:tc><w:tcPr>", "</w:tcPr><w:p><w:r><w:t>", "</w:t></w:r></w:p></w:tc>")


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(content: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{content if content.startswith('<') else run(content)}</w:p>"


def listed(text: str, level: int = 0, number: int = 1) -> str:
    return paragraph(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def document(body: str, links: dict[str, tuple[str, str]] | None = None, **parts: str | bytes) -> bytes:
    """A Word file; `links` are ids with kind and target, `parts` members of `word/` with `__` for a full stop."""
    relations = "".join(
        f'<Relationship Id="{name}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for name, (kind, target) in (links or {}).items()
    )
    members: dict[str, str | bytes] = {f"word/{name.replace('__', '.')}": part for name, part in parts.items()}
    members["word/_rels/document.xml.rels"] = (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>'
    )
    return samples.docx_with(f"<w:document {SPACES}><w:body>{body}<w:sectPr/></w:body></w:document>", **members)


def numbering(*levels: tuple[str, str, str], more: str = "") -> str:
    """A `numbering.xml` of one list, of number format, text and further XML a level, used as number 1."""
    made = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/>{extra}</w:lvl>'
        for at, (form, text, extra) in enumerate(levels)
    )
    return (
        f'<w:numbering {SPACES}><w:abstractNum w:abstractNumId="0">{made}</w:abstractNum>'
        f'<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>{more}</w:numbering>'
    )


async def lines(read: Read, data: bytes) -> tuple[Outline, list[str]]:
    outline, pages, _ = await read(data, "a.docx")
    return outline, [line for page in pages for line in page.markdown.split("\n") if line]


async def text_of(read: Read, body: str) -> list[str]:
    return (await lines(read, document(body)))[1]


CLAUSES = numbering(("chineseCounting", "第%1条", '<w:suff w:val="space"/>'), ("decimal", "（%2）", ""))
SECTIONS = numbering(
    ("upperRoman", "%1.", ""),
    ("decimal", "%1.%2", "<w:isLgl/>"),
    ("lowerLetter", "(%3)", '<w:lvlRestart w:val="1"/>'),
    more='<w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/>'
    "</w:lvlOverride></w:num>",
)
BULLETS = numbering(("bullet", "\uf0b7", '<w:rPr><w:rFonts w:ascii="Symbol"/></w:rPr>'), ("bullet", "☑", ""))


@pytest.mark.parametrize(
    ("numbers", "body", "expected"),
    [
        (
            CLAUSES,
            listed("总则") + listed("甲方", 1) + paragraph("插入") + listed("乙方", 1)
            + listed("分则") + listed("丙", 1),
            ["第一条 总则", "（1） 甲方", "插入", "（2） 乙方", "第二条 分则", "（1） 丙"],
        ),
        (CLAUSES, "".join(listed(str(n)) for n in range(1, 22)), ["第十条 10", "第十一条 11", "第二十一条 21"]),
        (
            SECTIONS,
            "".join(listed(text, level) for text, level in zip("ABCDEFG", (0, 1, 2, 1, 2, 0, 2), strict=True)),
            ["I. A", "1.1 B", "(a) C", "1.2 D", "(b) E", "II. F", "(a) G"],
        ),
        (
            SECTIONS,
            listed("A") + listed("B", 0, 2) + listed("C", 0, 2) + listed("", 0, 2) + listed("D", 1, 2),
            ["I. A", "VII. B", "VIII. C", "9.1 D"],
        ),
        (BULLETS, listed("plain") + listed("ticked", 1), ["- plain", "  - ☑ ticked"]),
    ],
)  # fmt: skip
async def test_automatic_numbers(read: Read, numbers: str, body: str, expected: list[str]) -> None:
    _, found = await lines(read, document(body, numbering__xml=numbers))
    assert [line for line in found if line in expected] == expected


async def test_numbers_come_with_the_style_of_a_paragraph(read: Read) -> None:
    styles = (
        f'<w:styles {SPACES}><w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/><w:pPr><w:numPr>'
        '<w:numId w:val="1"/></w:numPr></w:pPr></w:style><w:style w:type="paragraph" w:styleId="H2"><w:name '
        'w:val="heading 2"/><w:basedOn w:val="H1"/></w:style></w:styles>'
    )
    levels = numbering(("decimal", "%1", '<w:pStyle w:val="H1"/>'), ("decimal", "%1.%2", '<w:pStyle w:val="H2"/>'))
    body = "".join(paragraph(text, f'<w:pStyle w:val="{style}"/>') for style, text in
                   (("H1", "Scope"), ("H1", "Terms"), ("H2", "Price"), ("H2", "Delivery")))  # fmt: skip
    body += paragraph("None", '<w:pStyle w:val="H2"/><w:numPr><w:numId w:val="0"/></w:numPr>')
    _, found = await lines(read, document(body, numbering__xml=levels, styles__xml=styles))
    assert found == ["# 1 Scope", "# 2 Terms", "## 2.1 Price", "## 2.2 Delivery", "## None"]


@pytest.mark.parametrize(
    ("omml", "tex"),
    [
        ("<m:f><m:num>‹ρgQH›</m:num><m:den>‹η›</m:den></m:f>", r"\frac{ρgQH}{η}"),
        ("<m:f><m:fPr><m:type m:val='lin'/></m:fPr><m:num>‹a›</m:num><m:den>‹2b›</m:den></m:f>", "a/{2b}"),
        ("‹4.2 × 10›<m:sSup><m:e>‹x›</m:e><m:sup>‹n+1›</m:sup></m:sSup>", "4.2 × 10x^{n+1}"),
        ("<m:sSubSup><m:e>‹a+b›</m:e><m:sub>‹i›</m:sub><m:sup>‹2›</m:sup></m:sSubSup>", "{a+b}_i^2"),
        ("<m:rad><m:radPr><m:degHide m:val='1'/></m:radPr><m:deg/><m:e>‹2gh›</m:e></m:rad>", r"\sqrt{2gh}"),
        ("<m:rad><m:deg>‹3›</m:deg><m:e>‹V›</m:e></m:rad>", r"\sqrt[3]{V}"),
        (
            "<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub>‹i=1›</m:sub><m:sup>‹n›</m:sup><m:e>‹q›</m:e>"
            "</m:nary>",
            r"\sum_{i=1}^n q",
        ),
        ("<m:nary><m:sub>‹0›</m:sub><m:sup>‹1›</m:sup><m:e>‹f dx›</m:e></m:nary>", r"\int_0^1 f dx"),
        (
            "<m:func><m:fName><m:limLow><m:e>‹lim›</m:e><m:lim>‹x→0›</m:lim></m:limLow></m:fName><m:e>‹f›</m:e></m:func>",
            r"\lim_{x→0} f",
        ),
        ("<m:func><m:fName>‹sin›</m:fName><m:e><m:d><m:e>‹α›</m:e></m:d></m:e></m:func>", r"\sin (α)"),
        (
            "<m:d><m:dPr><m:begChr m:val='{'/><m:endChr m:val=''/></m:dPr><m:e><m:eqArr><m:e>‹1,&amp; x&gt;0›</m:e>"
            "<m:e>‹0,&amp; x≤0›</m:e></m:eqArr></m:e></m:d>",
            r"\begin{cases} 1, x>0 \\ 0, x≤0 \end{cases}",
        ),
        (
            "<m:d><m:dPr><m:begChr m:val='['/><m:endChr m:val=']'/></m:dPr><m:e><m:m><m:mr><m:e>‹a›</m:e><m:e>‹b›</m:e>"
            "</m:mr><m:mr><m:e>‹c›</m:e><m:e>‹d›</m:e></m:mr></m:m></m:e></m:d>",
            r"[\begin{matrix} a & b \\ c & d \end{matrix}]",
        ),
        ("<m:acc><m:accPr><m:chr m:val='\u20d7'/></m:accPr><m:e>‹v›</m:e></m:acc>", r"\vec{v}"),
        ("<m:bar><m:barPr><m:pos m:val='top'/></m:barPr><m:e>‹x›</m:e></m:bar>‹=20%›", r"\overline{x}=20\%"),
        ("<m:groupChr><m:e>‹a+b›</m:e></m:groupChr>", r"\underbrace{a+b}"),
        ("<m:box><m:e>‹E›</m:e></m:box><m:borderBox><m:e>‹m›</m:e></m:borderBox>", r"E\boxed{m}"),
        ("<m:sPre><m:sub>‹6›</m:sub><m:sup>‹14›</m:sup><m:e>‹C›</m:e></m:sPre>", "{}_6^{14}C"),
    ],
)  # fmt: skip
def test_equations_are_latex(omml: str, tex: str) -> None:
    filled = omml.replace("‹", "<m:r><m:t>").replace("›", "</m:t></m:r>")
    assert latex(etree.fromstring(f"<m:oMath {SPACES}>{filled}</m:oMath>")) == tex


async def test_equations_stand_in_their_sentence(read: Read) -> None:
    inline = "<m:oMath><m:r><m:t>v=3</m:t></m:r></m:oMath>"
    body = paragraph(run("The speed is ") + inline + run(" m/s.")) + paragraph(f"<m:oMathPara>{inline}</m:oMathPara>")
    assert await text_of(read, body) == ["The speed is $v=3$ m/s.", "$$v=3$$"]


BOX = "<w:txbxContent>" + paragraph("Beware of the dog") + "</w:txbxContent>"
SHAPE = (
    f"<w:drawing><wp:anchor><a:graphic><a:graphicData><wps:wsp><wps:txbx>{BOX}</wps:txbx></wps:wsp></a:graphicData>"
    "</a:graphic></wp:anchor></w:drawing>"
)
FALLBACK = f"<w:pict><v:shape><v:textbox>{BOX}</v:textbox></v:shape></w:pict>"
CHOICE = (
    f"<mc:AlternateContent><mc:Choice>{SHAPE}</mc:Choice><mc:Fallback>{FALLBACK}</mc:Fallback></mc:AlternateContent>"
)
DROP_DOWN = (
    '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:ddList><w:result w:val="1"/><w:listEntry w:val="Ulm"/>'
    '<w:listEntry w:val="Bonn"/></w:ddList></w:ffData></w:fldChar></w:r>'
    "<w:r><w:instrText>FORMDROPDOWN</w:instrText></w:r>"
    '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
)
TICK = (
    '<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="{}"/></w14:checkbox></w:sdtPr>'
    "<w:sdtContent>{}</w:sdtContent></w:sdt>"
)
OLD_TICK = (
    '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData></w:fldChar></w:r>'
    '<w:r><w:instrText>FORMCHECKBOX</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
)
RUBY = f"<w:r><w:ruby><w:rubyPr/><w:rt>{run('sū mǐn')}</w:rt><w:rubyBase>{run('苏敏')}</w:rubyBase></w:ruby></w:r>"
CAPTION = run("Figure ") + f'<w:fldSimple w:instr=" SEQ Figure ">{run("4")}</w:fldSimple>' + run(": the dam")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (paragraph(run("Gate") + f"<w:r>{SHAPE}</w:r>"), ["Gate", "Beware of the dog"]),
        (paragraph(run("Gate") + f"<w:r>{CHOICE}</w:r>"), ["Gate", "Beware of the dog"]),
        (paragraph(run("Gate") + f"<w:r>{FALLBACK}</w:r>"), ["Gate", "Beware of the dog"]),
        (paragraph(run("负责人是") + RUBY), ["负责人是苏敏(sū mǐn)"]),
        (paragraph(run("Insured: ") + TICK.format(1, run("☒")) + run(" yes ") + TICK.format(0, run("☐")) + run(" no")),
         ["Insured: ☒ yes ☐ no"]),
        (paragraph(run("Insured: ") + OLD_TICK + run(" yes")), ["Insured: ☒ yes"]),
        (paragraph(run("City: ") + DROP_DOWN), ["City: Bonn"]),
        (paragraph(CAPTION), ["Figure 4: the dam"]),
        (paragraph(f'<w:dir w:val="rtl">{run("kept")}</w:dir><w:vendor>{run(" too")}</w:vendor>'), ["kept too"]),
        (TABLE_MERGED, ["| Region | Sales Plan | Sales Actual |", "| --- | --- | --- |", "| North | 310 | 287 |",
                        "| North | 420 | 455 |"]),
    ],
)  # fmt: skip
async def test_what_word_shows_is_text(read: Read, body: str, expected: list[str]) -> None:
    assert await text_of(read, body) == expected


async def test_notes_comments_headers_and_footers(read: Read) -> None:
    def note(kind: str, name: int, text: str, more: str = "") -> str:
        return f'<w:{kind} w:id="{name}" {more}>{paragraph(text)}</w:{kind}>'

    def page_field() -> str:
        begin, separate, end = (
            f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")
        )
        return f"{run('Page ')}{begin}<w:r><w:instrText> PAGE </w:instrText></w:r>{separate}{run('2')}{end}"

    author = 'w:author="Mei"'
    references = "".join(f'<w:headerReference r:id="h{n}"/>' for n in (1, 2, 3))
    body = (
        paragraph(run("Turnover 1,240") + '<w:r><w:footnoteReference w:id="2"/></w:r>' + run(" euros."))
        + paragraph(
            run("Twelve days.") + '<w:r><w:commentReference w:id="0"/></w:r><w:r><w:endnoteReference w:id="2"/></w:r>'
        )
        + f"<w:p><w:pPr><w:sectPr>{references}</w:sectPr></w:pPr></w:p>"
    )
    links = {"f": ("footnotes", "footnotes.xml"), "e": ("endnotes", "endnotes.xml"), "c": ("comments", "comments.xml")}
    links |= {f"h{n}": ("header", f"header{n}.xml") for n in (1, 2, 3)}
    data = document(
        body,
        links,
        footnotes__xml=f"<w:footnotes {SPACES}>{note('footnote', 2, 'Before tax.')}</w:footnotes>",
        endnotes__xml=f"<w:endnotes {SPACES}>{note('endnote', 2, 'See annex B.')}</w:endnotes>",
        comments__xml=f"<w:comments {SPACES}>{note('comment', 0, 'only 15', author)}</w:comments>",
        header1__xml=f"<w:hdr {SPACES}>{paragraph('Contract HX-4410')}</w:hdr>",
        header2__xml=f"<w:hdr {SPACES}>{paragraph(page_field())}</w:hdr>",
        header3__xml=f"<w:hdr {SPACES}>{paragraph('Contract HX-4410')}</w:hdr>",
    )
    outline, found = await lines(read, data)
    assert found == [
        "Turnover 1,240 [1] euros.",
        "[1] Before tax.",
        "Twelve days. [2]",
        "Comment (Mei): only 15",
        "[2] See annex B.",
        "# Headers and footers",
        "Contract HX-4410",
    ]
    assert outline.warnings == ()


CHART = (
    f"<c:chartSpace {SPACES}><c:chart><c:title><a:p><a:r><a:t>Turnover</a:t></a:r></a:p></c:title><c:plotArea>"
    "<c:barChart><c:ser><c:tx><c:strCache><c:pt idx='0'><c:v>2024</c:v></c:pt></c:strCache></c:tx>"
    "<c:cat><c:strCache><c:pt idx='0'><c:v>Riga</c:v></c:pt><c:pt idx='1'><c:v>Ulm</c:v></c:pt></c:strCache></c:cat>"
    "<c:val><c:numCache><c:formatCode>General</c:formatCode><c:pt idx='0'><c:v>1234567</c:v></c:pt>"
    "<c:pt idx='1'><c:v>20345678.25</c:v></c:pt></c:numCache></c:val></c:ser></c:barChart></c:plotArea></c:chart>"
    "</c:chartSpace>"
)
SMART_ART = (
    f"<dgm:dataModel {SPACES}><dgm:ptLst><dgm:pt><dgm:t><a:p><a:r><a:t>Plan</a:t></a:r></a:p></dgm:t></dgm:pt><dgm:pt/>"
    "<dgm:pt><dgm:t><a:p><a:r><a:t>Build</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:ptLst></dgm:dataModel>"
)


def drawn(content: str) -> str:
    graphic = f"<a:graphic><a:graphicData>{content}</a:graphicData></a:graphic>"
    return f"<w:r><w:drawing><wp:inline>{graphic}</wp:inline></w:drawing></w:r>"


async def test_charts_and_diagrams(read: Read) -> None:
    body = paragraph(run("See the chart.") + drawn('<c:chart r:id="c1"/>')) + paragraph(
        drawn('<dgm:relIds r:dm="d1"/>')
    )
    links = {"c1": ("chart", "charts/chart1.xml"), "d1": ("diagramData", "data1.xml")}
    data = document(body, links, **{"charts/chart1__xml": CHART, "data1__xml": SMART_ART})
    outline, found = await lines(read, data)
    assert found == ["See the chart.", "Turnover", "|  | 2024 |", "| --- | --- |", "| Riga | 1234567 |",
                     "| Ulm | 20345678.25 |",
                     "Plan", "Build"]  # fmt: skip
    assert outline.warnings == ()


@pytest.mark.parametrize(
    ("target", "data", "expected"),
    [
        ("a.html", "<html><body><p>The fee is 640 francs.</p></body></html>", "The fee is 640 francs."),
        ("a.docx", document(paragraph("The fee is 640 francs.")), "The fee is 640 francs."),
        ("a.rtf", rb"{\rtf1 The fee is 640 francs.}", "The fee is 640 francs."),
        ("a.txt", "许可费为640法郎。", "许可费为640法郎。"),
        (
            "a.mht",
            "MIME-Version: 1.0\nSubject: x\nContent-Type: multipart/related; boundary=b\n\n"
            "--b\nContent-Type: text/html\n\n"
            "<p>The fee is 640 francs.</p>\n--b--\n",
            "The fee is 640 francs.",
        ),
    ],
)
async def test_documents_inside_a_document(read: Read, target: str, data: str | bytes, expected: str) -> None:
    body = paragraph("Cover.") + '<w:altChunk r:id="k"/>' + paragraph("End.")
    name = target.replace(".", "__")
    outline, found = await lines(read, document(body, {"k": ("aFChunk", target)}, **{name: data}))
    assert found == ["Cover.", expected, "End."]
    assert outline.warnings == ()


async def test_what_is_left_out_is_counted(read: Read) -> None:
    body = (
        paragraph(run("Text.") + drawn('<c:chart r:id="gone"/>'))
        + paragraph('<w:r><w:object><o:OLEObject Type="Embed" ProgID="Excel.Sheet.12" r:id="o1"/></w:object></w:r>')
        + '<w:altChunk r:id="gone"/>'
    )
    outline, found = await lines(read, document(body))
    assert found == ["Text."]
    assert outline.warnings == ("parts_not_read:3",)


async def test_strict_files_and_pictures_in_headers_are_read(read: Read) -> None:
    picture = (
        '<pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:blipFill>'
        '<a:blip r:embed="p1"/></pic:blipFill></pic:pic>'
    )
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="p1" '
        f'Type="{OFFICE}/image" Target="media/seal.png"/></Relationships>'
    )
    data = document(
        paragraph("Body.") + '<w:p><w:pPr><w:sectPr><w:headerReference r:id="h"/></w:sectPr></w:pPr></w:p>',
        {"h": ("header", "header1.xml")},
        header1__xml=f"<w:hdr {SPACES}>{paragraph(run('Seal ') + drawn(picture))}</w:hdr>",
        **{"media/seal__png": samples.picture(size=(300, 300))},
        **{"_rels/header1__xml__rels": relations},
    )
    _, pages, _ = await read(data, "a.docx")
    assert [len(page.figures) for page in pages] == [0, 1]
    strict = samples.docx_with(
        '<w:document xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main"><w:body><w:p><w:r><w:t>Strict words.'
        "</w:t></w:r></w:p></w:body></w:document>"
    )
    _, found = await lines(read, strict)
    assert found == ["Strict words."]
