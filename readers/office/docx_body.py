"""Rewrites a Word document into what mammoth reads: numbers, equations, notes and charts become plain paragraphs.

Mammoth knows paragraphs, runs, tables, lists, pictures and check boxes. Everything else that people see in Word is put
into these words first; what cannot be is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy

from lxml import etree

from domain.language import language_of
from readers.hidden import Hidden
from readers.office.charts import CHART, chart_rows
from readers.office.compatible import DIAGRAM, DRAWING, choose, drawn_text, put_instead
from readers.office.docx_numbers import WORD, Numbering
from readers.office.docx_unseen import Unseen
from readers.office.equations import MATH, latex
from readers.office.package import LINK, Package, Part
from readers.office.running_text import is_page_number
from readers.texts import COMMENT, HEADERS

HEADER_STYLE = "HeadersAndFooters"
"""Style of the heading above the text of headers and footers."""
_PLACED = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_PICTURE = "{http://schemas.openxmlformats.org/drawingml/2006/picture}"
_VML = "{urn:schemas-microsoft-com:vml}"
_OLE = "{urn:schemas-microsoft-com:office:office}"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_KNOWN = {
    WORD + name
    for name in "document body p r t tbl tr tc hyperlink ins moveTo smartTag customXml sdt sdtContent object drawing"
    " pict txbxContent hdr ftr footnotes footnote endnotes endnote comments comment del moveFrom".split()
}
"""Elements that mammoth looks into, or has a reason not to."""
_PAGE_FIELDS = {"PAGE", "NUMPAGES", "SECTIONPAGES"}


class BodyRewriter:
    """Rewrites the parts of one document in place.

    Attributes:
        left_out: How many things were left out, so far.
    """

    def __init__(self, package: Package, chunk: Callable[[str], str], hidden: Hidden) -> None:
        """Rewrite parts of `package`; `chunk` returns the placeholder of another document inside it, by its member.

        Text that nobody sees is kept in `hidden`.
        """
        self.left_out = 0
        self._package = package
        self._chunk = chunk
        document = package.document
        numbering, styles = package.related(document, "numbering"), package.related(document, "styles")
        self._numbering = Numbering(numbering and numbering.root, styles and styles.root)
        self._hidden, self._unseen = hidden, Unseen(None if styles is None else styles.root, document.root)

    def document(self) -> Part:
        """Return the main part, rewritten, with comments and notes below their paragraphs, headers and footers last."""
        part = self._package.document
        self._rewrite(part)
        self._put_notes(part)
        self._put_comments(part)
        self._put_headers(part)
        return part

    def _rewrite(self, part: Part) -> None:
        root = part.root
        choose(root)
        self._unseen.hide(root, self._hidden.place)
        _equations(root)
        _ruby(root)
        _drop_downs(root)
        _watermarks(root)
        self._numbers(root)
        self._drawings(part)
        self._chunks(part)
        _text_boxes(root)
        _unwrap(root)

    def _numbers(self, root: etree._Element) -> None:
        """Write automatic numbers out; bullets stay to mammoth."""
        for paragraph in root.iter(f"{WORD}p"):
            if paragraph.find(f"{WORD}pPr/{WORD}rPr/{WORD}del") is not None:
                continue
            label, is_bullet = self._numbering.label(paragraph)
            if not label:
                continue
            properties = paragraph.find(f"{WORD}pPr")
            if not is_bullet:
                if properties is None:
                    properties = etree.Element(f"{WORD}pPr")
                    paragraph.insert(0, properties)
                for old in properties.findall(f"{WORD}numPr"):
                    properties.remove(old)
                numbered = etree.SubElement(properties, f"{WORD}numPr")
                etree.SubElement(numbered, f"{WORD}ilvl").set(f"{WORD}val", "0")
                etree.SubElement(numbered, f"{WORD}numId").set(f"{WORD}val", "0")
            if any(True for _ in paragraph.iter(f"{WORD}t", f"{WORD}drawing", f"{WORD}sym")):
                paragraph.insert(0 if properties is None else paragraph.index(properties) + 1, _run(label))

    def _drawings(self, part: Part) -> None:
        """Put charts and diagrams below their paragraphs, and count what has no text to give."""
        for link in reversed(list(part.root.iter(f"{CHART}chart"))):
            chart = self._package.linked(part, link.get(f"{LINK}id"))
            title, rows = ("", []) if chart is None else chart_rows(chart.root)
            self.left_out += not rows
            _put_below(link, [*([_paragraph(title)] if title else []), *([_table(rows)] if rows else [])])
        for link in reversed(list(part.root.iter(f"{DIAGRAM}relIds"))):
            data = self._package.linked(part, link.get(f"{LINK}dm"))
            points = [] if data is None else [drawn_text(one) for one in data.root.iter(f"{DIAGRAM}pt")]
            self.left_out += not any(points)
            _put_below(link, [_paragraph(text) for text in points if text])
        for drawing in list(part.root.iter(f"{WORD}drawing")):
            _free_pictures(drawing)
        unread = part.root.iter(f"{_OLE}OLEObject", f"{WORD}control", f"{WORD}contentPart", f"{WORD}subDoc")
        self.left_out += sum(1 for _ in unread)
        self.left_out += sum("chartex" in str(one.get("uri")) for one in part.root.iter(f"{DRAWING}graphicData"))

    def _chunks(self, part: Part) -> None:
        """Put placeholders where other documents are."""
        for chunk in list(part.root.iter(f"{WORD}altChunk")):
            member = part.links.get(str(chunk.get(f"{LINK}id")), ("", ""))[1]
            text = self._chunk(member) if member else ""
            self.left_out += not text
            chunk.getparent().replace(chunk, _paragraph(text))

    def _put_notes(self, document: Part) -> None:
        """Put footnotes and endnotes below the paragraphs that refer to them, numbered in one series."""
        notes = dict(self._entries(document, "footnote")) | dict(self._entries(document, "endnote"))
        placed: list[tuple[etree._Element, list[etree._Element]]] = []
        number = 0
        for reference in list(document.root.iter(f"{WORD}footnoteReference", f"{WORD}endnoteReference")):
            kind = etree.QName(reference).localname.removesuffix("Reference")
            note, part = notes.get((kind, str(reference.get(f"{WORD}id"))), (None, None))
            if note is None or part is None:
                continue
            blocks = self._moved(note, part, document)
            mark = ""
            if reference.get(f"{WORD}customMarkFollows") not in ("1", "true", "on"):
                number += 1
                mark = f" [{number}]"
                _begin(blocks, f"[{number}] ")
            text = _text(mark)
            reference.getparent().replace(reference, text)
            placed.append((text, blocks))
        for anchor, blocks in reversed(placed):
            _put_below(anchor, blocks)

    def _put_comments(self, document: Part) -> None:
        """Put comments below the paragraphs that they are about."""
        comments = dict(self._entries(document, "comment"))
        for reference in reversed(list(document.root.iter(f"{WORD}commentReference"))):
            comment, part = comments.get(("comment", str(reference.get(f"{WORD}id"))), (None, None))
            if comment is None or part is None:
                continue
            blocks = self._moved(comment, part, document)
            name = COMMENT.text(language_of(_words(comment), "en"))
            author = str(comment.get(f"{WORD}author") or "").strip()
            for block in blocks:
                _begin([block], f"{name} ({author}): " if author else f"{name}: ")
            _put_below(reference, blocks)

    def _put_headers(self, document: Part) -> None:
        """Put the text of headers and footers at the end, each once, those that only number the pages left out."""
        blocks: list[etree._Element] = []
        seen: set[str] = set()
        for reference in document.root.iter(f"{WORD}headerReference", f"{WORD}footerReference"):
            part = self._package.linked(document, reference.get(f"{LINK}id"))
            if part is None or part.member in seen:
                continue
            unnumbered = _without_page_numbers(part.root)
            self._rewrite(part)
            text = _words(part.root)
            says = bool(text) if text == unnumbered else not is_page_number(unnumbered)
            if says and text not in seen:
                blocks += self._moved(part.root, part, document)
            seen |= {part.member, text}
        body = document.root.find(f"{WORD}body")
        if blocks and body is not None:
            title = _paragraph(HEADERS.text(language_of("".join(map(_words, blocks)), "en")), HEADER_STYLE)
            body.extend([title, *blocks])

    def _entries(self, document: Part, kind: str) -> Iterator[tuple[tuple[str, str], tuple[etree._Element, Part]]]:
        """Yield kind and id of the notes or comments of a document, each with its element and its part."""
        part = self._package.related(document, f"{kind}s")
        if part is not None and next(document.root.iter(f"{WORD}{kind}Reference"), None) is not None:
            self._rewrite(part)
            for entry in part.root.iter(WORD + kind):
                yield (kind, str(entry.get(f"{WORD}id"))), (entry, part)

    def _moved(self, source: etree._Element, part: Part, document: Part) -> list[etree._Element]:
        """Return copies of the paragraphs and tables of another part, with links that hold in the main one."""
        copies = [deepcopy(block) for block in source.iterchildren(f"{WORD}p", f"{WORD}tbl", f"{WORD}sdt")]
        for copy in copies:
            self._package.adopt(copy, part, document)
        return copies


def _text(text: str) -> etree._Element:
    element = etree.Element(f"{WORD}t")
    element.text = text
    element.set(_SPACE, "preserve")
    return element


def _run(text: str) -> etree._Element:
    run = etree.Element(f"{WORD}r")
    run.append(_text(text))
    return run


def _paragraph(text: str, style: str = "") -> etree._Element:
    paragraph = etree.Element(f"{WORD}p")
    if style:
        properties = etree.SubElement(paragraph, f"{WORD}pPr")
        etree.SubElement(properties, f"{WORD}pStyle").set(f"{WORD}val", style)
    paragraph.append(_run(text))
    return paragraph


def _table(rows: list[list[str]]) -> etree._Element:
    table = etree.Element(f"{WORD}tbl")
    for cells in rows:
        row = etree.SubElement(table, f"{WORD}tr")
        for cell in cells:
            etree.SubElement(row, f"{WORD}tc").append(_paragraph(cell))
    return table


def _words(element: etree._Element) -> str:
    return "".join(str(part.text or "") for part in element.iter(f"{WORD}t")).strip()


def _begin(blocks: list[etree._Element], text: str) -> None:
    """Write `text` in front of the first paragraph."""
    first = next((block for block in blocks if block.tag == f"{WORD}p"), None)
    if first is not None:
        first.insert(0 if first.find(f"{WORD}pPr") is None else 1, _run(text))


def _put_below(anchor: etree._Element, blocks: list[etree._Element]) -> None:
    """Put `blocks` below the paragraph that holds `anchor`; of several anchors in it the last one is to come first."""
    paragraph = next(anchor.iterancestors(f"{WORD}p"), None)
    if paragraph is not None:
        for block in reversed(blocks):
            paragraph.addnext(block)


def _equations(root: etree._Element) -> None:
    for element in list(root.iter(f"{MATH}oMathPara", f"{MATH}oMath")):
        if next(element.iterancestors(f"{MATH}oMathPara", f"{MATH}oMath"), None) is not None:
            continue
        parts = list(element.iter(f"{MATH}oMath"))
        mark = "$" if element in parts else "$$"
        text = " ".join(f"{mark}{tex}{mark}" for tex in map(latex, parts) if tex)
        inside = next(element.iterancestors(f"{WORD}p"), None) is not None
        before = element.getprevious()
        gap = " " if before is not None and _words(before).endswith("$") else ""
        put_instead(element, [_run(gap + text) if inside else _paragraph(text)])


def _ruby(root: etree._Element) -> None:
    """Put a reading in parentheses behind its characters."""
    for ruby in list(root.iter(f"{WORD}ruby")):
        base, reading = ruby.find(f"{WORD}rubyBase"), ruby.find(f"{WORD}rt")
        texts = [] if base is None else [_words(base)]
        texts += [] if reading is None else [f"({_words(reading)})"]
        put_instead(ruby, [_text(text) for text in texts])


def _drop_downs(root: etree._Element) -> None:
    """Write out what was chosen in the lists of old forms."""
    for choice in list(root.iter(f"{WORD}ddList")):
        entries = [str(entry.get(f"{WORD}val")) for entry in choice.iter(f"{WORD}listEntry")]
        chosen = (
            choice.find(f"{WORD}result") if choice.find(f"{WORD}result") is not None else choice.find(f"{WORD}default")
        )
        value = "0" if chosen is None else str(chosen.get(f"{WORD}val"))
        run = next(choice.iterancestors(f"{WORD}r"), None)
        if run is not None and value.isdecimal() and int(value) < len(entries):
            run.addnext(_run(entries[int(value)]))


def _watermarks(root: etree._Element) -> None:
    for drawn in list(root.iter(f"{_VML}textpath")):
        run = next(drawn.iterancestors(f"{WORD}r"), None)
        if run is not None and drawn.get("string"):
            run.addnext(_run(str(drawn.get("string"))))


def _free_pictures(drawing: etree._Element) -> None:
    """Take pictures out of groups, into which mammoth does not look."""
    run = next(drawing.iterancestors(f"{WORD}r"), None)
    for picture in list(drawing.iter(f"{_PICTURE}pic")):
        if run is None or picture.getparent().tag == f"{DRAWING}graphicData":
            continue
        new = etree.Element(f"{WORD}r")
        inline = etree.SubElement(etree.SubElement(new, f"{WORD}drawing"), f"{_PLACED}inline")
        data = etree.SubElement(etree.SubElement(inline, f"{DRAWING}graphic"), f"{DRAWING}graphicData")
        data.append(picture)
        run.addnext(new)


def _text_boxes(root: etree._Element) -> None:
    """Put the text of boxes below the paragraphs that they are anchored in."""
    for box in reversed(list(root.iter(f"{WORD}txbxContent"))):
        blocks = list(box)
        if next(box.iterancestors(f"{WORD}p"), None) is not None:
            _put_below(box, blocks)
            box.getparent().remove(box)


def _unwrap(root: etree._Element) -> None:
    """Take away whatever mammoth would pass over together with the text inside."""
    known: set[etree._Element] = set()
    for text in list(root.iter(f"{WORD}t")):
        for element in list(text.iterancestors()):
            if element in known:
                break
            known.add(element)
            if element.tag not in _KNOWN:
                put_instead(element, list(element))


def _without_page_numbers(root: etree._Element) -> str:
    """Return the text of a header or footer but for what fields such as PAGE come to."""
    parts: list[str] = []
    fields: list[str] = []
    for node in root.iter(f"{WORD}fldChar", f"{WORD}instrText", f"{WORD}t"):
        if node.tag == f"{WORD}instrText":
            fields[-1:] = [(fields[-1] if fields else "") + str(node.text or "")]
        elif node.tag == f"{WORD}fldChar":
            kind = node.get(f"{WORD}fldCharType")
            fields = [*fields, ""] if kind == "begin" else fields[:-1] if kind == "end" else fields
        else:
            simple = [str(one.get(f"{WORD}instr")) for one in node.iterancestors(f"{WORD}fldSimple")]
            names = {field.split()[0].upper() for field in [*fields, *simple] if field.strip()}
            parts += [] if names & _PAGE_FIELDS else [str(node.text or "")]
    return "".join(parts).strip()
