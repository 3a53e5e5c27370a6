"""Pages of documents as people see them: their picture, and where on it quoted words stand."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from domain.errors import BadInput, UnknownDocument
from domain.owner import Owner
from domain.types import Attachment
from ingestion.texts import NO_PICTURE
from readers.media_types import PDF
from readers.pdf.view import Box, page_picture, quote_boxes
from settings import Settings
from stores.library.documents import Documents
from workers.sandbox import Sandbox

SECONDS: Final = 20.0
"""Working time for one page."""


class PageViews:
    """Draws pages of PDFs in limited processes; pictures are kept with the file."""

    def __init__(self, settings: Settings, sandbox: Sandbox, documents: Documents) -> None:
        self._sandbox, self._documents = sandbox, documents
        self._max_pixels = settings.max_pixels

    async def picture(self, document_id: str, number: int, owner: Owner) -> bytes:
        """Return page `number`, from 1, as WebP.

        Raises:
            UnknownDocument: There is no such document, or it is another user's.
            BadInput: It has no such page, or is no PDF.
            FileEncrypted, FileTooLarge, FileCorrupt, ReadingTimedOut: It cannot be drawn.
        """
        document, path = await self._pdf(document_id, owner)
        key = f"{document['sha256']}:page:{number}"
        if (kept := await self._documents.cache.get(key)) is not None:
            return kept
        picture: bytes = await self._sandbox.run(
            page_picture, path, number, document["name"], self._max_pixels, name=document["name"], seconds=SECONDS
        )
        await self._documents.cache.put(key, picture)
        return picture

    async def boxes(self, document_id: str, number: int, owner: Owner, quote: str, start: int) -> list[Box]:
        """Return where `quote` stands on page `number`; `start` is its offset in the page's text.

        Raises:
            As `picture`.
        """
        document, path = await self._pdf(document_id, owner)
        pages = await self._documents.pages(document_id, owner, number, number)
        text, lines = (pages[0]["markdown"], pages[0].get("lines", [])) if pages else ("", [])
        near = min(1.0, start / (len(text) or 1))
        found: list[Box] = await self._sandbox.run(
            quote_boxes, path, number, document["name"], quote, near, [(line["text"], line["box"]) for line in lines],
            name=document["name"], seconds=SECONDS,
        )  # fmt: skip
        return found

    async def _pdf(self, document_id: str, owner: Owner) -> tuple[Attachment, Path]:
        document = await self._documents.get(document_id, owner)
        if document["media_type"] != PDF:
            raise BadInput(reason=NO_PICTURE)
        path = await asyncio.to_thread(self._documents.attachments.path(document["sha256"]).resolve)
        if not await asyncio.to_thread(path.is_file):
            raise UnknownDocument(id=document_id)
        return document, path
