"""The entry to all readers: detects a file's type, reads it in the sandbox, yields its pages."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import FileEmpty, FileEncrypted, FileTooLarge, UnsupportedType
from domain.sealing import Stored, absolute
from domain.words import Words
from readers.clean import clean, cleaned
from readers.detect import HEAD_BYTES, detect
from readers.formats import BY_TYPE, Format
from readers.hidden import joined
from readers.interface import Embedded, Item, Options, Outline, Page
from readers.media_types import ENCRYPTED
from readers.texts import CHARACTERS, filled
from settings import Settings
from workers.sandbox import Sandbox

if TYPE_CHECKING:  # LangGraph, which graph.state imports, has no business in a reading process
    from domain.types import Kind

WHOLE_FACTOR = 4
"""Formats that are read as a whole before their first page may compute for this many times as long as a page."""


class Readers:
    """Reads documents in limited child processes.

    Example:
        >>> async def show(readers: Readers, path: Path) -> None:
        ...     kind, media_type = await readers.detect(path, path.name)
        ...     async with aclosing(readers.read(path, name=path.name, media_type=media_type)) as items:
        ...         async for item in items:
        ...             print(item)
    """

    def __init__(self, settings: Settings, sandbox: Sandbox) -> None:
        """Keep the limits of `settings`; `sandbox` is opened and closed by its owner."""
        self._sandbox = sandbox
        self._page_seconds = settings.reader_page_seconds
        self._options = Options(
            name="",
            media_type="",
            max_pages=settings.max_pages,
            max_pixels=settings.max_pixels,
            max_text_chars=settings.max_text_chars,
        )

    async def detect(self, path: Stored, name: str) -> tuple[Kind, str]:
        """Return kind and media type of the file at `path`, called `name` by its sender.

        Raises:
            FileEmpty: it has no bytes.
            FileCorrupt, FileTooLarge, ReadingTimedOut: its container cannot be looked into.
        """
        path = await asyncio.to_thread(absolute, path)
        kind, media_type = await self._sandbox.run(detect_file, path, name, name=name)
        return kind, media_type

    async def read(
        self, path: Stored, *, name: str, media_type: str, password: str | None = None
    ) -> AsyncGenerator[Item, None]:
        """Yield one `Outline`, then the `Page`s in order, then `Embedded` files; one at a time, so memory stays flat.

        Close the iterator (`contextlib.aclosing`) when leaving early: that kills the reading process.

        Args:
            path: the file.
            name: what its sender called it, for error texts.
            media_type: as `detect` gave it.
            password: for encrypted PDFs.

        Raises:
            FileEmpty, FileCorrupt, FileEncrypted, FileTooLarge, ReadingTimedOut: as they say.
            UnsupportedType: no reader for `media_type`.
        """
        options = replace(self._options, name=name, media_type=media_type, password=password)
        limit = self._page_seconds * (1 if _format_of(options).by_page else WHOLE_FACTOR)
        path = await asyncio.to_thread(absolute, path)
        stream = self._sandbox.stream(read_document, path, options, name=name, item_seconds=limit)
        async with aclosing(stream) as items:
            async for item in items:
                yield item


def detect_file(path: Path, name: str) -> tuple[Kind, str]:
    """Detect the type of the file at `path`. Runs in a sandbox child, since it looks into containers."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise FileEmpty(name=name)
    return detect(head, name, path=path)


def read_document(path: Path, options: Options) -> Iterator[Item]:
    """Read one document. Runs in a sandbox child; all text leaves it cleaned and within `max_text_chars`."""
    if path.stat().st_size == 0:
        raise FileEmpty(name=options.name)
    module = importlib.import_module(_format_of(options).module)
    total, found = 0, False
    for item in module.read(path, options):
        if isinstance(item, Page):
            page = _cleaned(item)
            total += len(page.markdown) + len(page.hidden)
            if total > options.max_text_chars:
                raise FileTooLarge(name=options.name, limit=filled(CHARACTERS, options.max_text_chars))
            found = found or bool(page.markdown or page.image or page.hidden)
            yield page
        elif isinstance(item, Outline):
            yield replace(item, title=clean(item.title))
        elif isinstance(item, Embedded):
            found = True
            yield replace(item, name=clean(item.name))
    if not found:
        raise FileEmpty(name=options.name)


def _cleaned(page: Page) -> Page:
    """Return a page of which `markdown` holds what a reader sees, and `hidden` what invisible characters spell, too."""
    text, unseen = cleaned(page.markdown), cleaned(page.hidden)
    hidden = "\n".join(filter(None, (unseen.text, joined([text.spelt, unseen.spelt]))))
    return replace(page, label=clean(page.label), markdown=text.text, hidden=hidden, removed=text.removed)


def _format_of(options: Options) -> Format:
    if options.media_type == ENCRYPTED:
        raise FileEncrypted(name=options.name)
    if options.media_type not in BY_TYPE:
        raise UnsupportedType(name=options.name, reason=Words(options.media_type, options.media_type))
    return BY_TYPE[options.media_type]
