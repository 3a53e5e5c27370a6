"""Jupyter notebooks: text, code and the results below it, without the markup around them; pictures go to OCR."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from readers.figures import Figures
from readers.interface import PARTS, Item, Options, Outline
from readers.sections import section_pages
from readers.text import json as plain_json
from readers.text.code import fenced
from readers.text.markup import to_markdown
from readers.text.plain import read_text

_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_DATA_URL = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+")
_TEXTS = ("text/markdown", "text/html", "text/latex", "text/plain")
"""Forms of one result, from the most to the least legible."""
_PICTURES = ("image/png", "image/jpeg")


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the sections of the notebook at `path`; JSON of another kind is read as such."""
    text, encoding, warnings = read_text(path, options)
    try:
        book = json.loads(text)
        cells = list(_cells(book))
    except (ValueError, RecursionError, TypeError, AttributeError):
        cells = []
    if not cells:
        yield from plain_json.read(path, options)
        return
    notebook = _Notebook(book, Figures(options.max_pixels))
    pages = section_pages("\n\n".join(part for cell in cells for part in notebook.cell(cell) if part.strip()))
    if notebook.left_out:
        warnings = (*warnings, f"{PARTS}:{notebook.left_out}")
    yield Outline(options.media_type, "section", len(pages), "", encoding, warnings)
    for page in pages:
        yield notebook.figures.finish(page)


class _Notebook:
    """Turns cells into Markdown.

    Attributes:
        figures: The pictures of the results.
        left_out: How many results were in no form that can be read.
    """

    def __init__(self, book: dict[str, Any], figures: Figures) -> None:
        """Read cells of `book`, which names its language."""
        about = book.get("metadata") or {}
        self._language = str((about.get("language_info") or about.get("kernelspec") or {}).get("name") or "python")
        self.figures = figures
        self.left_out = 0

    def cell(self, cell: dict[str, Any]) -> Iterator[str]:
        """Yield the Markdown of a cell and of its results."""
        source = _joined(cell.get("source", cell.get("input")))
        if cell.get("cell_type") == "code":
            yield fenced(source, re.sub(r"\W.*", "", self._language)) if source.strip() else ""
            for output in cell.get("outputs") or []:
                yield self._output(output)
        else:
            yield _DATA_URL.sub("", source)

    def _output(self, output: dict[str, Any]) -> str:
        if "text" in output and "data" not in output:
            return fenced(_plain(_joined(output["text"])), "") if _joined(output["text"]).strip() else ""
        if output.get("output_type") in ("error", "pyerr"):
            return fenced(_plain(f"{output.get('ename')}: {output.get('evalue')}"), "")
        forms = output.get("data") or {}
        for name in _TEXTS:
            if name in forms and not (name == "text/plain" and any(picture in forms for picture in _PICTURES)):
                text = _joined(forms[name])
                return (
                    to_markdown(text)
                    if name == "text/html"
                    else fenced(_plain(text), "")
                    if name == "text/plain"
                    else text
                )
        for name in _PICTURES:
            if name in forms:
                return self.figures.place(_decoded(_joined(forms[name])))
        self.left_out += bool(forms)
        return ""


def _cells(book: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the cells of a notebook of format 4, or of the worksheets of format 3."""
    for sheet in [book, *(book.get("worksheets") or [])]:
        yield from (cell for cell in sheet.get("cells") or [] if isinstance(cell, dict))


def _joined(text: object) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text or "")


def _plain(text: str) -> str:
    return _DATA_URL.sub("", _ESCAPES.sub("", text))


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text)
    except (ValueError, binascii.Error):
        return None
