"""What of a web page is content: all that is shown but its furniture, which is menus and the small words around them.

Trafilatura finds the article. What it leaves out is kept as well wherever it may say something: in headings,
paragraphs, lists, tables, definitions, asides and footers, with a number in it, or at some length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy

import trafilatura
from lxml import etree
from lxml.html import HtmlElement

from domain.text import columns
from readers.text.markup import NOT_SHOWN

SHORT_PAGE = 500
"""Characters: on a page with no more than this, everything but menus stays."""
LONG_ARTICLE = 2000
"""Columns of an article (a Chinese character takes two) beside which a few words that stand alone are furniture."""
_LEAST_SHARE = 0.05
_MENU_LINKS = 3
_MENU_SHARE = 0.6
_MENUS = "//nav | //*[@role='navigation' or @role='menu' or @role='menubar' or @role='search' or @role='alertdialog']"
_GROUPS = {"ul", "ol", "div", "section", "table", "p", "aside", "footer", "header", "form", "center"}
_TELLING = set("p li dl table h1 h2 h3 h4 h5 h6 main article aside footer address details figure form pre".split())
"""Elements whose text is content, be it short."""
_CONTACTS = ("mailto:", "tel:")
_FEW_COLUMNS = 24
_DATES = re.compile(r"\d{1,4}(?:[-/.:年月日时分]\d{0,4})+")
_UNSHOWN = (*NOT_SHOWN, "head", "svg")
_BLOCKS = (
    dict.fromkeys(
        "p div section article main aside header footer nav ul ol table tr br blockquote pre dt dd".split(), "\n"
    )
    | {f"h{level}": "\n" + "#" * level + " " for level in range(1, 7)}
    | {"li": "\n- ", "td": " | ", "th": " | "}
)
_SPACE = re.compile(r"\s+")


def drop(elements: list[HtmlElement]) -> None:
    """Take `elements` out of their tree."""
    for element in elements:
        if element.getparent() is not None:
            element.drop_tree()


def without_furniture(tree: HtmlElement, html: str) -> HtmlElement:
    """Return the page without what is not content, or as it is where next to nothing else is on it.

    Args:
        tree: The page, without hidden parts; it may be changed.
        html: Its source.
    """
    shown = len(visible_text(tree))
    whole = deepcopy(tree)
    drop(tree.xpath(_MENUS))
    if shown > SHORT_PAGE:
        drop(_link_lists(tree))
        article = trafilatura.extract(html, include_tables=True) or ""
        if columns(article) > LONG_ARTICLE:
            drop(list(_small_words(tree, _bare(article))))
    return tree if len(visible_text(tree)) > _LEAST_SHARE * shown else whole


def _bare(text: str) -> str:
    return _SPACE.sub("", text)


def _link_lists(tree: HtmlElement) -> list[HtmlElement]:
    """Return the blocks outside of the page's main part that are little but links."""
    sizes = _link_sizes(tree)
    found = []
    walk = etree.iterwalk(tree, events=("start",))
    for _, element in walk:
        if element.tag in ("main", "article") or (isinstance(element.tag, str) and element.get("role") == "main"):
            walk.skip_subtree()
        elif element.tag in _GROUPS and not (element.tag == "table" and element.xpath(".//th")):
            text, linked, links = sizes[element]
            if links >= _MENU_LINKS and linked >= _MENU_SHARE * text:
                found.append(element)
                walk.skip_subtree()
    return found


def _link_sizes(tree: HtmlElement) -> dict[HtmlElement, tuple[int, int, int]]:
    """Return the characters of each element, those in links to other pages, and the number of such links."""
    sizes: dict[HtmlElement, tuple[int, int, int]] = {}
    for element in reversed(list(tree.iter(etree.Element))):
        text, linked, links = len(_bare(element.text or "")), 0, 0
        for child in element.iterchildren(etree.Element):
            inner = sizes[child]
            text += inner[0] + len(_bare(child.tail or ""))
            linked, links = linked + inner[1], links + inner[2]
        if element.tag in _UNSHOWN:
            text, linked, links = 0, 0, 0
        elif element.tag == "a" and not str(element.get("href") or "").startswith(_CONTACTS):
            linked, links = text, 1
        sizes[element] = (text, linked, links)
    return sizes


def _small_words(tree: HtmlElement, article: str) -> Iterator[HtmlElement]:
    """Yield boxes outside of the article that hold a few words without a number, which may be a date."""
    walk = etree.iterwalk(tree, events=("start",))
    for _, element in walk:
        if element.tag in _TELLING:
            walk.skip_subtree()
        elif isinstance(element.tag, str) and not any(inner.tag in _BLOCKS for inner in element.iterdescendants()):
            walk.skip_subtree()
            text = _bare(str(element.text_content()))
            few = columns(text) < _FEW_COLUMNS + sum(map(len, _DATES.findall(text)))
            alone = not _bare(element.tail or "") and not _bare(
                str(element.xpath("string(preceding-sibling::text()[1])"))
            )
            if text and few and alone and text not in article and not re.search(r"\d", _DATES.sub("", text)):
                yield element


def visible_text(tree: HtmlElement) -> str:
    """Return the text a browser would show, headings, list items and cells marked, in one walk without recursion."""
    parts: list[str] = []
    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, element in walk:
        tag = element.tag if isinstance(element.tag, str) else "script"
        if event == "start":
            parts.append(_BLOCKS.get(tag, ""))
            if tag in _UNSHOWN:
                walk.skip_subtree()
            else:
                parts.append(_SPACE.sub(" ", element.text or ""))
        else:
            parts.append("\n" if tag in _BLOCKS and tag not in ("td", "th") else "")
            parts.append(_SPACE.sub(" ", element.tail or ""))
    lines = (line.strip() for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line.strip("#|- "))
