"""Pages of documents as people see them: their picture, and where on it quoted words stand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from domain.errors import BadInput, UnknownAttachment, UnknownDocument
from domain.owner import Owner
from domain.sealing import Stored
from domain.types import Attachment
from ingestion.texts import NO_PICTURE
from readers.media_types import PDF
from readers.picture.reader import preview
from settings import Settings
from stores.library.documents import Documents
from workers.sandbox import Sandbox

if TYPE_CHECKING:
    from readers.pdf.view import Box, Line

SECONDS: Final = 20.0
"""Working time for one page."""
VIEW_SIDE: Final = 1600
"""Pixels of the longer side of the picture of a page that people see."""
THUMBNAIL_SIDE: Final = 320


def pdf_page(path: Path, number: int, name: str, max_pixels: int, side: int) -> bytes:
    """Return the picture of a page of the PDF at `path`. Runs in a sandbox child, which alone loads PyMuPDF."""
    from readers.pdf.view import page_picture

    return page_picture(path, number, name, max_pixels, side)


def pdf_boxes(path: Path, number: int, name: str, quote: str, near: float, lines: Sequence[Line]) -> list[Box]:
    """Return where words stand on a page of the PDF at `path`. Runs in a sandbox child."""
    from readers.pdf.view import quote_boxes

    return quote_boxes(path, number, name, quote, near, lines)


def picture_preview(path: Path, number: int, name: str, max_pixels: int, side: int) -> bytes:
    """Return the picture at `path` as `preview` does; it has one page. Runs in a sandbox child."""
    return preview(path.read_bytes(), name, max_pixels, side)


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
        document, path = await self._file(document_id, owner)
        if document["media_type"] != PDF:
            raise BadInput(reason=NO_PICTURE)
        return await self._drawn(document, path, number, VIEW_SIDE)

    async def thumbnail(self, document_id: str, owner: Owner) -> bytes:
        """Return a picture, or the first page of a PDF, small: WebP, at most `THUMBNAIL_SIDE` pixels long.

        Raises:
            As `picture`.
        """
        document, path = await self._file(document_id, owner)
        if document["media_type"] != PDF and document["kind"] != "image":
            raise BadInput(reason=NO_PICTURE)
        return await self._drawn(document, path, 1, THUMBNAIL_SIDE)

    async def _drawn(self, document: Attachment, path: Stored, number: int, side: int) -> bytes:
        name, key = document["name"], f"{document['sha256']}:page:{number}:{side}"
        if (kept := await self._documents.cache.get(key)) is not None:
            return kept
        wanted = (path, number, name, self._max_pixels, side)
        draw = pdf_page if document["media_type"] == PDF else picture_preview
        picture: bytes = await self._sandbox.run(draw, *wanted, name=name, seconds=SECONDS)
        await self._documents.cache.put(key, picture)
        return picture

    async def boxes(self, document_id: str, number: int, owner: Owner, quote: str, start: int) -> list[Box]:
        """Return where `quote` stands on page `number`; `start` is its offset in the page's text.

        Raises:
            As `picture`.
        """
        document, path = await self._file(document_id, owner)
        if document["media_type"] != PDF:
            raise BadInput(reason=NO_PICTURE)
        pages = await self._documents.pages(document_id, owner, number, number)
        text, lines = (pages[0]["markdown"], pages[0].get("lines", [])) if pages else ("", [])
        near = min(1.0, start / (len(text) or 1))
        found: list[Box] = await self._sandbox.run(
            pdf_boxes, path, number, document["name"], quote, near, [(line["text"], line["box"]) for line in lines],
            name=document["name"], seconds=SECONDS,
        )  # fmt: skip
        return found

    async def _file(self, document_id: str, owner: Owner) -> tuple[Attachment, Stored]:
        document = await self._documents.get(document_id, owner)
        try:
            return document, await self._documents.attachments.stored(document)
        except UnknownAttachment:
            raise UnknownDocument(id=document_id) from None
