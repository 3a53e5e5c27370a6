"""Text recognition for what is read in the background: it waits where others would be turned away."""

from __future__ import annotations

import asyncio

from domain.errors import OcrBusy
from domain.types import OcrText
from models.ocr.interface import OcrEngine

PARTIAL = "recognised_in_part"
"""The note that time ended before all of a picture was read."""
_PAUSE = 1.0


async def recognised(ocr: OcrEngine, image: bytes) -> OcrText:
    """Return the text of a picture; a full queue is waited for, so that no page is lost to a busy machine.

    Raises:
        OcrUnavailable, ReadingTimedOut: As `OcrEngine.read`, but for `OcrBusy`.
    """
    while True:
        try:
            return await ocr.read(image)
        except OcrBusy:
            await asyncio.sleep(_PAUSE)
