"""The interface of vision models."""

from __future__ import annotations

from typing import Protocol

from domain.types import Description
from domain.words import Language, Words


class VisionModel(Protocol):
    """Describes a picture in words.

    Attributes:
        name: Model name.
        detail: One plain sentence: what it is, why it was chosen, how to change it.
    """

    name: str
    detail: Words

    async def describe(self, image: bytes, media_type: str, *, language: Language, question: str = "") -> Description:
        """Describe an upright PNG or JPEG in `language`, with regard to `question` when there is one.

        Raises:
            ModelUnavailable: The endpoint failed after its retries.
            ModelTimedOut: It was silent for too long.
        """
