"""Reads one picture: its text by OCR and its content by the vision model, side by side, and compares the two."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Protocol

from typing_extensions import TypedDict

from domain.errors import AppError, AttachmentError, OcrUnavailable, PersonalDataRefused, ReadingTimedOut
from domain.language import language_of
from domain.types import Attachment, AttachmentRef, Description, OcrText
from domain.unread import frames_left_out, warnings
from domain.words import Language, Words
from ingestion import texts
from ingestion.agreement import agreement, disagree
from ingestion.picture_facts import PictureFacts, facts_sentence
from ingestion.picture_text import joined_text
from ingestion.recognition import PARTIAL, recognised
from models.ocr.interface import OcrEngine
from models.vision.interface import VisionModel
from privacy.outbound import Privacy
from readers.interface import Picture
from readers.picture.cover import cover
from readers.picture.reader import load_picture
from settings import Settings
from workers.sandbox import Sandbox

MOST_PAGES = 20
"""Pages of a multi-page TIFF that are read; longer scans should come as PDF, which is read in the background."""

logger = logging.getLogger(__name__)
IN_PICTURE = Words("in the picture", "图片中")


class PictureCache(Protocol):
    """Keeps results by key; keys start with the SHA-256 of the file, so that they can go when it goes."""

    async def get(self, key: str) -> bytes | None:
        """Return what was put under `key`, or None."""

    async def put(self, key: str, value: bytes) -> None:
        """Keep `value`."""


class _Seen(TypedDict):
    """What OCR and simple measurement found; `pages` holds the text of each page read."""

    facts: PictureFacts
    pages: list[OcrText]


class _Failed(Exception):
    """OCR gave up in the middle; `seen` is what there is."""

    def __init__(self, seen: _Seen, error: AppError) -> None:
        self.seen = seen
        self.error = error
        super().__init__(str(error))


class Pictures:
    """Reads pictures through the sandbox, OCR and, if there is one, the vision model.

    What depends on the bytes alone is made once for everyone; what answers a question is made for whoever asks.
    """

    def __init__(
        self,
        settings: Settings,
        sandbox: Sandbox,
        ocr: OcrEngine,
        vision: VisionModel | None,
        cache: PictureCache,
    ) -> None:
        """Keep the parts."""
        self._max_pixels = settings.max_pixels
        self._privacy = Privacy(settings)
        self._sandbox = sandbox
        self._ocr = ocr
        self._vision = vision
        self._cache = cache
        self._running: dict[str, asyncio.Task[Any]] = {}

    @property
    def describes(self) -> bool:
        """Whether a vision model describes pictures, and so answers questions about them."""
        return self._vision is not None

    async def read(self, ref: AttachmentRef, data: bytes, *, language: Language, question: str) -> Attachment:
        """Return the picture with its text, facts and description.

        OCR or a vision model that fails leaves a warning and the other's result.

        Raises:
            AttachmentError: The file itself cannot be used (empty, damaged, too large, not a picture).
        """
        (seen, ocr_error), described = await asyncio.gather(
            self._see(ref, data), self._describe(ref, data, language, question)
        )
        attachment = Attachment(
            **ref,  # type: ignore[typeddict-item]  # mypy wants the optional keys in it too
            status="ready",
            pages_total=seen["facts"]["pages"],
            pages_done=len(seen["pages"]),
            ocr=joined_text(seen["pages"], language, several=seen["facts"]["pages"] > 1),
            description=None,
            facts=facts_sentence(seen["facts"], language),
            warnings=frames_left_out(ref["name"], seen["facts"]["pages"], len(seen["pages"]), language),
        )
        if any(page.get("partial") for page in seen["pages"]):
            attachment["warnings"] += warnings([PARTIAL], [], language)
        if isinstance(described, AppError):
            attachment["warnings"].append(described.body(language)["message"])
        else:
            attachment["description"] = described
        if ocr_error is not None:
            attachment["warnings"].append(ocr_error.body(language)["message"])
        _compare(attachment, language)
        return attachment

    async def _see(self, ref: AttachmentRef, data: bytes) -> tuple[_Seen, AppError | None]:
        key = f"{ref['sha256']}/picture/text/{self._ocr.name}"
        try:
            return await self._once(key, lambda: self._read_pages(ref, data)), None
        except _Failed as failed:
            return failed.seen, _named(failed.error, ref["name"])

    async def _read_pages(self, ref: AttachmentRef, data: bytes) -> _Seen:
        async with aclosing(self._pages(ref, data, MOST_PAGES)) as pages:
            first = await anext(pages)
            seen = _Seen(facts=_facts(first), pages=[])
            try:
                seen["pages"].append(await recognised(self._ocr, first.data))
                async for page in pages:
                    seen["pages"].append(await recognised(self._ocr, page.data))
            except (OcrUnavailable, ReadingTimedOut, AttachmentError) as exc:
                raise _Failed(seen, exc) from exc
        return seen

    async def _pages(self, ref: AttachmentRef, data: bytes, most: int) -> AsyncGenerator[Picture, None]:
        name = ref["name"]
        stream: Any = self._sandbox.stream(load_picture, data, name, self._max_pixels, most, name=name)
        async with aclosing(stream) as pages:
            async for page in pages:
                yield page

    async def _describe(
        self, ref: AttachmentRef, data: bytes, language: Language, question: str
    ) -> Description | AppError | None:
        vision = self._vision
        if vision is None:
            return None

        async def ask() -> Description:
            async with aclosing(self._pages(ref, data, 1)) as pages:
                first = await anext(pages)
            shown, kind = first.reduced, first.reduced_media_type
            if self._privacy.mode != "off":
                shown, kind = await self._without_personal_data(ref, data, first), "image/png"
            return await vision.describe(shown, kind, language=language, question=question)

        try:
            if question.strip():  # the answer belongs to whoever asks: it is neither kept nor given to anyone else
                return await ask()
            description: Description = await self._once(
                f"{ref['sha256']}/picture/description/{vision.name}/{language}/{self._privacy.mode}", ask
            )
        except AppError as exc:
            return exc
        return description

    async def _without_personal_data(self, ref: AttachmentRef, data: bytes, first: Picture) -> bytes:
        """Return the copy for vision models with every line covered in which OCR reads personal data.

        Raises:
            PersonalDataRefused: There is some and the mode is `block`, or it stands across the picture.
            AppError: OCR failed: nobody knows what the picture says.
        """
        seen, failed = await self._see(ref, data)
        if failed is not None:
            raise failed
        page = seen["pages"][0]
        texts = [line["text"] for line in page["lines"]]
        personal = await self._privacy.holds_any([*texts, "\n".join(texts)])
        boxes = [line["box"] for line, found in zip(page["lines"], personal[:-1], strict=True) if found]
        if any(personal) and (self._privacy.mode == "block" or page["rotation"] or not boxes):
            raise PersonalDataRefused(kinds=IN_PICTURE)
        return await asyncio.to_thread(cover, first.reduced, boxes, first.width)

    async def _once(self, key: str, make: Callable[[], Awaitable[Any]]) -> Any:
        """Return the kept result of `key`; else make it, once for all who ask meanwhile, and keep it."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._make(key, make))
            task.add_done_callback(lambda done: self._finished(key, done))
        return await asyncio.shield(task)

    async def _make(self, key: str, make: Callable[[], Awaitable[Any]]) -> Any:
        kept = await self._cache.get(key)
        if kept is not None:
            return json.loads(kept)
        result = await make()
        await self._cache.put(key, json.dumps(result, ensure_ascii=False).encode())
        return result

    def _finished(self, key: str, task: asyncio.Task[Any]) -> None:
        del self._running[key]
        if not task.cancelled() and task.exception() is not None:
            logger.info("a picture was not read fully: %s", type(task.exception()).__name__)


def _facts(first: Picture) -> PictureFacts:
    return PictureFacts(
        format=first.original_format,
        width=first.original_width,
        height=first.original_height,
        pages=first.frames,
        colours=list(first.colours),
    )


def _named(error: AppError, name: str) -> AppError:
    """Give an error of the OCR engine, which knows no file names, the name of this file."""
    return type(error)(**{**error.details, "name": name}) if "name" in error.details else error


def _compare(attachment: Attachment, language: Language) -> None:
    """Add how far the two readings of the text agree, and a warning when they do not."""
    ocr, description = attachment.get("ocr"), attachment.get("description")
    if ocr and ocr["text"]:
        attachment["language"] = language_of(ocr["text"], language)
    if not ocr or not description:
        return
    share = agreement(ocr["text"], description["text"])
    if share is not None:
        attachment["agreement"] = share
    if disagree(ocr["text"], description["text"]):
        attachment["warnings"].append(texts.DISAGREE.text(language).format(name=attachment["name"]))
