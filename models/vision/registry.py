"""Chooses the vision model of the process, if one is configured."""

from __future__ import annotations

from collections.abc import Callable

from langchain_core.messages import AIMessage

from models.vision.interface import VisionModel
from settings import Settings

Count = Callable[[AIMessage, str], None]


def _hosted(settings: Settings, count: Count) -> VisionModel | None:
    from models.vision.hosted import open_hosted

    return open_hosted(settings, count)


PROVIDERS: dict[str, Callable[[Settings, Count], VisionModel | None]] = {"hosted": _hosted}
"""Asked in this order; the first that is configured answers."""


def open_vision(settings: Settings, count: Count) -> VisionModel | None:
    """Return the vision model that the settings name, or None: pictures are then described by OCR and facts.

    Args:
        settings: They name it.
        count: Gets each answer with the model's name.

    Raises:
        ValueError: VISION_BASE_URL is set without VISION_MODEL.
    """
    return next((model for opener in PROVIDERS.values() if (model := opener(settings, count)) is not None), None)
