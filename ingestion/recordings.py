"""Recordings among the documents: what is said in one becomes its only section."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from domain.errors import AttachmentError, SpeechUnavailable
from domain.types import Kind
from domain.words import Words
from ingestion.reading import PageSource
from models.speech.interface import Listener
from readers.clean import clean
from readers.interface import Item, Outline, Page

NO_LISTENER = Words("no engine for dictation is set up", "未配置语音识别引擎")


class ReadersAndListener:
    """A `PageSource` that has recordings written down, and leaves every other file to the readers."""

    def __init__(self, readers: PageSource, listener: Listener | None) -> None:
        """Keep the two; they are opened and closed by their owner."""
        self._readers, self._listener = readers, listener

    async def detect(self, path: Path, name: str) -> tuple[Kind, str]:
        """Return kind and media type of the file at `path`; raises what `Readers.detect` raises."""
        return await self._readers.detect(path, name)

    async def read(
        self, path: Path, *, name: str, media_type: str, password: str | None = None
    ) -> AsyncGenerator[Item, None]:
        """Yield what `Readers.read` yields; of a recording its transcript, as one section.

        Raises:
            SpeechUnavailable: No engine for dictation, or the service failed.
            AttachmentError: The file cannot be read, or the recording is too long.
        """
        if media_type.startswith("audio/"):
            text = await self._written_down(path, name)
            yield Outline(media_type, "section", 1)
            yield Page(1, "", clean(text))
            return
        items = self._readers.read(path, name=name, media_type=media_type, password=password)
        async with aclosing(items) as stream:  # type: ignore[type-var]  # readers are async generators
            async for item in stream:
                yield item

    async def _written_down(self, path: Path, name: str) -> str:
        if self._listener is None:
            raise SpeechUnavailable(reason=NO_LISTENER)
        try:
            text, _ = await self._listener.transcribe(await asyncio.to_thread(path.read_bytes))
        except AttachmentError as exc:
            raise type(exc)(**{**exc.details, "name": name}) from exc
        return text
