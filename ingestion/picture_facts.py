"""One plain sentence about a picture that anybody could check, in both languages."""

from __future__ import annotations

from typing_extensions import TypedDict

from domain.words import Language
from readers.picture.colours import NAMES_ZH

SENTENCE = {
    "en": "{format} picture, {width} x {height} pixels{pages}, mostly {colours}.",
    "zh": "{format} 图片，{width}×{height} 像素{pages}，主要颜色：{colours}。",
}
PAGES = {"en": ", {pages} pages", "zh": "，共 {pages} 页"}
JOIN = {"en": (", ", " and "), "zh": ("、", "和")}


class PictureFacts(TypedDict):
    """What is known of a picture without understanding it. Sizes are those of the upright original."""

    format: str
    width: int
    height: int
    pages: int
    colours: list[str]


def facts_sentence(facts: PictureFacts, language: Language) -> str:
    """Return the facts as one sentence in `language`."""
    colours = [NAMES_ZH.get(name, name) for name in facts["colours"]] if language == "zh" else facts["colours"]
    return SENTENCE[language].format(
        format=facts["format"],
        width=facts["width"],
        height=facts["height"],
        pages=PAGES[language].format(pages=facts["pages"]) if facts["pages"] > 1 else "",
        colours=_joined(colours, language),
    )


def _joined(words: list[str], language: Language) -> str:
    comma, last = JOIN[language]
    return last.join([*filter(None, [comma.join(words[:-1])]), *words[-1:]])
