"""Forms of one thing that Office writes for its versions (`mc:AlternateContent`, ECMA-376 part 3): one is kept."""

from __future__ import annotations

from lxml import etree

from readers.office.charts import CHART
from readers.office.equations import MATH

DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_COMPATIBLE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_TELLING = ("{*}t", "{*}pic", f"{MATH}oMath", f"{CHART}chart", f"{DIAGRAM}relIds")


def choose(root: etree._Element) -> None:
    """Put the first form that holds text, a picture, an equation, a chart or a diagram where all forms were."""
    for alternate in list(root.iter(f"{_COMPATIBLE}AlternateContent")):
        forms = list(alternate.iterchildren(f"{_COMPATIBLE}Choice", f"{_COMPATIBLE}Fallback"))
        chosen = next((form for form in forms if next(form.iter(*_TELLING), None) is not None), None)
        put_instead(alternate, list(forms[-1] if chosen is None and forms else [] if chosen is None else chosen))


def put_instead(element: etree._Element, replacements: list[etree._Element]) -> None:
    """Put `replacements` where `element` is, if it still is anywhere."""
    parent = element.getparent()
    if parent is not None:
        at = parent.index(element)
        parent[at : at + 1] = replacements


def drawn_text(element: etree._Element) -> str:
    """Return the text of a drawing."""
    return " ".join(str(part.text or "") for part in element.iter(f"{DRAWING}t")).strip()
