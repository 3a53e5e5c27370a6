"""Pages of files that come from the web, through the readers, OCR and the vision model; nothing of them is kept."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from domain.errors import AttachmentError, Unavailable, UnsupportedType
from domain.tokens import count_tokens
from domain.types import Attachment, AttachmentRef
from domain.words import Language
from ingestion.picture_text import picture_pages
from ingestion.recognition import recognised
from net.failures import NotText
from readers.figures import MARK, with_texts
from readers.interface import Outline, Page
from readers.reader import Readers
from tools.excerpts import fit

if TYPE_CHECKING:
    from ingestion.pictures import Pictures
    from models.ocr.interface import OcrEngine
    from settings import Settings
    from workers.sandbox import Sandbox

MOST_RECOGNISED: Final = 5
"""Scanned pages that are recognised in one call: each takes a second or two."""


class FilePart(NamedTuple):
    """Text of a page from character `start` on; with `cut` the page goes on behind it.

    `hidden` is how many characters stand on the page that a reader does not see.
    """

    number: int
    label: str
    start: int
    text: str
    cut: bool
    hidden: int = 0


class FilePages(NamedTuple):
    """Some pages of a file, in order; `total` counts all that it has."""

    title: str
    total: int
    parts: list[FilePart]


class Window(NamedTuple):
    """What is wanted of a file: pages from `first` on, the first from character `start` on, within `budget` tokens."""

    first: int
    start: int
    budget: int


class FileReader:
    """Reads files from the web as uploaded ones are read: in limited children, detected by content."""

    def __init__(
        self, settings: Settings, sandbox: Sandbox, ocr: OcrEngine | None = None, pictures: Pictures | None = None
    ) -> None:
        """Keep the parts, which their owners close; without `ocr` scans have no text, without `pictures` no picture."""
        self._readers = Readers(settings, sandbox)
        self._ocr, self._pictures = ocr, pictures

    async def read(self, data: bytes, name: str, window: Window, *, url: str, language: Language) -> FilePages:
        """Return the pages of a file that `window` asks for.

        Raises:
            NotText: It is neither a document nor a picture.
            AttachmentError: It is damaged, locked, too large or takes too long.
        """
        path = await asyncio.to_thread(_stored, data)
        try:
            kind, media_type = await self._readers.detect(path, name)
            if kind != "image" or self._pictures is None:
                return await self._document(path, name, media_type, window)
            digest = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
            ref = AttachmentRef(id="", name=name, kind=kind, media_type=media_type, size=len(data), sha256=digest)
            return _picture(await self._pictures.read(ref, data, language=language, question=""), window)
        except UnsupportedType as exc:
            raise NotText(url=url, media_type=media_type) from exc
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _document(self, path: Path, name: str, media_type: str, window: Window) -> FilePages:
        title, total, scans = "", 0, 0
        parts: list[FilePart] = []
        async with aclosing(self._readers.read(path, name=name, media_type=media_type)) as items:
            async for item in items:
                if isinstance(item, Outline):
                    title, total = item.title, item.pages_total
                elif isinstance(item, Page) and item.number >= window.first:
                    scans += bool(item.image or item.figures)
                    if scans > MOST_RECOGNISED:
                        break
                    if not _add(parts, item.number, item.label, await self._text(item), window, item.hidden):
                        break
        return FilePages(title, total, parts)

    async def _text(self, page: Page) -> str:
        """Return the text of a page, with what OCR reads in it."""
        if page.image is not None:
            return await self._recognised(page.image) or page.markdown
        if MARK not in page.markdown:
            return page.markdown
        return with_texts(page.markdown, [await self._recognised(image) for image in page.figures])

    async def _recognised(self, image: bytes) -> str:
        if self._ocr is None:
            return ""
        try:
            return (await recognised(self._ocr, image))["text"]
        except (Unavailable, AttachmentError):
            return ""


def _stored(data: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix="fetched-")
    with open(handle, "wb") as file:
        file.write(data)
    return Path(name)


def _picture(seen: Attachment, window: Window) -> FilePages:
    pages, parts = picture_pages(seen), list[FilePart]()
    for page in pages:
        if page.number >= window.first and not _add(parts, page.number, page.label, page.text, window):
            break
    return FilePages("", len(pages), parts)


def _add(parts: list[FilePart], number: int, label: str, text: str, window: Window, hidden: str = "") -> bool:
    """Add a page as far as there is room; return whether there may be more."""
    at = 0 if parts else window.start
    shown = fit(text[at:], window.budget - sum(count_tokens(part.text) for part in parts))
    cut = at + len(shown) < len(text)
    if parts and cut:
        return False
    parts.append(FilePart(number, label, at, shown, cut, len("".join(hidden.split()))))
    return not cut
