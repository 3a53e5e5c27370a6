"""Chooses the reranker of the process, if one is configured."""

from __future__ import annotations

from collections.abc import Callable

from models.rerank.interface import Reranker
from settings import Settings


def _hosted(settings: Settings) -> Reranker | None:
    if settings.rerank_base_url is None:
        return None
    from models.rerank.hosted import open_hosted

    return open_hosted(settings)


PROVIDERS: dict[str, Callable[[Settings], Reranker | None]] = {"hosted": _hosted}
"""Asked in this order; the first that is configured answers."""


def open_reranker(settings: Settings) -> Reranker | None:
    """Return the reranker that the settings name, or None: the fused order of a search is then final.

    Raises:
        ValueError: RERANK_BASE_URL is set without RERANK_MODEL.
    """
    return next((model for opener in PROVIDERS.values() if (model := opener(settings)) is not None), None)
