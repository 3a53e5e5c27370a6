"""From an attachment to a searchable document: read once per content, indexed by keyword at once, vectors later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal, Protocol, cast

from domain.errors import AppError, Unavailable, UnknownAttachment, UnknownDocument
from domain.language import Script
from domain.owner import Owner
from domain.sealing import Stored
from domain.types import Attachment, AttachmentRef, Kind
from domain.words import Language
from ingestion.chunks import Chunker
from ingestion.embedded import EmbeddedFiles, content_key
from ingestion.indexing import SummaryWriter, Vectorizer
from ingestion.picture_text import picture_pages
from ingestion.reading import PageSource, Reading
from ingestion.recordings import Recordings
from ingestion.summaries import Summarizer
from ingestion.tables import SPREADSHEETS, TableWriter
from models.embeddings.interface import Embedder
from models.ocr.interface import OcrEngine
from models.speech.interface import Listener
from privacy.outbound import wanted_privacy
from settings import Settings
from stores.library.attachments import Attachments
from stores.library.backlog import Unfinished
from stores.library.contents import LEASE_SECONDS, ContentGone
from stores.library.documents import Documents
from stores.library.records import ANY_NAME, named
from workers.sandbox import Sandbox

logger = logging.getLogger(__name__)

FOLLOW_SECONDS = 0.5
CONTAINERS = frozenset({"application/zip", "application/x-ole-storage", "application/octet-stream"})
"""Media types of a file's first bytes that may turn out to be more when the whole file is looked into."""
Progress = Callable[[Attachment], None]


class FileReaders(PageSource, Protocol):
    """What this module needs of `readers.reader.Readers`."""

    async def detect(self, path: Stored, name: str) -> tuple[Kind, str]:
        """Return kind and media type, looking into containers."""


class PictureReader(Protocol):
    """What this module needs of `ingestion.pictures.Pictures`."""

    @property
    def describes(self) -> bool:
        """Whether what `read` returns depends on the question."""

    async def read(self, ref: AttachmentRef, data: bytes, *, language: Language, question: str) -> Attachment:
        """Return recognised text, description, facts and agreement of a picture."""


