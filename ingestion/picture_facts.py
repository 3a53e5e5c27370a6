"""One plain sentence about a picture that anybody could check, in both languages."""

from __future__ import annotations

from typing_extensions import TypedDict

from domain.words import Language
from models.vision.image_classes import CHINESE
from readers.picture.colours import NAMES_ZH

SENTENCE = {
    "en": "{format} picture, {width} x {height} pixels{pages}, mostly {colours}{tags}.",
    "zh": "{format} 图片，{width}×{height} 像素{pages}，主要颜色：{colours}{tags}。",
}
PAGES = {"en": ", {pages} pages", "zh": "，共 {pages} 页"}
TAGS = {"en": "; recognised automatically: {tags}", "zh": "；自动识别：{tags}"}
TAG = {"en": "{word} ({percent} %)", "zh": "{word}（{percent}%）"}
JOIN = {"en": (", ", " and "), "zh": ("、", "和")}


class PictureFacts(TypedDict):
    """What is known of a picture without understanding it. Sizes are those of the upright original."""

    format: str
    width: int
    height: int
    pages: int
    colours: list[str]
    tags: list[tuple[str, float]]


def facts_sentence(facts: PictureFacts, language: Language) -> str:
    """Return the facts as one sentence in `language`; object words that have no Chinese stay in English."""
    colours = [NAMES_ZH.get(name, name) for name in facts["colours"]] if language == "zh" else facts["colours"]
    words = [
        TAG[language].format(word=CHINESE.get(word, word) if language == "zh" else word, percent=round(100 * share))
        for word, share in facts["tags"]
    ]
    return SENTENCE[language].format(
        format=facts["format"],
        width=facts["width"],
        height=facts["height"],
        pages=PAGES[language].format(pages=facts["pages"]) if facts["pages"] > 1 else "",
        colours=_joined(colours, language),
        tags=TAGS[language].format(tags=_joined(words, language)) if words else "",
    )


def _joined(words: list[str], language: Language) -> str:
    comma, last = JOIN[language]
    return last.join([*filter(None, [comma.join(words[:-1])]), *words[-1:]])
