"""The passages of a turn: those that fit the question, or whole pages where the question is about a file as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from domain.asking import asked_apart, carried, files_named, without_file
from domain.errors import AppError, Unavailable
from domain.owner import Owner
from domain.summary import summarize_text
from domain.tokens import count_tokens
from domain.types import DocumentNote, Source
from turn.context import Services
from turn.question import LAST_PAGE
from turn.state import State

SUMMARY_TOKENS = 400
VECTORS_WAIT = 10.0
"""Seconds that a question in another language than its documents waits for their vectors: no word of it can be found.
Within one language a turn does not wait: with keywords alone 0.990 of 521 questions (SQuAD) still got their passage,
with vectors 0.998."""
VECTORS_POLL = 1.0
"""Seconds between looks at vectors that another process makes; this process tells when its own are there."""
SHORT_PAGES = 40
"""Pages of a document whose vectors may be ready in that time."""
LEAST_TOKENS = 50
"""A page is cut to no less."""
AROUND_CITED = 600
"""Characters before and after a citation of the answer before, of a question that goes on from it."""
MOST_FILES = 8
"""Files whose pages are looked at for one question; the newest count."""


class Passages:
    """Finds the passages of one turn; `notes` are the documents that it can search, oldest first."""

    def __init__(self, state: State, services: Services, owner: Owner, notes: Sequence[DocumentNote]) -> None:
        self._question = state["question"]
        self._language = state["language"]
        self._sent = [item["id"] for item in state.get("attachments", []) if item["status"] != "failed"]
        self._services, self._owner, self._notes = services, owner, notes
        self._budget: int = services.settings.context_tokens_for_sources
        self._cited = state.get("cited", [])
        places = files_named(self._question["text"], [note["name"] for note in notes])
        self._named = [notes[place]["id"] for place in places]

    async def find(self) -> tuple[list[DocumentNote], list[Source]]:
        """Return the notes, some with a summary that they lacked, and passages numbered from 1.

        A greeting gets none but the beginning of what came with it. A page that the question names comes first, and
        alone when the question is about it as a whole; so does the newest picture of the thread when it speaks of one.
        A question about files as a whole gets the pages of those without a summary, else the first pages. None are
        found where the store does not answer.
        """
        notes, kind = list(self._notes), self._question["kind"]
        if kind == "social":
            return notes, numbered(await self._unfound([]))
        if kind in ("overview", "files"):
            notes, pages = await self._whole()
            return notes, numbered(pages or await self._within_budget(self._meant()))
        first = await self._page_named()
        if kind == "page" and first:
            return notes, numbered(first)
        if kind == "picture" and not self._sent:
            pictures = [note for note in notes if note["kind"] == "image"][-1:]
            first += await self._within_budget(pictures)
        found = [*first, *await self._search()]
        return notes, numbered([*found, *await self._around_cited(found)])

    async def _around_cited(self, found: Sequence[Source]) -> list[Source]:
        """Return what stands around the citations of the answer before, where it is asked for and not found anyway."""
        places = {(one.get("document_id"), one.get("page", 1)): one for one in reversed(self._cited)}
        leans = self._question["follows"] or self._question["kind"] in ("place", "words")
        held = {(source.get("document_id"), source.get("page")) for source in found}
        windows = []
        for (identity, page), cited in places.items() if leans else ():
            note = next((note for note in self._notes if note["id"] == identity), None)
            for source in await self._pages(note, page) if note and (identity, page) not in held else ():
                start, end = max(0, cited["start"] - AROUND_CITED), cited["end"] + AROUND_CITED
                text = source["text"][start:end]
                windows.append(Source(**{**source, "start": start, "end": start + len(text), "text": text}))
        return windows

    def _meant(self) -> list[DocumentNote]:
        """The files that the question names, else those of this turn, else the newest of the thread."""
        ids = self._named or self._sent
        return [note for note in self._notes if not ids or note["id"] in ids][-MOST_FILES:]

    async def _whole(self) -> tuple[list[DocumentNote], list[Source]]:
        """Make up for missing summaries: by all pages of a short document, by the main sentences of a longer one."""
        missing = {note["id"] for note in self._meant() if not note["summary"]}
        notes: list[DocumentNote] = []
        pages: list[Source] = []
        left = self._budget
        for note in self._notes:
            own = await self._pages(note) if note["id"] in missing else []
            cost = sum(count_tokens(source["text"]) for source in own)
            if cost <= left:
                left -= cost
                pages += own
            else:
                text = "\n\n".join(source["text"] for source in own)
                note = note.copy()
                note["summary"] = await asyncio.to_thread(summarize_text, text, SUMMARY_TOKENS)
            notes.append(note)
        return notes, pages

    async def _page_named(self) -> list[Source]:
        page = self._question["page"]
        if not page:
            return []
        return await self._within_budget(self._meant(), page)

    async def _within_budget(
        self, notes: Sequence[DocumentNote], page: int = 0, *, budget: int | None = None
    ) -> list[Source]:
        """Return the pages of the files, or only `page` of each, newest file first, as far as the budget goes.

        The last one is cut where it does not fit whole, unless little of it would be left.
        """
        left, kept = budget or self._budget, list[Source]()
        for note in reversed(notes):
            for source in await self._pages(note, page):
                size = count_tokens(source["text"])
                if size > left:
                    return [*kept, _beginning(source, left / size)] if left >= LEAST_TOKENS else kept
                left -= size
                kept.append(source)
        return kept

    async def _pages(self, note: DocumentNote, page: int = 0) -> list[Source]:
        """Return the pages of a document that were read so far, or only `page`, each as one passage."""
        number = note["pages_total"] if page == LAST_PAGE else page
        try:
            pages = await self._services.documents.pages(note["id"], self._owner, number or 1, number or None)
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
            )
            for page in pages
            if page["markdown"].strip()
        ]

    async def _search(self) -> list[Source]:
        """Return what is found for each question, and for it together with the earlier ones that it leans on.

        Of a comparison, each thing is looked for. While a file has no vectors yet and shares no word with the question,
        its first pages have to do.
        """
        text = without_file(self._question["text"])
        parts = asked_apart(text, self._question["follows"])
        queries = [f"{carried(before, part)} {part}" if before else part for part, before in parts]
        if text not in queries:
            queries.append(text)
        try:
            if self._foreign():
                await self._vectors()
            found = await self._found(queries)
        except Unavailable:
            return []
        return [*await self._unfound(found), *found] or await self._within_budget(self._meant())

    async def _unfound(self, found: Sequence[Source]) -> list[Source]:
        """Return the beginnings of the files of this turn in which nothing was found: what was sent is always shown."""
        there = {source.get("document_id") for source in found}
        absent = [
            note
            for note in self._notes[-MOST_FILES:]
            if note["id"] in self._sent and note["id"] not in there and note["kind"] != "image"
        ]
        share = self._budget // (2 * max(1, len(absent)))
        return [source for note in absent for source in await self._within_budget([note], budget=share)]

    async def _found(self, queries: Sequence[str]) -> list[Source]:
        """Return what is found for each query: most of it in the files of this turn, where there are any."""
        share = self._budget // len(queries)
        sources = self._services.documents.sources
        found: list[Source] = []
        for text in queries:
            if self._named:
                found += await sources(text, self._owner, token_budget=share, document_ids=self._named)
                continue
            if self._sent:
                found += await sources(text, self._owner, token_budget=share * 3 // 4, document_ids=self._sent)
            rest = await sources(text, self._owner, token_budget=share // 4 if self._sent else share)
            found += [source for source in rest if source.get("document_id") not in self._sent]
        return found

    def _foreign(self) -> bool:
        """Tell whether all documents that the question can be about are in another language than it."""
        languages = {note["language"] for note in self._meant() if note.get("language")}
        return bool(languages) and self._language not in languages

    async def _vectors(self) -> None:
        """Wait for the vectors of short documents, which are made after reading, another process's too."""
        documents = self._services.documents
        if documents.vectors is None:
            return
        try:
            async with asyncio.timeout(VECTORS_WAIT):
                while True:
                    listed = await documents.list(self._owner)
                    short = [item for item in listed if item.get("pages_total", 1) <= SHORT_PAGES]
                    if all(item.get("indexed", 1.0) >= 1 for item in short):
                        return
                    await self._services.ingestion.next_vectors(VECTORS_POLL)
        except TimeoutError:
            pass


def _beginning(source: Source, share: float) -> Source:
    end = int(len(source["text"]) * share)
    return {**source, "end": end, "text": source["text"][:end]}


def numbered(found: Sequence[Source]) -> list[Source]:
    """Return the sources numbered from 1, each passage once, where it came first."""
    kept: dict[tuple[object, object, int], Source] = {}
    for source in found:
        kept.setdefault((source.get("document_id"), source.get("page"), source["start"]), source)
    return [{**source, "number": number} for number, source in enumerate(kept.values(), 1)]
