"""Chooses the chat model of the process: a hosted one, a GGUF file, or the bundled extractive model."""

from __future__ import annotations

from collections.abc import Callable

from models.chat.interface import Chat
from models.embeddings.interface import Embedder
from settings import Settings

Opener = Callable[[Settings, Embedder], Chat | None]


def _hosted(settings: Settings, _: Embedder) -> Chat | None:
    from models.chat.hosted import hosted_chat

    return hosted_chat(settings)


def _gguf(settings: Settings, _: Embedder) -> Chat | None:
    if settings.embedded_gguf is None:
        return None
    from models.chat.gguf import gguf_chat

    return gguf_chat(settings)


def _extractive(settings: Settings, embedder: Embedder) -> Chat:
    from models.chat.extractive.model import extractive_chat

    return extractive_chat(settings, embedder)


PROVIDERS: dict[str, Opener] = {"hosted": _hosted, "gguf": _gguf, "extractive": _extractive}
"""Asked in this order; the first that is configured answers. The last one always is."""


def open_chat(settings: Settings, embedder: Embedder) -> Chat:
    """Return the chat model that the settings name.

    Raises:
        ValueError: LLM_BASE_URL is set without LLM_MODEL.
    """
    return next(chat for opener in PROVIDERS.values() if (chat := opener(settings, embedder)) is not None)
