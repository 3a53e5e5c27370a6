"""One sentence of checkable facts about a picture, in both languages."""

from __future__ import annotations

from typing_extensions import TypedDict

from domain.words import Language
from ingestion import texts
from readers.picture.colours import NAMES


class PictureFacts(TypedDict):
    """What is known of a picture without understanding it. Sizes are those of the upright original."""

    format: str
    width: int
    height: int
    pages: int
    colours: list[str]


def facts_sentence(facts: PictureFacts, language: Language) -> str:
    """Return the facts as one sentence in `language`."""
    colours = [NAMES[name].text(language) if name in NAMES else name for name in facts["colours"]]
    return texts.FACTS.text(language).format(
        format=facts["format"],
        width=facts["width"],
        height=facts["height"],
        pages=texts.PAGES.text(language).format(pages=facts["pages"]) if facts["pages"] > 1 else "",
        colours=_joined(colours, language),
    )


def _joined(words: list[str], language: Language) -> str:
    comma, last = texts.COMMA.text(language), texts.AND.text(language)
    return last.join([*filter(None, [comma.join(words[:-1])]), *words[-1:]])
