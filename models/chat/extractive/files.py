"""Answers about files as such: what failed, what a picture shows or says, what a document or page is about."""

from __future__ import annotations

from collections.abc import Sequence

from domain.summary import central_sentences, summarize_text
from domain.text import has_han
from domain.types import Attachment, Source
from models.chat.extractive import texts
from models.chat.interface import TurnInput

PICTURE_CHARS, SUMMARY_TOKENS = 3000, 400
"""Longest recognised text that is given in full; longest summary."""


def usable(turn: TurnInput, *, pictures: bool) -> list[Attachment]:
    """Return the pictures, or all other files, of this turn that did not fail."""
    return [item for item in turn.attachments if item["status"] != "failed" and (item["kind"] == "image") is pictures]


def ocr_text(picture: Attachment) -> str:
    """Return the recognised text of a picture, empty when there is none."""
    ocr = picture.get("ocr")
    return ocr["text"].strip() if ocr else ""


def failures(turn: TurnInput) -> list[str]:
    """Say of each file that could not be used why, and what helps."""
    text = texts.FAILED_FILE.text(turn.language)
    failed = [(item["name"], item["error"]) for item in turn.attachments if item["status"] == "failed"]
    return [text.format(name=name, message=error["message"], remedy=error["remedy"]) for name, error in failed]


def still_reading(turn: TurnInput) -> list[str]:
    """Say which documents are not read to their end yet."""
    unread = {item["id"]: item for item in [*turn.documents, *turn.attachments] if item["status"] == "reading"}
    text = texts.STILL_READING.text(turn.language)
    return [
        text.format(name=item["name"], done=item.get("pages_done", 0), total=item.get("pages_total", 0))
        for item in unread.values()
    ]


def received(turn: TurnInput) -> list[str]:
    """Say which files were read, of a message that asks nothing about them."""
    names = ", ".join(f"**{item['name']}**" for item in turn.attachments if item["status"] != "failed")
    return [texts.RECEIVED.text(turn.language).format(names=names), *still_reading(turn)] if names else []


def pictures(turn: TurnInput) -> list[str]:
    """Tell what the pictures of a turn say and show, else what the picture found for the question says.

    What they show is told in the words of the vision model, else by facts, saying that there is no such model.
    """
    parts: list[str] = []
    for item in usable(turn, pictures=True):
        own = [source for source in turn.sources if source.get("document_id") == item["id"]]
        described = item.get("description")
        about = described["text"] if described else f"{item.get('facts', '')} {texts.NO_VISION.text(turn.language)}"
        told = [summary(item["name"], about.strip(), turn), _words(item["name"], ocr_text(item), own, turn)]
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


def summaries(turn: TurnInput) -> list[str]:
    """Give the summary of each document of this turn, else of the conversation; without one, of the passages found."""
    notes = {note["id"]: note for note in turn.documents}
    sent = {item["id"] for item in usable(turn, pictures=False)}
    names = {item["id"]: item["name"] for item in [*turn.attachments, *turn.documents] if item["kind"] != "image"}
    parts = []
    for identity in sent or [
        note["id"] for note in turn.documents if note["kind"] != "image" and note["status"] != "failed"
    ]:
        note = notes.get(identity)
        own = [source for source in turn.sources if source.get("document_id") == identity]
        parts.append(summary(names[identity], (note["summary"] if note else "") or main_sentences(own), turn))
        parts += [note["coverage"]] if note and note.get("coverage") else []
    return parts


def page(turn: TurnInput) -> list[str]:
    """Give the main sentences of the page that is asked for, of each document that has it."""
    found = [item for item in turn.sources if turn.page < 0 or item.get("page") == turn.page]
    return [summary(item["name"], main_sentences([item]), turn) for item in found] or [
        texts.NOT_SAID.text(turn.language)
    ]


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
    return joint.join(f"{sentence} [{ordered[place]['number']}]" for place, sentence in main)
