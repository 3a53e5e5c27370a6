"""Reads one content: pages from its reader, pictures of pages through OCR, chunks into the index, batch by batch."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from domain.errors import AttachmentError, FileEmpty, Unavailable
from domain.language import Script
from domain.sealing import Stored
from domain.types import AttachmentRef, OcrLine, OcrText
from domain.unread import HIDDEN, INVISIBLE, REASONS, Gap, ranges
from ingestion.chunks import Chunker
from ingestion.recognition import PARTIAL, recognised
from ingestion.scan_layer import parted_layer
from models.ocr.interface import OcrEngine
from readers.figures import MARK, UNREAD, with_texts
from readers.interface import Embedded, Item, Outline, Page
from settings import Settings
from stores.library.contents import Contents
from stores.library.pages import Chunk, PageText

LOST = "characters_lost"
"""The note on damaged characters, which some readers count themselves."""
BATCH_PAGES = 32
BATCH_SECONDS = 0.5
"""Pages are stored, and then found by keyword, after at most this many pages or seconds."""


class PageSource(Protocol):
    """What gives the pages of a file: `readers.reader.Readers`, or `ingestion.recordings.Recordings`."""

    def read(self, path: Stored, *, name: str, media_type: str, password: str | None = None) -> AsyncIterator[Item]:
        """Yield outline, pages, embedded files."""


@dataclass(slots=True)
class _Batch:
    """Pages that are read and not stored yet; `known` ones were stored by an earlier reading."""

    known: list[PageText] = field(default_factory=list)
    pages: list[PageText] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    @property
    def due(self) -> bool:
        return len(self.known) + len(self.pages) >= BATCH_PAGES or time.monotonic() - self.since >= BATCH_SECONDS


@dataclass(frozen=True, slots=True)
class ReadToEnd:
    """What is known of a content when all its pages are stored: language, notes, files inside it."""

    language: str
    notes: list[str]
    embedded: list[Embedded]


class Reading:
    """The reading of one content, from where an earlier one stopped."""

    def __init__(self, settings: Settings, readers: PageSource, ocr: OcrEngine, contents: Contents) -> None:
        self._readers = readers
        self._ocr = ocr
        self._contents = contents
        self._width = settings.ocr_workers + 1
        self._chunker = Chunker(settings.chunk_tokens)
        self._script = Script()
        self._notes: list[str] = []
        self._embedded: list[Embedded] = []
        self._done = 0
        self._total = 0
        self._batch = _Batch()
        self._figures: dict[bytes, OcrText] = {}
        self._recognising: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unread = 0
        self._lost: int | None = 0
        self._hidden: dict[int, int] = {}
        self._removed = 0

    async def run(
        self, content_id: int, ref: AttachmentRef, path: Stored, password: str | None, done: int,
        stored: Callable[[], Awaitable[None]],
    ) -> ReadToEnd:  # fmt: skip
        """Read `ref` to its end, storing pages as they come.

        Args:
            content_id: Where to store.
            ref: What is read; `path` is where its bytes are.
            path: The file.
            password: For protected files.
            done: Pages that an earlier reading has stored.
            stored: Called after each stored batch.

        Raises:
            AttachmentError: Nothing could be read.
            ContentGone: The content was deleted meanwhile.
        """
        items = self._readers.read(path, name=ref["name"], media_type=ref["media_type"], password=password)
        try:
            async with aclosing(items) as stream:  # type: ignore[type-var]  # readers are async generators
                async for page in self._pages(content_id, stream):
                    self._add_page(page, done)
                    if self._batch.due:
                        await self._store(content_id, stored)
        except FileEmpty:
            raise
        except AttachmentError:
            if not self._done and not self._batch.pages:
                raise
            self._note_missing()
        await self._store(content_id, stored)
        counted = ((UNREAD, self._unread), (LOST, self._lost), (INVISIBLE, self._removed))
        notes = [*dict.fromkeys(self._notes), *(f"{code}:{count}" for code, count in counted if count)]
        if self._hidden:
            notes.append(f"{HIDDEN}:{sum(self._hidden.values())}:{ranges(list(self._hidden))}")
        return ReadToEnd(self._script.language, notes, self._embedded)

    async def _pages(self, content_id: int, stream: AsyncIterator[Item]) -> AsyncIterator[tuple[PageText, list[Gap]]]:
        """Yield finished pages in order, while the next ones are read and recognised."""
        running: deque[asyncio.Task[tuple[PageText, list[Gap]]]] = deque()
        stopped: AttachmentError | None = None
        try:
            try:
                async for item in stream:
                    await self._begin(content_id, item, running)
                    while running and (len(running) > self._width or running[0].done()):
                        yield await running.popleft()
            except AttachmentError as exc:
                stopped = exc
            while running:
                yield await running.popleft()
        finally:
            for task in running:
                task.cancel()
        if stopped is not None:
            raise stopped

    async def _begin(
        self, content_id: int, item: Item, running: deque[asyncio.Task[tuple[PageText, list[Gap]]]]
    ) -> None:
        if isinstance(item, Page):
            running.append(asyncio.create_task(self._finished(item)))
        elif isinstance(item, Outline):
            self._total = item.pages_total
            if any(warning.startswith(LOST) for warning in item.warnings):
                self._lost = None
            await self._contents.outline(content_id, item)
        else:
            self._embedded.append(item)

    async def _finished(self, page: Page) -> tuple[PageText, list[Gap]]:
        """Return the page with its final text, and what is missing of it."""
        gaps = [Gap(page=page.number, state="failed", reason=code) for code in page.warnings if code in REASONS]
        self._note(page.warnings)
        if page.image is None:
            text = await self._with_figures(page)
        else:
            text, reason = await self._recognised(page, page.image)
            gaps += [Gap(page=page.number, state="failed", reason=reason)] if reason else []
        if self._lost is not None:
            self._lost += text.text.count("\ufffd")
        if size := len("".join(text.hidden.split())):
            self._hidden[page.number] = size
        self._removed += page.removed
        if not text.text.strip() and not gaps:
            gaps.append(Gap(page=page.number, state="skipped", reason="blank"))
        return text, gaps

    def _note(self, warnings: Sequence[str]) -> None:
        """Keep warnings for the document as a whole; pictures that were not read are counted."""
        for warning in warnings:
            code, _, argument = warning.partition(":")
            if code == UNREAD:
                self._unread += int(argument)
            elif code not in REASONS:
                self._notes.append(warning)

    async def _with_figures(self, page: Page) -> PageText:
        """Return a page of text with the text of its pictures where they stand."""
        texts: list[str] = []
        lines: list[OcrLine] = []
        for image in page.figures:
            try:
                seen = await self._figure(image)
            except (Unavailable, AttachmentError):
                self._unread += 1
                texts.append("")
                continue
            self._note_partial(seen)
            texts.append(seen["text"])
            lines += seen["lines"]
        text = with_texts(page.markdown, texts) if MARK in page.markdown else page.markdown
        return PageText(page.number, page.label, text, bool(lines), mean_confidence(lines), lines, page.hidden)

    async def _figure(self, image: bytes) -> OcrText:
        """Recognise a picture once, however often the document shows it."""
        key = hashlib.sha256(image).digest()
        async with self._recognising[key]:  # several pages are recognised at a time
            if key not in self._figures:
                self._figures[key] = await recognised(self._ocr, image)
        return self._figures[key]

    async def _recognised(self, page: Page, image: bytes) -> tuple[PageText, str]:
        """Return the page with its recognised text, and why there is none."""
        try:
            seen = await recognised(self._ocr, image)
        except (Unavailable, AttachmentError) as exc:
            reason = "ocr_unavailable" if isinstance(exc, Unavailable) else "ocr_failed"
            return PageText(page.number, page.label, page.markdown, hidden=page.hidden), reason
        self._note_partial(seen)
        text, confidence = seen["text"], mean_confidence(seen["lines"])
        layer, unseen = parted_layer(page.markdown.strip(), text, confidence)
        if layer and layer not in text:
            text = f"{layer}\n\n{text}"
        hidden = "\n".join(filter(None, (page.hidden, unseen)))
        return PageText(page.number, page.label, text, True, confidence, seen["lines"], hidden), ""

    def _note_partial(self, seen: OcrText) -> None:
        if seen.get("partial"):
            self._notes.append(PARTIAL)

    def _add_page(self, page: tuple[PageText, list[Gap]], done: int) -> None:
        text, gaps = page
        self._done += 1
        if self._done > done:
            self._batch.pages.append(text)
            self._batch.gaps.extend(gaps)
        else:
            self._batch.known.append(text)

    async def _store(self, content_id: int, stored: Callable[[], Awaitable[None]]) -> None:
        batch, self._batch = self._batch, _Batch()
        chunks = await asyncio.to_thread(self._chunks, batch)
        if batch.pages or batch.gaps:
            await self._contents.add_pages(content_id, batch.pages, chunks, batch.gaps)
            await stored()

    def _chunks(self, batch: _Batch) -> list[Chunk]:
        """Cut the new pages; the known ones are counted, and their headings go on over the new ones."""
        for page in (*batch.known, *batch.pages):
            self._script.add(page.text[:20_000])
        for page in batch.known:
            self._chunker.page(page.number, page.text)
        return [chunk for page in batch.pages for chunk in self._chunker.page(page.number, page.text)]

    def _note_missing(self) -> None:
        missing = range(self._done + 1, max(self._total, self._done + 1) + 1)
        self._batch.gaps.extend(Gap(page=number, state="failed", reason="reading_stopped") for number in missing)


def mean_confidence(lines: Sequence[OcrLine]) -> float | None:
    """Return the mean confidence of recognised lines, weighted by their length; None where there is no text."""
    weights = [len(line["text"]) for line in lines]
    if not sum(weights):
        return None
    return round(
        sum(line["confidence"] * weight for line, weight in zip(lines, weights, strict=True)) / sum(weights), 4
    )
