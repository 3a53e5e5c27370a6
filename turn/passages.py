"""The passages of a turn: those that fit the question, or whole pages where the question is about a file as a whole."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from domain.errors import AppError, Unavailable
from domain.owner import Owner
from domain.tokens import count_tokens
from domain.types import DocumentNote, Source
from models.chat.extractive.calls import asks_overview
from models.chat.extractive.questions import page_meant, topic_of
from models.chat.extractive.routing import has_cue
from models.chat.extractive.summary import summarize_document
from models.chat.extractive.text import is_chinese
from turn.context import Services
from turn.follow_up import leans_on
from turn.state import State

SUMMARY_TOKENS = 400
VECTORS_WAIT = 10.0
"""Seconds that a question in another language than its documents waits for their vectors: no word of it can be found.
Within one language a turn does not wait: with keywords alone 0.990 of 521 questions (SQuAD) still got their passage,
with vectors 0.998."""
SHORT_PAGES = 40
"""Pages of a document whose vectors may be ready in that time."""
ANSWERED_WITHOUT = (
    "greeting", "thanks", "farewell", "identity", "abilities", "small_talk", "list_documents", "current_time",
    "calculate",
)  # fmt: skip
"""What needs no passage (labels of the bundled reader's router)."""
MOST_OVERVIEWS = 8
"""Documents without a summary that are looked at for one question."""
PICTURE = re.compile(
    r"\b(?:pictures?|images?|photos?|photograph|screenshots?|posters?|signs?|labels?|scans?|drawing|screen)\b"
    r"|图|照片|截屏|海报|标签|招牌|牌子|画面",
    re.IGNORECASE,
)


async def find_passages(state: State, services: Services, owner: Owner, notes: Sequence[DocumentNote]) -> list[Source]:
    """Return passages for the question, numbered from 1; none where the store does not answer.

    The files of this turn come first, or a picture of an earlier turn when the question names one, then the rest of the
    thread in what is left of the budget. A question that leans on earlier ones is looked for together with them.
    """
    budget = services.settings.context_tokens_for_sources
    sent = [item["id"] for item in state.get("attachments", []) if item["status"] != "failed"]
    picture = [] if sent else await _picture_meant(state["question"], notes, services, owner)
    before = leans_on(state["messages"][:-1], state["question"])
    query = topic_of(state["question"]) or state["question"]
    queries = [f"{before} {query}", query] if before else [query]
    try:
        found = await _search(queries, sent, services, owner)
        first = [] if found else await _beginning(sent, notes, services, owner, budget)
        if _foreign(state["question"], found or first) and await _vectors_came(services, owner):
            found = await _search(queries, sent, services, owner)
    except Unavailable:
        return []
    return numbered([*picture, *found] or first)


async def _search(queries: Sequence[str], sent: Sequence[str], services: Services, owner: Owner) -> list[Source]:
    """Return what is found for each query: most of it in the files `sent` in this turn, where there are any."""
    share = services.settings.context_tokens_for_sources // len(queries)
    found: list[Source] = []
    for text in queries:
        if sent:
            found += await services.documents.sources(text, owner, token_budget=share * 3 // 4, document_ids=sent)
        rest = await services.documents.sources(text, owner, token_budget=share // 4 if sent else share)
        found += [source for source in rest if source.get("document_id") not in sent]
    return found


def _foreign(question: str, found: Sequence[Source]) -> bool:
    """Tell whether a question that passages may answer is in another language than all that was found."""
    if asks_overview(question) or any(has_cue(label, question) for label in ANSWERED_WITHOUT):
        return False
    asked = is_chinese(question)
    return bool(found) and all(is_chinese(source["text"]) != asked for source in found)


async def _vectors_came(services: Services, owner: Owner) -> bool:
    """Wait for the vectors of short documents; tell whether that changed anything."""
    waited = False
    try:
        async with asyncio.timeout(VECTORS_WAIT if services.documents.vectors is not None else 0):
            while any(
                item.get("indexed", 1.0) < 1 and item.get("pages_total", 1) <= SHORT_PAGES
                for item in await services.documents.list(owner)
            ):
                waited = True
                await asyncio.sleep(VECTORS_WAIT / 50)
    except TimeoutError:
        pass
    return waited


def numbered(found: Sequence[Source]) -> list[Source]:
    """Return the sources numbered from 1, each passage once, where it came first."""
    kept: dict[tuple[object, object, int], Source] = {}
    for source in found:
        kept.setdefault((source.get("document_id"), source.get("page"), source["start"]), source)
    return [{**source, "number": number} for number, source in enumerate(kept.values(), 1)]


async def overview(
    state: State, services: Services, owner: Owner, notes: Sequence[DocumentNote]
) -> tuple[list[DocumentNote], list[Source]]:
    """Prepare a question about files as a whole; return the notes, and whole pages as passages.

    A question about one page gets that page. A document without a summary (a short one, or one whose summary is still
    being written) is given in full when it fits in the budget. Of a longer one the main sentences of all pages read so
    far take the place of the summary.
    """
    sent = {item["id"] for item in state.get("attachments", [])}
    if page := page_meant(state["question"]):
        about = [note for note in notes if not sent or note["id"] in sent][-MOST_OVERVIEWS:]
        return list(notes), numbered([found for note in about for found in await _pages(note, services, owner, page)])
    if not asks_overview(state["question"]):
        return list(notes), []
    meant = [note["id"] for note in notes if not note["summary"] and (not sent or note["id"] in sent)][-MOST_OVERVIEWS:]
    left = services.settings.context_tokens_for_sources
    made: list[DocumentNote] = []
    pages: list[Source] = []
    for note in notes:
        if note["id"] in meant:
            own = await _pages(note, services, owner)
            cost = sum(count_tokens(source["text"]) for source in own)
            if cost <= left:
                left -= cost
                pages += own
            else:
                whole = "\n\n".join(source["text"] for source in own)
                note = DocumentNote(
                    **{**note, "summary": await asyncio.to_thread(summarize_document, whole, SUMMARY_TOKENS)}
                )
        made.append(note)
    return made, numbered(pages)


async def _pages(note: DocumentNote, services: Services, owner: Owner, only: int | None = None) -> list[Source]:
    """Return the pages of a document that were read so far, or the one with the number `only`, each as one passage."""
    try:
        pages = await services.documents.pages(note["id"], owner, only or 1, only)
    except AppError:
        return []
    return [
        Source(
            number=0,
            origin="image" if note["kind"] == "image" else "document",
            document_id=note["id"],
            name=note["name"],
            page=page["number"],
            label=page["label"],
            start=0,
            end=len(page["markdown"]),
            text=page["markdown"],
        )  # fmt: skip
        for page in pages
        if page["markdown"].strip()
    ]


async def _beginning(
    sent: Sequence[str], notes: Sequence[DocumentNote], services: Services, owner: Owner, budget: int
) -> list[Source]:
    """Return the first pages of this turn's files, else of the newest of the thread.

    They are what there is as long as a file has no vectors yet and shares no word with the question.
    """
    meant = [note for note in notes if not sent or note["id"] in sent]
    kept: list[Source] = []
    for note in reversed(meant[-MOST_OVERVIEWS:]):
        for page in await _pages(note, services, owner):
            budget -= count_tokens(page["text"])
            if budget < 0:
                return kept
            kept.append(page)
    return kept


async def _picture_meant(
    question: str, notes: Sequence[DocumentNote], services: Services, owner: Owner
) -> list[Source]:
    """Return the text of the newest picture of the thread when the question speaks of one."""
    pictures = [note for note in notes if note["kind"] == "image"]
    return await _pages(pictures[-1], services, owner) if pictures and PICTURE.search(question) else []
