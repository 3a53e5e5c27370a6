"""Text of an OpenDocument file that nobody sees: not displayed, in the colour of its paper, or tiny."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from lxml import etree

from readers.hidden import based_on, is_faint, rgb
from readers.office.odt_numbers import STYLE

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
_WRITTEN = (f"{_TEXT}p", f"{_TEXT}h", f"{_TEXT}span")
_LEAST_POINTS = 2.0


class OpenUnseen:
    """Tells the text of one file that nobody sees."""

    def __init__(self, parts: Iterable[etree._Element], *, coloured: bool) -> None:
        """Look at the styles of `parts`; `coloured`: what text stands on may have any colour."""
        self._styles = {str(style.get(f"{STYLE}name")): style for part in parts for style in part.iter(f"{STYLE}style")}
        self._coloured = coloured

    def hide(self, body: etree._Element, place: Callable[[str], str]) -> None:
        """Put what `place` returns for hidden texts where they are."""
        for section in list(body.iter(f"{_TEXT}section", f"{_TEXT}hidden-paragraph", f"{_TEXT}hidden-text")):
            if section.tag != f"{_TEXT}section" or section.get(f"{_TEXT}display") == "none":
                told = str(section.get(f"{_TEXT}string-value") or "")
                _take(section, place(" ".join([told, *map(str, section.itertext())])))
        for element in list(body.iter(*_WRITTEN)):
            if self._hides(element):
                _take_own(element, place)

    def _hides(self, element: etree._Element) -> bool:
        if self._property(element, f"{_TEXT}display") == "none":
            return True
        size = self._property(element, f"{_FO}font-size")
        if size.endswith("pt") and 0 < _number(size.removesuffix("pt")) < _LEAST_POINTS:
            return True
        ink = rgb(self._property(element, f"{_FO}color").removeprefix("#"))
        return ink is not None and not self._coloured and is_faint(ink) and not self._is_shaded(element)

    def _property(self, element: etree._Element, name: str) -> str:
        """Return a property of text: of the nearest element around it that tells it."""
        for one in (element, *element.iterancestors(*_WRITTEN)):
            for style in self._based(str(one.get(f"{_TEXT}style-name") or "")):
                for properties in style.iterchildren(f"{STYLE}text-properties"):
                    if (found := properties.get(name)) is not None:
                        return str(found)
        return ""

    def _is_shaded(self, element: etree._Element) -> bool:
        """Whether something around a text has a background, be it of its table or its frame."""
        for one in (element, *element.iterancestors()):
            names = (one.get(f"{_TEXT}style-name"), one.get(f"{_TABLE}style-name"), _drawn_style(one))
            for style in (style for name in names if name for style in self._based(str(name))):
                for properties in style.iterchildren():
                    told = (str(value) for key, value in properties.attrib.items() if _is_background(str(key)))
                    if any(value not in ("transparent", "none") for value in told):
                        return True
        return False

    def _based(self, name: str) -> Iterator[etree._Element]:
        return based_on(self._styles, name, lambda style: str(style.get(f"{STYLE}parent-style-name") or ""))


def _is_background(name: str) -> bool:
    return name.endswith(("}background-color", "}fill-color", "}fill-image-name", "}fill-gradient-name"))


def _drawn_style(element: etree._Element) -> str | None:
    found = element.get("{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}style-name")
    return None if found is None else str(found)


def _take(element: etree._Element, text: str) -> None:
    tail, tag = element.tail, element.tag
    element[:] = []
    element.attrib.clear()
    element.tag = f"{_TEXT}p" if tag == f"{_TEXT}section" else f"{_TEXT}span"
    element.text, element.tail = text, tail


def _take_own(element: etree._Element, place: Callable[[str], str]) -> None:
    """Take the text of an element itself; what stands in elements inside it is judged by itself."""
    element.text = place(str(element.text or "")) or element.text
    for child in element:
        child.tail = place(str(child.tail or "")) or child.tail


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return 0.0
