"""Recordings among the documents: what is said in one becomes its only section."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from domain.errors import AttachmentError, SpeechUnavailable
from domain.sealing import Stored, contents_of
from ingestion.texts import NO_LISTENER
from models.speech.interface import Listener
from readers.clean import clean
from readers.interface import Item, Outline, Page


class Recordings:
    """Reads recordings as `readers.reader.Readers` reads other files; `listener` is None where no engine is set up."""

    def __init__(self, listener: Listener | None) -> None:
        """Keep the listener; it is opened and closed by its owner."""
        self._listener = listener

    async def read(
        self, path: Stored, *, name: str, media_type: str, password: str | None = None
    ) -> AsyncGenerator[Item, None]:
        """Yield the outline, and the transcript as one section.

        Raises:
            SpeechUnavailable: No engine for dictation, or the service failed.
            AttachmentError: The file cannot be read, or the recording is too long.
        """
        if self._listener is None:
            raise SpeechUnavailable(reason=NO_LISTENER)
        try:
            text, _ = await self._listener.transcribe(await asyncio.to_thread(contents_of, path))
        except AttachmentError as exc:
            raise type(exc)(**{**exc.details, "name": name}) from exc
        yield Outline(media_type, "section", 1)
        yield Page(1, "", clean(text))
