"""Text of a Word document that nobody sees: marked as hidden, in the colour of its paper, or tiny."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml import etree

from readers.hidden import LEAST_HALF_POINTS, WHITE, Colour, based_on, is_faint, rgb
from readers.office.docx_numbers import WORD

_OFF = ("0", "false", "off", "none")
_NO_PAPER = (None, "auto", "nil", "none")
_VML = "{urn:schemas-microsoft-com:vml}"
_FILLS = ("{*}solidFill", "{*}gradFill", "{*}blipFill", "{*}pattFill")


class Unseen:
    """Tells the runs of one document that nobody sees."""

    def __init__(self, styles: etree._Element | None, document: etree._Element) -> None:
        """Look at `styles`, and at the background of `document`."""
        found = styles.iter(f"{WORD}style") if styles is not None else ()
        self._styles = {str(style.get(f"{WORD}styleId")): style for style in found}
        background = document.find(f"{WORD}background")
        self._paper = WHITE if background is None else _colour(background, "color") or WHITE

    def hide(self, root: etree._Element, place: Callable[[str], str]) -> None:
        """Put what `place` returns for a hidden text where its runs are, those next to each other as one."""
        for paragraph in list(root.iter(f"{WORD}p")):
            runs = [run for run in paragraph.iter(f"{WORD}r") if next(run.iterancestors(f"{WORD}p"), None) is paragraph]
            group: list[etree._Element] = []
            for run in [*runs, None]:
                if run is not None and _words(run) and self._hides(run, paragraph):
                    group.append(run)
                elif group and (run is None or _words(run)):
                    _replace(group, place("".join(map(_words, group))))
                    group = []

    def _hides(self, run: etree._Element, paragraph: etree._Element) -> bool:
        if self._is_set(run, paragraph, "vanish"):
            return True
        size = self._property(run, paragraph, "sz")
        points = "" if size is None else str(size.get(f"{WORD}val"))
        if points.isdecimal() and int(points) < LEAST_HALF_POINTS:
            return True
        colour = self._property(run, paragraph, "color")
        ink = None if colour is None else _colour(colour, "val")
        if ink is None or any(self._is_set(run, paragraph, relief) for relief in ("emboss", "imprint")):
            return False  # such text has a shadow
        paper = self._paper_under(run, paragraph)
        return paper is not None and is_faint(ink, paper)

    def _is_set(self, run: etree._Element, paragraph: etree._Element, name: str) -> bool:
        found = self._property(run, paragraph, name)
        return found is not None and str(found.get(f"{WORD}val", "1")).lower() not in _OFF

    def _property(self, run: etree._Element, paragraph: etree._Element, name: str) -> etree._Element | None:
        """Return a property of a run: its own, that of its style, or of the paragraph's style."""
        for properties in (run.find(f"{WORD}rPr"), *self._of_styles(run, "r"), *self._of_styles(paragraph, "p")):
            if properties is not None and (found := properties.find(WORD + name)) is not None:
                return found
        return None

    def _of_styles(self, element: etree._Element, kind: str) -> Iterator[etree._Element | None]:
        for style in self._based(_value(element, f"{WORD}{kind}Pr/{WORD}{kind}Style")):
            yield style.find(f"{WORD}rPr")

    def _based(self, name: str) -> Iterator[etree._Element]:
        return based_on(self._styles, name, lambda style: _value(style, f"{WORD}basedOn"))

    def _paper_under(self, run: etree._Element, paragraph: etree._Element) -> Colour | None:
        """Return the colour that a run stands on; None where it is not told, and may be any."""
        shades = [run.find(f"{WORD}rPr/{WORD}shd"), paragraph.find(f"{WORD}pPr/{WORD}shd")]
        named = self._based(_value(paragraph, f"{WORD}pPr/{WORD}pStyle"))
        shades += [style.find(f"{WORD}pPr/{WORD}shd") for style in named]
        shades += [cell.find(f"{WORD}tcPr/{WORD}shd") for cell in run.iterancestors(f"{WORD}tc")]
        shade = next((one for one in shades if one is not None and one.get(f"{WORD}fill") not in _NO_PAPER), None)
        if shade is not None:
            return _colour(shade, "fill")
        boxes = run.iterancestors(f"{WORD}txbxContent")
        if run.find(f"{WORD}rPr/{WORD}highlight") is not None or any(map(_is_filled, boxes)):
            return None
        for table in run.iterancestors(f"{WORD}tbl"):
            of_table = self._based(_value(table, f"{WORD}tblPr/{WORD}tblStyle"))
            if any(style.find(f".//{WORD}shd") is not None for style in of_table):
                return None
        return self._paper


def _is_filled(box: etree._Element) -> bool:
    """Tell whether a text box may have another colour than the page."""
    shape = next(box.iterancestors("{*}wsp", f"{_VML}shape", f"{_VML}rect", f"{_VML}roundrect", f"{_VML}oval"), None)
    if shape is None:
        return True
    own = shape.find("{*}spPr")
    if own is None:
        return shape.get("filled") not in ("f", "false") and bool(shape.get("fillcolor"))
    if own.find("{*}noFill") is not None:
        return False
    return any(own.find(fill) is not None for fill in _FILLS) or shape.find("{*}style/{*}fillRef") is not None


def _colour(element: etree._Element, name: str) -> Colour | None:
    """Return a colour; None for one that is automatic, or of a theme whose colours are not told beside it."""
    theme = str(element.get(f"{WORD}themeColor") or "")
    if theme.startswith(("background1", "light1")) and element.get(f"{WORD}themeShade") is None:
        return WHITE
    return rgb(str(element.get(WORD + name) or ""))


def _value(element: etree._Element, path: str) -> str:
    found = element.find(path)
    return "" if found is None else str(found.get(f"{WORD}val"))


def _words(run: etree._Element) -> str:
    return "".join(str(part.text or "") for part in run.iterchildren(f"{WORD}t"))


def _replace(runs: list[etree._Element], text: str) -> None:
    for run in runs:
        for part in run.findall(f"{WORD}t"):
            run.remove(part)
    if text:
        etree.SubElement(runs[0], f"{WORD}t").text = text
