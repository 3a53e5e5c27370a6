"""Answers about files as such: what a picture shows or says, what a document or page is about."""

from __future__ import annotations

from collections.abc import Sequence

from domain.citations import citation_of
from domain.quotes import find_quote
from domain.summary import central_sentences, one_line, summarize_text
from domain.text import has_han
from domain.types import Attachment, Citation, DocumentNote, Source
from models.chat.extractive import texts
from models.chat.interface import TurnInput

PICTURE_CHARS, SUMMARY_TOKENS = 3000, 400
"""Longest recognised text that is given in full; longest summary."""


def usable(turn: TurnInput) -> list[Attachment]:
    """Return the files of this turn that did not fail. Of the others the turn itself tells, whatever the model."""
    return [item for item in turn.attachments if item["status"] != "failed"]


def unnumbered(text: str, name: str = "") -> Source:
    """Return text that is quoted without a citation."""
    return Source(number=0, origin="document", name=name, start=0, end=len(text), text=text)


def places(turn: TurnInput) -> list[str]:
    """Tell where the answer before stands."""
    text, said = texts.PLACE.text(turn.language), dict[str, str]()
    for one in (one for one in turn.cited if one.get("page")):
        heading = f" ({one['heading']})" if one.get("heading") else ""
        place = text.format(name=one["name"], page=one.get("label") or one["page"])
        said.setdefault(place + heading, _again(one, turn))
    return [place + cited for place, cited in said.items()] or [texts.NOT_SAID.text(turn.language)]


def words(turn: TurnInput) -> list[str]:
    """Give the words of the documents that the answer before rests on."""
    return [f"> {one_line(one['quote'])}{_again(one, turn)}" for one in turn.cited if one["quote"]]


def _again(cited: Citation, turn: TurnInput) -> str:
    """Cite what was cited before, by the number that its passage has in this turn."""
    held = [source for source in turn.sources if find_quote(cited["quote"], source["text"])]
    return citation_of(held[0]["number"], cited["quote"]) if held else ""


def about(turn: TurnInput, named: Sequence[DocumentNote]) -> list[str]:
    """Tell what the `named` files are about, else those of this turn, else all: summaries first, then pictures."""
    shown = not named or any(note["kind"] == "image" for note in named)
    return [*_summaries(turn, named), *(pictures(turn) if shown else ())]


def pictures(turn: TurnInput) -> list[str]:
    """Tell what the pictures of a turn say and show, else what the picture found for the question says.

    What they show is told in the words of the vision model, else by facts, saying that there is no such model.
    """
    parts: list[str] = []
    for item in (item for item in usable(turn) if item["kind"] == "image"):
        own = [source for source in turn.sources if source.get("document_id") == item["id"]]
        described, ocr = item.get("description"), item.get("ocr")
        about = described["text"] if described else texts.UNSEEN.text(turn.language).format(facts=item.get("facts", ""))
        told = [summary(item["name"], about.strip(), turn), _words(item["name"], ocr["text"] if ocr else "", own, turn)]
        parts += [*(told if described else reversed(told)), *item.get("warnings", [])]
    found = [source for source in turn.sources if source["origin"] == "image"][:1]
    if found and not parts:
        text = found[0]["text"]  # the stored page of a picture ends in its facts
        parts.append(_words(found[0]["name"], text.rpartition("\n\n")[0] or text, found, turn))
    return parts


def _words(name: str, text: str, sources: Sequence[Source], turn: TurnInput) -> str:
    """Give the text of a picture word for word, with the number of its passage."""
    lines = [line for line in text[:PICTURE_CHARS].splitlines() if line.strip()]
    if not lines:
        return texts.NO_TEXT.text(turn.language).format(name=name)
    number = next((f" [{source['number']}]" for source in sources if lines[-1] in source["text"]), "")
    quote = "\n".join(f"> {line}" for line in lines)
    return f"{texts.PICTURE_TEXT.text(turn.language).format(name=name)}\n\n{quote}{number}"


def _summaries(turn: TurnInput, named: Sequence[DocumentNote]) -> list[str]:
    """Give the summary that is kept of each document; without one, the main sentences of the passages found."""
    sent = {item["id"] for item in usable(turn)}
    meant = [note for note in turn.documents if (note["id"] in sent if sent else note["status"] != "failed")]
    parts = []
    for note in (note for note in named or meant if note["kind"] != "image"):
        own = [source for source in turn.sources if source.get("document_id") == note["id"]]
        parts.append(summary(note["name"], note["summary"] or main_sentences(own), turn))
        parts += filter(None, [note.get("coverage")])
    return parts


def page(turn: TurnInput) -> list[str]:
    """Give the main sentences of the page that is asked for, of each document that has it."""
    found = [item for item in turn.sources if turn.page < 0 or item.get("page") == turn.page]
    told = [summary(item["name"], main_sentences([item]), turn) for item in found]
    return told or [texts.NOT_SAID.text(turn.language)]


def summary(name: str, text: str, turn: TurnInput) -> str:
    """Write a summary under the name of its file; say so where there is none."""
    return (texts.SUMMARY if text else texts.NO_TEXT).text(turn.language).format(name=name, text=text)


def main_sentences(sources: Sequence[Source]) -> str:
    """Put the main sentences of passages together in reading order, each with the number of its passage."""
    ordered = sorted(sources, key=lambda source: (source.get("page", 0), source["start"]))
    main = central_sentences([source["text"] for source in ordered], SUMMARY_TOKENS)
    if not main:
        return summarize_text("\n\n".join(source["text"] for source in ordered), SUMMARY_TOKENS)
    joint = "" if has_han(main[0][1]) else " "
    return joint.join(sentence + citation_of(ordered[place]["number"], sentence) for place, sentence in main)
