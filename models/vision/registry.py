"""Chooses the vision model of the process, if one is configured."""

from __future__ import annotations

from collections.abc import Callable

from domain.limits import CountAnswer
from models.vision.interface import VisionModel
from settings import Settings


def _hosted(settings: Settings, count: CountAnswer) -> VisionModel | None:
    from models.vision.hosted import open_hosted

    return open_hosted(settings, count)


PROVIDERS: dict[str, Callable[[Settings, CountAnswer], VisionModel | None]] = {"hosted": _hosted}
"""Asked in this order; the first that is configured answers."""


def open_vision(settings: Settings, count: CountAnswer) -> VisionModel | None:
    """Return the vision model that the settings name, or None: pictures are then described by OCR and facts.

    Args:
        settings: They name it.
        count: Counts its answers.

    Raises:
        ValueError: VISION_BASE_URL is set without VISION_MODEL.
    """
    return next((model for opener in PROVIDERS.values() if (model := opener(settings, count)) is not None), None)
