"""A small library for tests: an instant embedder, a scripted reader, and stores that open and close together."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest_asyncio

from domain.errors import AppError, OcrBusy, OcrUnavailable
from domain.owner import Owner
from domain.sealing import Stored, contents_of
from domain.text import terms
from domain.types import Attachment, AttachmentRef, Kind, OcrLine, OcrText
from domain.words import Language, Words
from ingestion.pipeline import Ingestion
from models.embeddings.interface import Vectors
from readers.interface import Item, Outline, Page
from settings import Settings
from stores.library.documents import Documents
from stores.sql.database import Database
from workers.sandbox import Sandbox

ANN = Owner("ann", "t1")
ANN_LATER = Owner("ann", "t2")
ANN_LIBRARY = Owner("ann", None)
BOB = Owner("bob", "t1")


Step = Item | Exception | asyncio.Event
"""What a scripted reader does next: it yields the item, raises the error or waits for the event."""


class BagEmbedder:
    """Vectors of hashed terms: texts that share words are near. `gate` can hold it back, `calls` counts texts."""

    dimensions = 128
    detail = Words("Hashed terms.", "词的哈希。")

    def __init__(self, name: str = "bag") -> None:
        self.name = name
        self.calls = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def passages(self, texts: Sequence[str]) -> Vectors:
        await self.gate.wait()
        self.calls += len(texts)
        return np.stack([self._bag(text) for text in texts])

    async def query(self, text: str) -> Vectors:
        return self._bag(text)

    def _bag(self, text: str) -> Vectors:
        bag = np.zeros(self.dimensions, np.float32)
        for term in terms(text):
            bag[int.from_bytes(hashlib.sha256(term.encode()).digest()[:4], "big") % self.dimensions] += 1
        return np.asarray(bag / (np.linalg.norm(bag) or 1.0), np.float32)


class ScriptedReader:
    """Reads files as text: form feeds part pages. A script for a file name replaces that."""

    def __init__(self) -> None:
        self.scripts: dict[str, list[Step]] = {}
        self.reads: list[str] = []

    async def detect(self, path: Stored, name: str) -> tuple[Kind, str]:
        return "document", "text/plain"

    async def read(
        self, path: Stored, *, name: str, media_type: str, password: str | None = None
    ) -> AsyncIterator[Item]:
        self.reads.append(name)
        texts = contents_of(path).decode().split("\f")
        plain: list[Step] = [
            Outline("text/plain", "page", len(texts)),
            *(Page(n, "", text) for n, text in enumerate(texts, 1)),
        ]
        for step in self.scripts.get(name, plain):
            if isinstance(step, Exception):
                raise step
            if isinstance(step, asyncio.Event):
                await step.wait()
            else:
                yield step


class ScriptedOcr:
    """Recognises bytes as the text that they are; `down` makes it fail, `busy` so many times, `partial` in part."""

    name = "scripted"
    down = False
    busy = 0
    partial = False

    async def read(self, image: bytes) -> OcrText:
        if self.down:
            raise OcrUnavailable(reason=Words("down", "离线"))
        if self.busy:
            self.busy -= 1
            raise OcrBusy
        text = image.decode()
        lines = [OcrLine(text=line, confidence=0.9, box=[]) for line in text.splitlines()]
        return OcrText(text=text, lines=lines, rotation=0, engine=self.name, partial=self.partial)


class ScriptedPictures:
    """Sees in every picture what its bytes say; with `describes` it repeats the question that it is asked too."""

    error: AppError | None = None
    describes = False

    async def read(self, ref: AttachmentRef, data: bytes, *, language: Language, question: str) -> Attachment:
        if self.error:
            raise self.error
        text = OcrText(text=data[8:].decode(), lines=[], rotation=0, engine="scripted")
        seen = {**ref, "status": "ready", "ocr": text, "description": None, "facts": "a test picture", "warnings": []}
        if self.describes:
            seen |= {"description": {"text": f"To {question!r}: a sign.", "model": "scripted"}}
            seen["warnings"] = [f"{ref['name']} is blurred."]
        return cast("Attachment", seen)


class FirstWords:
    """Summarises by the first words; counts its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Language, int]] = []

    async def __call__(self, text: str, language: Language, max_tokens: int) -> str:
        self.calls.append((text, language, max_tokens))
        return text[:60]


@dataclass
class Library:
    """Everything that a document goes through."""

    settings: Settings
    database: Database
    documents: Documents
    ingestion: Ingestion
    embedder: BagEmbedder
    reader: ScriptedReader
    ocr: ScriptedOcr
    pictures: ScriptedPictures
    summarizer: FirstWords

    async def add(self, text: str | bytes, owner: Owner = ANN, name: str = "a.txt", **options: object) -> Attachment:
        data = text.encode() if isinstance(text, str) else text
        ref = await self.documents.attachments.put(data, name=name, owner=owner)
        options = {"language": "en", "wait": "indexed", **options}
        return await self.ingestion.read_document(ref, owner, **options)  # type: ignore[arg-type]


@asynccontextmanager
async def open_library(settings: Settings, embedder: BagEmbedder | None = None) -> AsyncIterator[Library]:
    embedder = embedder or BagEmbedder()
    database = await Database.open(settings)
    documents = await Documents.open(settings, database, embedder)
    reader, ocr, pictures, summarizer = ScriptedReader(), ScriptedOcr(), ScriptedPictures(), FirstWords()
    sandbox = Sandbox(settings)
    ingestion = Ingestion(
        settings, readers=reader, ocr=ocr, pictures=pictures, attachments=documents.attachments, documents=documents,
        embedder=embedder, summarizer=summarizer, listener=None, sandbox=sandbox,
    )  # fmt: skip
    await ingestion.start()
    library = Library(settings, database, documents, ingestion, embedder, reader, ocr, pictures, summarizer)
    try:
        yield library
    finally:
        await ingestion.aclose()
        await sandbox.aclose()
        await documents.aclose()
        await database.aclose()


@pytest_asyncio.fixture
async def library(settings: Settings) -> AsyncIterator[Library]:
    """A library of its own for each test."""
    async with open_library(settings) as opened:
        yield opened
