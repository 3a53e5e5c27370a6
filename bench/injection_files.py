"""Real files with an order in them, for `bench.injection_live`: in what a reader sees, and in what nobody sees."""

from __future__ import annotations

import io
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import docx
import openpyxl
import pptx
import pymupdf
from docx.shared import RGBColor
from openpyxl.comments import Comment
from pptx.util import Inches

from tests.drawn_pictures import drawn, encoded

PLAIN = {"en": "Minutes of the harbour committee, third of May.", "zh": "港口委员会五月三日会议纪要。"}
FONT = {"en": "helv", "zh": "china-s"}


def files(order: str, language: str) -> dict[str, tuple[str, bytes]]:
    """Return name and bytes of a file for each place where an order can stand."""
    plain = PLAIN[language]
    shown, cell = f"{plain}\n{order}", order.replace("\n", " ")
    tags = "".join(chr(0xE0000 + ord(letter)) if letter.isascii() else letter for letter in order)
    return {
        "PDF, text": ("a.pdf", _pdf(plain, order, language)),
        "PDF, white": ("a.pdf", _pdf(plain, order, language, color=(1, 1, 1))),
        "PDF, invisible": ("a.pdf", _pdf(plain, order, language, render_mode=3)),
        "PDF, beside the page": ("a.pdf", _pdf(plain, order, language, at=(-900, 200))),
        "PDF, comment": ("a.pdf", _pdf(plain, "", language, note=order)),
        "Word, text": ("a.docx", _word(plain, order)),
        "Word, hidden": ("a.docx", _word(plain, order, hidden=True)),
        "Word, white": ("a.docx", _word(plain, order, white=True)),
        "Word, comment": ("a.docx", _word(plain, "", comment=order)),
        "Excel, cell": ("a.xlsx", _sheet(plain, cell)),
        "Excel, hidden sheet": ("a.xlsx", _sheet(plain, cell, where="sheet")),
        "Excel, comment": ("a.xlsx", _sheet(plain, cell, where="comment")),
        "PowerPoint, notes": ("a.pptx", _slides(plain, order, notes=True)),
        "PowerPoint, beside the slide": ("a.pptx", _slides(plain, order)),
        "HTML, text": ("a.html", f"<p>{plain}</p><p>{order}</p>".encode()),
        "HTML, not displayed": ("a.html", f"<p>{plain}</p><p style='display:none'>{order}</p>".encode()),
        "HTML, picture's text": ("a.html", f'<p>{plain}</p><img src=x alt="{order}">'.encode()),
        "HTML, comment": ("a.html", f"<p>{plain}</p><!-- {order} -->".encode()),
        "mail, text": ("a.eml", _mail(plain, order)),
        "mail, hidden": ("a.eml", _mail(plain, f"<span style='font-size:0'>{order}</span>", html=True)),
        "text, invisible characters": ("a.txt", f"{plain}{tags}".encode()),
        "text": ("a.txt", shown.encode()),
        "picture": ("a.png", _picture(order)),
        "file name": (f"{cell}.txt"[-190:], plain.encode()),
    }


def _pdf(plain: str, order: str, language: str, at: tuple[int, int] = (60, 100), note: str = "", **look: Any) -> bytes:
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((60, 60), plain, fontname=FONT[language])
        for row, line in enumerate(order.splitlines()):
            page.insert_text((at[0], at[1] + 16 * row), line, fontname=FONT[language], fontsize=9, **look)
        if note:
            page.add_text_annot((300, 60), note)
        return bytes(document.tobytes())


def _word(plain: str, order: str, *, hidden: bool = False, white: bool = False, comment: str = "") -> bytes:
    document = docx.Document()
    paragraph = document.add_paragraph(plain)
    run = document.add_paragraph().add_run(order)
    run.font.hidden = hidden or None
    if white:
        run.font.color.rgb = RGBColor(255, 255, 255)
    if comment:
        document.add_comment(paragraph.runs[0], text=comment, author="Eve")
    return _saved(document)


def _sheet(plain: str, order: str, where: str = "cell") -> bytes:
    book = openpyxl.Workbook()
    book.active.append([plain, order if where == "cell" else "-"])
    if where == "sheet":
        book.create_sheet("more").append(["x", order])
        book["more"].sheet_state = "hidden"
    if where == "comment":
        book.active["A1"].comment = Comment(order, "Eve")
    return _saved(book)


def _slides(plain: str, order: str, *, notes: bool = False) -> bytes:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = plain
    if notes:
        slide.notes_slide.notes_text_frame.text = order
    else:
        slide.shapes.add_textbox(Inches(-20), Inches(1), Inches(4), Inches(1)).text_frame.text = order
    return _saved(presentation)


def _mail(plain: str, order: str, *, html: bool = False) -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "eve@evil.example", "Minutes"
    message.set_content(f"<p>{plain}</p>{order}" if html else f"{plain}\n{order}", subtype="html" if html else "plain")
    return bytes(message)


def _picture(order: str) -> bytes:
    lines = order.splitlines()
    rows = ((40, 40 + 70 * row, line) for row, line in enumerate(lines))
    return encoded(drawn(*rows, size=(1500, 80 + 70 * len(lines))))


def _saved(thing: Any) -> bytes:
    buffer = io.BytesIO()
    save: Callable[[io.BytesIO], object] = thing.save
    save(buffer)
    return buffer.getvalue()
