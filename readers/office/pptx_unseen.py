"""What of a slide nobody sees: shapes beside it or marked as hidden, tiny type, type in the colour of its ground."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree
from pptx.shapes.group import GroupShape

from readers.hidden import TINY, WHITE, Colour, is_faint, joined, rgb
from readers.office.compatible import DRAWING, drawn_text

_PAPERS = ("bg1", "lt1")
_PRESENTATION = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_FILLS = tuple(f"{DRAWING}{name}" for name in ("solidFill", "gradFill", "blipFill", "pattFill", "grpFill"))
_HUNDREDTHS = 100


def take_unseen(slide: Any, width: int, height: int) -> str:
    """Take what nobody sees out of a slide of `width` by `height` EMU, and return its text."""
    found: list[str] = []
    shapes = list(slide.shapes)
    for shape in shapes:
        if _is_beside(shape, width, height) or _is_marked(shape):
            found.append(drawn_text(shape.element))
            shape.element.getparent().remove(shape.element)
        else:
            paper = _paper(shape, slide, shapes)
            found += _take_runs(shape.element, None if isinstance(shape, GroupShape) else paper)
    return joined(found)


def _is_beside(shape: Any, width: int, height: int) -> bool:
    """Whether a shape lies wholly outside of the slide; one without a place has that of its layout."""
    if None in (shape.left, shape.top, shape.width, shape.height):
        return False
    across = shape.left >= width or shape.left + shape.width <= 0
    return bool(across or shape.top >= height or shape.top + shape.height <= 0)


def _is_marked(shape: Any) -> bool:
    return any(one.get("hidden") in ("1", "true") for one in shape.element.iter(f"{_PRESENTATION}cNvPr"))


def _take_runs(element: etree._Element, paper: Colour | None) -> Iterator[str]:
    for run in element.iter(f"{DRAWING}r"):
        text, look = run.find(f"{DRAWING}t"), run.find(f"{DRAWING}rPr")
        if text is None or look is None or not str(text.text or "").strip():
            continue
        size = str(look.get("sz") or "")
        tiny = size.isdecimal() and int(size) < TINY * _HUNDREDTHS
        ink = _colour(look.find(f"{DRAWING}solidFill"))
        behind = paper if next(run.iterancestors(f"{DRAWING}tc"), None) is None else _cell_paper(run)
        clear = look.find(f"{DRAWING}noFill") is not None and look.find(f"{DRAWING}ln") is None
        if tiny or clear or (ink is not None and behind is not None and is_faint(ink, behind)):
            yield str(text.text)
            text.text = ""


def _cell_paper(run: etree._Element) -> Colour | None:
    """Return the colour of a table cell; None for one that the style of its table gives."""
    cell = next(run.iterancestors(f"{DRAWING}tc"))
    return _colour(cell.find(f"{DRAWING}tcPr/{DRAWING}solidFill"))


def _paper(shape: Any, slide: Any, shapes: list[Any]) -> Colour | None:
    """Return the colour that the text of a shape stands on; None where it is not told, and may be any."""
    own = shape.element.find("{*}spPr")
    filled = None if own is None else next((one for one in own.iterchildren(*_FILLS)), None)
    if filled is not None:
        return _colour(filled) if filled.tag == f"{DRAWING}solidFill" else None
    clear = own is not None and own.find(f"{DRAWING}noFill") is not None
    reference = shape.element.find("{*}style/{*}fillRef")
    if not clear and reference is not None and reference.get("idx") != "0":
        return None
    others = [*shapes, *slide.slide_layout.shapes, *slide.slide_layout.slide_master.shapes]
    if any(other.element is not shape.element and _meet(shape, other) and _is_drawn(other) for other in others):
        return None
    for part in (slide, slide.slide_layout, slide.slide_layout.slide_master):
        ground = part.element.find("{*}cSld/{*}bg")
        if ground is not None:
            solid = ground.find(f"{{*}}bgPr/{DRAWING}solidFill")
            return _colour(solid if solid is not None else ground.find("{*}bgRef"))
    return WHITE


def _meet(one: Any, other: Any) -> bool:
    if None in (one.left, one.top, one.width, one.height, other.left, other.top, other.width, other.height):
        return True
    across = one.left < other.left + other.width and other.left < one.left + one.width
    return bool(across and one.top < other.top + other.height and other.top < one.top + one.height)


def _is_drawn(shape: Any) -> bool:
    """Whether a shape may have another colour than the slide."""
    element = shape.element
    if element.tag in (f"{_PRESENTATION}pic", f"{_PRESENTATION}grpSp", f"{_PRESENTATION}graphicFrame"):
        return True
    own = element.find("{*}spPr")
    if own is not None and own.find(f"{DRAWING}noFill") is not None:
        return False
    reference = element.find("{*}style/{*}fillRef")
    styled = reference is not None and reference.get("idx") != "0"
    return styled or (own is not None and next(own.iterchildren(*_FILLS), None) is not None)


def _colour(fill: etree._Element | None) -> Colour | None:
    """Return a colour; of a theme only its paper, which is taken to be white."""
    if fill is None:
        return None
    scheme = fill.find(f"{DRAWING}schemeClr")
    if scheme is not None:
        return WHITE if scheme.get("val") in _PAPERS and len(scheme) == 0 else None
    exact = fill.find(f"{DRAWING}srgbClr")
    return None if exact is None else rgb(str(exact.get("val")))
