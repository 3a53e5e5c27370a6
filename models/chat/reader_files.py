"""Answers about the files of a turn as such: what failed, what a picture shows or says, what a document is about."""

from __future__ import annotations

from collections.abc import Sequence

from errors import Language
from graph.state import Attachment
from models.chat import reader_replies as replies
from models.chat.reader_replies import say
from models.chat.reader_summary import summarize_document
from models.chat.reader_turn import Turn

OCR_CHARS = 3000
"""Longest recognised text that is given in full."""


def failures(turn: Turn) -> list[str]:
    """Say of each file that could not be used why, and what helps."""
    return [
        say(
            replies.FAILED_FILE,
            turn.language,
            name=item["name"],
            message=item.get("error", {}).get("message", ""),
            remedy=item.get("error", {}).get("remedy", ""),
        )
        for item in turn.failed
    ]


def picture_text(pictures: Sequence[Attachment], language: Language) -> list[str]:
    """Give the recognised text of each picture word for word."""
    parts = []
    for picture in pictures:
        text = ocr_text(picture)
        if not text:
            parts.append(say(replies.NO_TEXT_IN, language, name=picture["name"]))
            continue
        quoted = "\n".join(f"> {line}" for line in text[:OCR_CHARS].splitlines() if line.strip())
        parts.append(f"{say(replies.TEXT_IN, language, name=picture['name'])}\n\n{quoted}")
    return parts


def picture_content(pictures: Sequence[Attachment], language: Language) -> list[str]:
    """Describe each picture: by the vision model's words, else by facts and text, saying that it has none."""
    parts = []
    for picture in pictures:
        described = picture.get("description")
        about = described["text"] if described else picture.get("facts", "")
        if not described:
            about = " ".join(part for part in (say(replies.NO_VISION, language), about) if part)
        parts.append(say(replies.PICTURE, language, name=picture["name"], description=about))
        if ocr_text(picture):
            parts += picture_text([picture], language)
    return parts


def summaries(turn: Turn) -> list[str]:
    """Give the summary of each document of this turn, else of the thread; without one, of the passages found."""
    files = [item for item in turn.attachments if item["kind"] != "image" and item["status"] != "failed"]
    about = [(item["id"], item["name"], item.get("summary", "")) for item in files] or [
        (note["id"], note["name"], note["summary"]) for note in turn.documents
    ]
    parts = []
    for identity, name, summary in about:
        text = summary or _passages_summary(turn, identity)
        words = replies.SUMMARY_OF if text else replies.NO_SUMMARY
        parts.append(say(words, turn.language, name=name, summary=text))
    return parts


def still_reading(turn: Turn) -> list[str]:
    """Say which documents are not read to their end yet."""
    unread = {item["id"]: item for item in [*turn.documents, *turn.attachments] if item["status"] == "reading"}
    return [
        say(
            replies.STILL_READING,
            turn.language,
            name=item["name"],
            done=item.get("pages_done", 0),
            total=item.get("pages_total", 0),
        )
        for item in unread.values()
    ]


def ocr_text(picture: Attachment) -> str:
    """Return the recognised text of a picture, empty when there is none."""
    ocr = picture.get("ocr")
    return ocr["text"].strip() if ocr else ""


def _passages_summary(turn: Turn, document_id: str) -> str:
    found = [source for source in turn.sources if source.get("document_id") == document_id]
    found.sort(key=lambda source: (source.get("page", 0), source["start"]))
    return summarize_document("\n\n".join(source["text"] for source in found), turn.max_tokens)
