"""What a browser does not show of a web page: by its attributes, its own style, and plain rules of its style sheets.

Rules of one tag, class or id count, outside of `@media`; sheets that lie elsewhere are not fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lxml import etree
from lxml.html import HtmlElement

from domain.text import CJK
from readers.hidden import TINY, WHITE, Colour, is_faint, joined, rgb

_NEVER = ("script", "style", "head", "iframe", "object", "embed", "svg", "math", "textarea", "select", "title")
_UNSHOWN = ("noscript", "template")
_UNLINKED = ".//text()[not(ancestor::a or ancestor::nav or ancestor::script or ancestor::style)]"
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.S)
_TOKEN = re.compile(r"[{};]")
_SELECTOR = re.compile(r"[a-z][a-z0-9]*|[.#][\w-]+", re.I)
_LENGTH = re.compile(r"(-?\d*\.?\d+)\s*(px|pt|em|rem|%|)")
_RGB = re.compile(r"rgba?\(\s*(\d+)[,\s]+(\d+)[,\s]+(\d+)(?:[,\s/]+([\d.]+)(%?))?\s*\)")
_NAMED: dict[str, Colour] = {"white": WHITE, "black": (0, 0, 0), "snow": (255, 250, 250)}
_SENTENCE = re.compile(rf"(?<![^\W\d_])(?:[^\W\d_]++[\W_]++){{3}}[^\W\d_]|[{CJK}]{{6}}")
"""What makes a comment or a part for browsers without scripts a text that somebody may read."""
_CODE = re.compile(r"[<{}=;]|\[if ", re.I)
_CLIPPED = re.compile(r"rect\((?:[01](?:px)?[,\s]*){4}\)|inset\((?:50|100)%")
_SIDES = ("height", "max-height", "width", "max-width")
_FAR = 900
"""Pixels outside of its place at which text is on no screen."""
_MOST_SHEET = 500_000


@dataclass(frozen=True, slots=True)
class _Look:
    """What an element inherits: its colours (None: not known), and whether its letters have a look and a size."""

    ink: Colour | None = None
    paper: Colour | None = WHITE
    visible: bool = True
    sized: bool = True
    inked: bool = True

    @property
    def shown(self) -> bool:
        """Whether letters of this look are seen."""
        faint = self.ink is not None and self.paper is not None and is_faint(self.ink, self.paper)
        return self.visible and self.sized and self.inked and not faint


def take_unseen(tree: HtmlElement) -> str:
    """Take what is not shown out of `tree`, comments included, and return its running text."""
    found: list[str] = list(_take_comments(tree))
    rules = _rules(tree)
    looks: dict[HtmlElement, _Look] = {}
    gone: list[HtmlElement] = []
    walk = etree.iterwalk(tree, events=("start",))
    for _, element in walk:
        if not isinstance(element.tag, str) or element.tag in _NEVER:
            walk.skip_subtree()
            continue
        style = _style(element, rules)
        parent = element.getparent()
        if _is_gone(element, style):
            gone.append(element)
            walk.skip_subtree()
            continue
        before = looks.get(parent) if parent is not None else None
        looks[element] = _look(style, before or _Look())
        if not looks[element].shown:
            found += _take_words(element)
    for element in gone:
        found.append(_words_of(element))
        if element.getparent() is not None:
            element.drop_tree()
    return joined(found)


def _take_comments(tree: HtmlElement) -> Iterator[str]:
    for comment in list(tree.iter(etree.Comment)):
        if _SENTENCE.search(text := str(comment.text or "")) and not _CODE.search(text):
            yield text
        parent = comment.getparent()
        if parent is not None:
            comment.drop_tree()


def _words_of(element: HtmlElement) -> str:
    text = " ".join(str(part) for part in element.xpath(_UNLINKED))
    return "" if element.tag in _UNSHOWN and (not _SENTENCE.search(text) or _CODE.search(text)) else text


def _take_words(element: HtmlElement) -> Iterator[str]:
    """Take the words that stand in an element itself."""
    if element.text and element.text.strip():
        yield element.text
        element.text = " "
    for child in element:
        if child.tail and child.tail.strip():
            yield child.tail
            child.tail = " "


def _is_gone(element: HtmlElement, style: Mapping[str, str]) -> bool:
    """Whether nothing of an element is shown, whatever its parts say."""
    if element.tag in _UNSHOWN or (element.get("hidden") is not None and element.get("hidden") != "until-found"):
        return element.tag not in ("html", "body")
    if element.tag == "dialog" and element.get("open") is None:
        return True
    if style.get("display") == "none" or _is_zero(style.get("opacity")):
        return True
    if style.get("position") in ("absolute", "fixed"):
        if any(_number(style.get(side)) <= -_FAR for side in ("left", "top")):
            return True
        if _CLIPPED.search(style.get("clip", "") + style.get("clip-path", "")):
            return True
    if style.get("overflow") == "hidden" and any(_is_zero(style.get(side)) for side in _SIDES):
        return True
    return _number(style.get("text-indent")) <= -_FAR


def _look(style: Mapping[str, str], before: _Look) -> _Look:
    look = before
    if "visibility" in style:
        look = replace(look, visible=style["visibility"] not in ("hidden", "collapse"))
    if "font-size" in style:
        look = replace(look, sized=not _is_tiny(style["font-size"]))
    if "color" in style:
        clipped = any(name in style for name in ("background-clip", "-webkit-background-clip"))
        look = replace(look, ink=_colour(style["color"]), inked=style["color"] != "transparent" or clipped)
    for name in ("background", "background-color", "background-image"):
        value = style.get(name, "")
        if value and value not in ("none", "transparent", "inherit", "initial"):
            drawn = "(" in value and not value.startswith("rgb")
            look = replace(look, paper=None if drawn else _colour(value.split(" ")[0]))
    return look


def _style(element: HtmlElement, rules: Mapping[str, dict[str, str]]) -> dict[str, str]:
    """Return the declarations that hold for an element: of its tag, its classes, its id, and its own."""
    style: dict[str, str] = {}
    if rules:
        names = [str(element.tag), *(f".{name}" for name in str(element.get("class") or "").split())]
        for name in (*names, f"#{element.get('id')}"):
            style |= rules.get(name, {})
    if (colour := element.get("bgcolor")) is not None:
        style["background-color"] = str(colour).strip().lower()
    if element.get("background"):
        style["background-image"] = "url()"
    if element.tag == "font" and element.get("color"):
        style["color"] = str(element.get("color")).strip().lower()
    return style | _declared(str(element.get("style") or ""))


def _rules(tree: HtmlElement) -> dict[str, dict[str, str]]:
    sheets = "".join(str(sheet.text or "") for sheet in tree.iter("style") if not sheet.get("media"))[:_MOST_SHEET]
    rules: dict[str, dict[str, str]] = {}
    for names, body in _plain_rules(_COMMENT.sub("", sheets)):
        for name in map(str.strip, names.split(",")):
            if _SELECTOR.fullmatch(name):
                rules.setdefault(name if name[0] in ".#" else name.lower(), {}).update(_declared(body))
    return rules


def _plain_rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield selectors and declarations of the rules outside of at-rules, in one pass: a page may be made to be slow."""
    opened: list[str] = []
    start = 0
    for token in _TOKEN.finditer(sheet):
        text = sheet[start : token.start()].strip()
        if token[0] == "{":
            opened.append(text)
        elif token[0] == "}":
            if len(opened) == 1 and not opened[0].startswith("@"):
                yield opened[0], text
            if opened:
                opened.pop()
        elif opened:
            continue
        start = token.end()


def _declared(text: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in text.split(";"))
    return {
        name.strip().lower(): value.replace("!important", "").strip().lower() for name, sign, value in pairs if sign
    }


def _number(value: str | None) -> float:
    """Return a length in pixels; one that is relative counts as it is, none as 0."""
    found = _LENGTH.match((value or "").strip())
    if found is None:
        return 0.0
    return float(found[1]) * {"em": 16.0, "rem": 16.0, "%": 10.0}.get(found[2], 1.0)


def _is_zero(value: str | None) -> bool:
    found = _LENGTH.fullmatch((value or "").strip())
    return found is not None and abs(float(found[1])) < 0.02


def _is_tiny(value: str) -> bool:
    found = _LENGTH.fullmatch(value)
    return found is not None and (_is_zero(value) or (found[2] in ("px", "pt") and float(found[1]) < TINY))


def _colour(value: str) -> Colour | None:
    """Return a colour; None for one that is not known."""
    value = value.strip()
    if value in _NAMED:
        return _NAMED[value]
    if re.fullmatch(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", value):
        return rgb(value[1:] if len(value) > 4 else "".join(2 * digit for digit in value[1:]))
    found = _RGB.match(value)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
