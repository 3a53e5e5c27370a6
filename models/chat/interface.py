"""The door to chat models."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel

from domain.words import Words


@dataclass(frozen=True)
class Chat:
    """The chat model of the process and what a prompt writer must know of it.

    Attributes:
        model: Any LangChain chat model: streams, binds tools, reports usage.
        name: Shown to users as `usage.model`.
        kind: `hosted`, `reader` (bundled extractive reader) or `gguf` (in-process language model).
        context_tokens: Window of the model.
        max_output_tokens: Most tokens of one answer.
        detail: One plain sentence: what it is, why it was chosen, how to change it.
        warm: Loads what the first answer would wait for; None where there is nothing to load.
    """

    model: BaseChatModel
    name: str
    kind: str
    context_tokens: int
    max_output_tokens: int
    detail: Words
    warm: Callable[[], Coroutine[object, object, None]] | None = None
