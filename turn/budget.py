"""How many tokens one model call may read and write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from langchain_core.messages import AnyMessage

from domain.errors import BudgetExceeded
from domain.tokens import count_message_tokens
from domain.types import Usage

if TYPE_CHECKING:
    from models.chat.interface import Chat

SPARE_TOKENS = 64
"""Kept free for the note of the last round and what providers add around messages."""
SHORTEST_ANSWER = 32
"""Fewest tokens of an answer: with less room the model is not asked."""


class Budget:
    """What is left for a call: by the model's window, and by what the caller allows for the whole turn."""

    def __init__(self, chat: Chat, allowed: int | None, used: Usage) -> None:
        """Compute what is left before a call.

        Args:
            chat: The model.
            allowed: Most tokens of the turn, read and written; None for no limit but the window.
            used: Tokens of the turn's calls so far.
        """
        self._chat, self._allowed = chat, allowed
        self._left = None if allowed is None else allowed - used["input_tokens"] - used["output_tokens"]

    def prompt(self) -> int:
        """Return the tokens for prompt and tools: an answer takes at most half of a small window or of what is left."""
        answer = min(self._chat.max_output_tokens, self._chat.context_tokens // 2)
        room = self._chat.context_tokens - answer - SPARE_TOKENS
        return room if self._left is None else min(room, self._left - min(answer, self._left // 2))

    def answer(self, prompt: Sequence[AnyMessage], tools: int) -> int | None:
        """Return the most tokens of an answer to `prompt` with `tools` tokens of tool definitions; None for no limit.

        Raises:
            BudgetExceeded: There are none to speak of.
        """
        if self._left is None or self._allowed is None:
            return None
        asked = count_message_tokens(prompt) + tools
        if self._left - asked < SHORTEST_ANSWER:
            needed = self._allowed - self._left + asked + SHORTEST_ANSWER
            raise BudgetExceeded(budget=self._allowed, needed=needed)
        return self._left - asked
