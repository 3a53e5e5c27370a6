"""The interface of OCR engines."""

from __future__ import annotations

from typing import Protocol

from domain.types import OcrText


class OcrEngine(Protocol):
    """Reads the text of pictures."""

    name: str

    async def read(self, image: bytes) -> OcrText:
        """Return the lines of an upright-or-rotated PNG or JPEG (already size-checked), in reading order.

        Raises:
            OcrUnavailable: No engine here, the queue is full, or the worker died twice.
            ReadingTimedOut: It took longer than `ocr_timeout`.
        """