class Ingestion:
    """Reads attachments into documents. Safe to call for the same content many times at once."""

    def __init__(  # noqa: PLR0913  # the parts it works with
        self, settings: Settings, *, readers: FileReaders, ocr: OcrEngine, pictures: PictureReader,
        listener: Listener | None, attachments: Attachments, documents: Documents, embedder: Embedder,
        summarizer: Summarizer, sandbox: Sandbox,
    ) -> None:  # fmt: skip
        """Keep the parts; `start` resumes what an earlier process left unfinished."""
        self._settings = settings
        self._readers, self._ocr, self._pictures = readers, ocr, pictures
        self._recordings = Recordings(listener)
        self._attachments, self._documents = attachments, documents
        self._contents = documents.contents
        self._embedder = embedder
        self._embedded = EmbeddedFiles(attachments, documents.contents, settings.max_files)
        self._vectorizer = Vectorizer(documents, embedder)
        self._summaries = SummaryWriter(documents.backlog, summarizer, settings.summary_threshold_tokens, sandbox)
        self._tables = TableWriter(documents.tables, sandbox)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._listeners: dict[int, list[tuple[str, Owner, Progress]]] = {}
        self._resumed: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Resume unfinished documents, now and whenever another process gives some up."""
        await self._documents.backlog.forget_other_embedders(self._embedder.name)
        self._keeper = asyncio.create_task(self._keep_resuming(), name="resume ingestion")

    async def aclose(self) -> None:
        """Stop; what is unfinished is resumed by the next `start`."""
        tasks = [*self._tasks.values(), *self._resumed, *([self._keeper] if self._keeper else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._vectorizer.aclose()
        await self._summaries.aclose()
        await self._tables.aclose()

    async def register(self, ref: AttachmentRef, *, language: Language, private: bool = False) -> None:
        """Make a stored file a document, to be read; it is listed when this returns. `private`: with a password."""
        origin = "image" if ref["kind"] == "image" else "document"
        key = content_key(ref, language, private=private)
        await self._contents.open(ref, key=key, origin=origin, language=language)

    async def read_document(
        self, ref: AttachmentRef, owner: Owner, *, language: Language, password: str | None = None,
        on_progress: Progress | None = None, wait: Literal["text", "indexed"] = "text",
    ) -> Attachment:  # fmt: skip
        """Read, chunk and index a document; return it when its text is stored, `ready` or `failed`.

        Reading goes on when the caller is cancelled. Content that is known is not read again, and content that is being
        read is waited for.

        Args:
            ref: What to read.
            owner: Whose it is.
            language: Of warnings and errors.
            password: For protected files; what it opens is shared with nobody.
            on_progress: Called with the document after each stored batch of pages.
            wait: `text`: until it is found by keyword. `indexed`: until it has vectors, summary and tables too.

        Raises:
            UnknownDocument: It was deleted meanwhile.
        """
        content_id = await self._read_text(ref, owner, language, password, on_progress)
        for child in await self._contents.children(ref["id"]):
            await self._read_child(child, owner, language)
        if wait == "indexed":
            await self._vectorizer.wait(content_id)
            await self._summaries.wait(content_id)
            await self._tables.wait(content_id)
        return await self._documents.get(ref["id"], owner)

    async def next_vectors(self, seconds: float) -> None:
        """Return when this process has made all vectors of a document, at the latest after `seconds`."""
        await self._vectorizer.next_done(seconds)

    async def read_picture(
        self, ref: AttachmentRef, owner: Owner, *, language: Language, question: str = ""
    ) -> Attachment:
        """Recognise and describe a picture, and index what was found as a document of its pages.

        A description that answers `question` is indexed for this attachment alone, unless the picture has been
        described without a question already: then that stays what is searched and cited.

        Raises:
            UnknownDocument: It was deleted meanwhile.
        """
        key = content_key(ref, language)
        if question.strip() and self._pictures.describes and not await self._contents.is_ready(key):
            key = content_key(ref, language, private=True)
        content_id, status = await self._contents.open(ref, key=key, origin="image", language=language)
        try:
            data = await self._attachments.read(ref)
            unnamed = AttachmentRef(**{**ref, "name": ANY_NAME})
            seen = await self._pictures.read(unnamed, data, language=language, question=question)
            if status != "ready" and await self._contents.claim(content_id) is not None:
                await self._store_picture(content_id, seen)
        except ContentGone:
            raise UnknownAttachment(id=ref["id"]) from None
        except AppError as exc:
            await self._fail(content_id, exc)
            return await self._documents.get(ref["id"], owner)
        stored = await self._documents.get(ref["id"], owner)
        return named(cast(Attachment, {**stored, **_picture_fields(seen)}))

    async def _store_picture(self, content_id: int, seen: Attachment) -> None:
        pages = picture_pages(seen)
        script, chunker = Script(), Chunker(self._settings.chunk_tokens)
        for page in pages:
            script.add(page.text)
        chunks = await asyncio.to_thread(
            lambda: [chunk for page in pages for chunk in chunker.page(page.number, page.text)]
        )
        await self._contents.set_picture(content_id, _picture_fields(seen))
        await self._contents.add_pages(content_id, pages, chunks, [])
        await self._contents.finish(content_id, language=script.language)
        self._vectorizer.add(content_id)

    async def _read_text(
        self, ref: AttachmentRef, owner: Owner, language: Language, password: str | None, on_progress: Progress | None
    ) -> int:
        """Store the text of `ref`; return the content's id."""
        key = content_key(ref, language, private=True)
        if password is None and not await self._contents.has(key):
            key = content_key(ref, language)
        content_id, status = await self._contents.open(ref, key=key, origin="document", language=language)
        if status == "ready":
            await self._embedded.share(content_id, ref, owner, language)
            return content_id
        if content_id not in self._tasks:
            task = asyncio.create_task(
                self._read(content_id, ref, owner, language, password), name=f"read {content_id}"
            )
            self._tasks[content_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(content_id, None))
        async with self._listening(content_id, ref, owner, on_progress):
            await asyncio.shield(self._tasks[content_id])
        await self._embedded.share(content_id, ref, owner, language)
        return content_id

    async def _read(
        self, content_id: int, ref: AttachmentRef, owner: Owner, language: Language, password: str | None
    ) -> None:
        """Read a content; follow its progress while another process reads it."""
        while (done := await self._contents.claim(content_id)) is None:
            if await self._contents.status(content_id) not in ("queued", "reading"):
                return
            await asyncio.sleep(FOLLOW_SECONDS)
            await self._notify(content_id)
        keeping = asyncio.create_task(self._keep_lease(content_id))
        try:
            await self._read_claimed(content_id, ref, owner, language, password, done)
        except ContentGone:
            return
        except AppError as exc:
            await self._fail(content_id, exc)
        except asyncio.CancelledError:
            await self._contents.release(content_id)
            raise
        except Exception:
            await self._fail(content_id, AppError())
            raise
        finally:
            keeping.cancel()

    async def _read_claimed(
        self, content_id: int, ref: AttachmentRef, owner: Owner, language: Language, password: str | None, done: int
    ) -> None:
        path = await self._attachments.stored(ref)
        if ref["media_type"] in CONTAINERS:
            _, media_type = await self._readers.detect(path, ref["name"])
            ref = AttachmentRef(**{**ref, "media_type": media_type})

        async def stored() -> None:
            self._vectorizer.add(content_id)
            await self._notify(content_id)

        source = self._recordings if ref["media_type"].startswith("audio/") else self._readers
        reading = Reading(self._settings, source, self._ocr, self._contents)
        end = await reading.run(content_id, ref, path, password, done, stored)
        left_out = await self._embedded.keep(content_id, ref, owner, language, end.embedded)
        notes = [*end.notes, f"files_skipped:{left_out}"] if left_out else end.notes
        await self._contents.finish(content_id, language=end.language, notes=notes)
        self._vectorizer.add(content_id)
        self._summaries.add(content_id)
        if ref["media_type"] in SPREADSHEETS:
            self._tables.add(content_id)
        await self._notify(content_id)

    async def _read_child(self, child: AttachmentRef, owner: Owner, language: Language) -> None:
        if child["kind"] == "image":
            await self.read_picture(child, owner, language=language)
        else:
            await self.read_document(child, owner, language=language)

    async def _fail(self, content_id: int, error: AppError) -> None:
        logger.info("a document could not be read", extra={"error": error.code})
        if "name" in error.details:  # what others called the same bytes is not this owner's to know
            error = type(error)(**{**error.details, "name": ANY_NAME})
        await self._contents.fail(content_id, {"en": error.body("en"), "zh": error.body("zh")})
        await self._notify(content_id)

    async def _keep_lease(self, content_id: int) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            await self._contents.renew(content_id)

    @asynccontextmanager
    async def _listening(
        self, content_id: int, ref: AttachmentRef, owner: Owner, on_progress: Progress | None
    ) -> AsyncIterator[None]:
        """Call `on_progress` while the content is read."""
        if on_progress is None:
            yield
            return
        listener = (ref["id"], owner, on_progress)
        listeners = self._listeners.setdefault(content_id, [])
        listeners.append(listener)
        try:
            yield
        finally:
            listeners.remove(listener)
            if not listeners:
                self._listeners.pop(content_id, None)

    async def _notify(self, content_id: int) -> None:
        for document_id, owner, on_progress in list(self._listeners.get(content_id, ())):
            try:
                on_progress(await self._documents.get(document_id, owner))
            except UnknownDocument:
                continue

    async def _keep_resuming(self) -> None:
        first = True
        while True:
            try:
                await self._documents.finish_deletions()
            except Unavailable as exc:
                logger.warning("deletions wait", extra={"error": exc.code})
            try:
                for item in await self._documents.backlog.unfinished(self._settings.summary_threshold_tokens):
                    await self._resume(item, summarise=first)
                first = False
                await self._documents.backlog.forget_privacy(self._settings.summary_threshold_tokens)
            except Unavailable as exc:
                logger.warning("unfinished documents wait", extra={"error": exc.code})
            await asyncio.sleep(LEASE_SECONDS)

    async def _resume(self, item: Unfinished, *, summarise: bool) -> None:
        # in the tasks that begin here too
        wanted_privacy.set(await self._documents.backlog.privacy(item.content_id))
        if item.status != "ready":
            reading = self._read_child(item.ref, item.owner, item.language)
            task = asyncio.create_task(_log_failure(reading), name=f"resume {item.content_id}")
            self._resumed.add(task)
            task.add_done_callback(self._resumed.discard)
            return
        self._vectorizer.add(item.content_id)
        if summarise:
            self._summaries.add(item.content_id)


def _picture_fields(seen: Attachment) -> dict[str, object]:
    names = ("ocr", "description", "facts", "agreement", "warnings", "pages_total", "pages_done")
    return {name: value for name, value in seen.items() if name in names}


async def _log_failure(reading: Awaitable[None]) -> None:
    try:
        await reading
    except AppError as exc:
        logger.info("a document was not resumed", extra={"error": exc.code})
