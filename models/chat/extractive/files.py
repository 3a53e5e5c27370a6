"""Answers about the files of a turn as such: what failed, what a picture shows or says, what a document is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from domain.types import Attachment, OcrText, Source
from domain.words import Language
from models.chat.extractive import replies
from models.chat.extractive.replies import say
from models.chat.extractive.summary import central_sentences, summarize_document
from models.chat.extractive.text import is_chinese, without_markers
from models.chat.extractive.turn import Turn

_FACTS = re.compile(r"^\S+ (?:picture|图片)(?:, |，)\d+(?: x |×)\d+ (?:pixels|像素).*$", re.MULTILINE)
"""The line of facts that is stored behind the text of a picture."""
_QUOTES = re.compile(r"[\"“”„«»「」『』\[\]【】]")
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


def picture_text(pictures: Sequence[Attachment], language: Language, sources: Sequence[Source] = ()) -> list[str]:
    """Give the recognised text of each picture word for word, with the number of its passage."""
    parts = []
    for picture in pictures:
        text = ocr_text(picture)
        if not text:
            parts.append(say(replies.NO_TEXT_IN, language, name=picture["name"]))
            continue
        lines = [line for line in text[:OCR_CHARS].splitlines() if line.strip()]
        quoted = "\n".join(f"> {line}" for line in lines) + _marker(lines, picture["id"], sources)
        parts.append(f"{say(replies.TEXT_IN, language, name=picture['name'])}\n\n{quoted}")
        parts += picture.get("warnings", [])
    return parts


def _marker(lines: Sequence[str], picture_id: str, sources: Sequence[Source]) -> str:
    """Cite the picture's passage that has all these lines, else the last one; empty when there is none."""
    quote = " ".join(" ".join(lines).split())
    own = [item for item in sources if item.get("document_id") == picture_id]
    for item in own:
        if not _QUOTES.search(quote) and quote in " ".join(item["text"].split()):
            return f' [{item["number"]} "{quote}"]'
    held = [item["number"] for item in own if lines[-1] in item["text"]]
    return f" [{held[0]}]" if held else ""


def picture_content(pictures: Sequence[Attachment], language: Language, sources: Sequence[Source] = ()) -> list[str]:
    """Describe each picture: by the vision model's words, else by facts and text, saying that it has none."""
    parts = []
    for picture in pictures:
        described = picture.get("description")
        about = described["text"] if described else picture.get("facts", "")
        if not described:
            about = " ".join(part for part in (say(replies.NO_VISION, language), about) if part)
        parts.append(say(replies.PICTURE, language, name=picture["name"], description=about))
        if ocr_text(picture):
            parts += picture_text([picture], language, sources)
    return parts


def received(turn: Turn) -> list[str]:
    """Say which files were read, of a message that asks nothing about them."""
    names = [f"**{item['name']}**" for item in turn.attachments if item["status"] != "failed"]
    return [say(replies.RECEIVED, turn.language, names=", ".join(names))] if names else []


def earlier_pictures(turn: Turn) -> list[Attachment]:
    """Return the picture of an earlier turn that was found for this question, as far as its text goes."""
    sent = {item["id"] for item in turn.attachments}
    for source in turn.sources:
        if source["origin"] != "image" or source.get("document_id") in sent:
            continue
        facts = _FACTS.search(source["text"])
        text = without_facts(source["text"]).strip()
        return [
            Attachment(
                id=source.get("document_id", ""),
                name=source["name"],
                kind="image",
                media_type="",
                size=0,
                sha256="",
                status="ready",
                ocr=OcrText(text=text, lines=[], rotation=0, engine=""),
                facts=facts[0] if facts else "",
            )  # fmt: skip
        ]
    return []


def without_facts(text: str) -> str:
    """Return the stored text of a picture without the line of facts behind it."""
    return _FACTS.sub("", text)


def summaries(turn: Turn, *, pictures: bool = False) -> list[str]:
    """Give the summary of each document of this turn, else of the thread; without one, of the passages found.

    With `pictures`, those of the thread count as documents where there are no others.
    """
    written = {note["id"]: note["summary"] for note in turn.documents}
    covered = {note["id"]: note.get("coverage", "") for note in turn.documents}
    files = [item for item in turn.attachments if item["kind"] != "image" and item["status"] != "failed"]
    about = [(item["id"], item["name"], item.get("summary") or written.get(item["id"], "")) for item in files] or [
        (note["id"], note["name"], note["summary"])
        for note in turn.documents
        if note["kind"] != "image" or (pictures and all(other["kind"] == "image" for other in turn.documents))
    ]
    parts = []
    for identity, name, summary in about:
        text = summary or _passages_summary(turn, identity)
        words = replies.SUMMARY_OF if text else replies.NO_SUMMARY
        parts.append(say(words, turn.language, name=name, summary=text))
        parts += [covered[identity]] if covered.get(identity) else []
    return parts


def page_counts(turn: Turn) -> list[str]:
    """Say how many pages the documents of this turn have, else those of the thread."""
    sent = {item["id"] for item in turn.attachments}
    meant = [note for note in turn.documents if note["kind"] != "image" and (not sent or note["id"] in sent)]
    return [say(replies.PAGES, turn.language, name=note["name"], total=note["pages_total"]) for note in meant]


def page_summary(turn: Turn, page: int) -> list[str]:
    """Give the main sentences of one page of each document that has it."""
    found = [source for source in turn.sources if source.get("page") == page]
    parts = [
        say(replies.SUMMARY_OF, turn.language, name=source["name"], summary=_main_sentences([source], turn.max_tokens))
        for source in found
    ]
    return parts or [say(replies.NO_SUCH_PAGE, turn.language, page=page)]


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
    """Return the main sentences of a document's passages."""
    found = [source for source in turn.sources if source.get("document_id") == document_id]
    found.sort(key=lambda source: (source.get("page", 0), source["start"]))
    return _main_sentences(found, turn.max_tokens)


def _main_sentences(found: Sequence[Source], max_tokens: int) -> str:
    """Put the main sentences of passages together, each run of them with the number of its passage."""
    main = central_sentences([source["text"] for source in found], max_tokens)
    if not main:
        return summarize_document("\n\n".join(source["text"] for source in found), max_tokens)
    joint = "" if is_chinese(main[0][1]) else " "
    runs = [
        f"{joint.join(without_markers(sentence) for _, sentence in run)} [{found[place]['number']}]"
        for place, run in groupby(main, key=lambda item: item[0])
    ]
    return joint.join(runs)
