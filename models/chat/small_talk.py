"""English small talk by SmolLM2-135M-Instruct: short, streamed sentence by sentence, never about facts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from domain.errors import ModelUnavailable
from domain.text import sentence_end
from models.chat.llama import ChatMessage, LlamaEngine, smollm2_path

MODEL: Final = "SmolLM2-135M-Instruct"
CONTEXT_TOKENS: Final = 2048
MOST_SENTENCES, MOST_TOKENS, PERSONA_CHARS = 3, 60, 400
MOST_SECONDS: Final = 6.0
"""Of a whole reply: on a busy machine a fixed one is better than one that comes late."""
PROMPT: Final = "You are a friendly assistant. Reply in one or two short sentences."
EXAMPLES: Final[tuple[ChatMessage, ...]] = (
    {"role": "user", "content": "Hi there!"},
    {"role": "assistant", "content": "Hello! Nice to hear from you. How can I help?"},
    {"role": "user", "content": "How are you doing?"},
    {"role": "assistant", "content": "I am doing well, thank you for asking! How about you?"},
    {"role": "user", "content": "Tell me a joke"},
    {"role": "assistant", "content": "Why did the scarecrow win a prize? Because he was outstanding in his field!"},
)
"""A model this small keeps to the tone of what stands before."""


class SmallTalk:
    """The small model, where its package is installed."""

    def __init__(self, threads: int) -> None:
        """Load nothing yet; `threads` are those of one reply."""
        path = smollm2_path()
        self._engine = LlamaEngine(path, threads=threads, context_tokens=CONTEXT_TOKENS) if path else None

    async def warm(self) -> None:
        """Load the model."""
        if self._engine is not None:
            await self._engine.warm()

    async def aclose(self) -> None:
        """End its process."""
        if self._engine is not None:
            await self._engine.close()

    async def reply(self, message: str, persona: str) -> AsyncGenerator[str, None]:
        """Yield whole sentences of the reply; it stops where the model repeats itself, fails, is too slow or not there.

        Closing the iterator stops the model.
        """
        if self._engine is None:
            return
        system = f"{persona[:PERSONA_CHARS]}\n{PROMPT}".strip()
        asked = [{"role": "system", "content": system}, *EXAMPLES, {"role": "user", "content": message}]
        text, start, given = "", 0, set[str]()
        until = asyncio.get_running_loop().time() + MOST_SECONDS
        try:
            async with aclosing(
                self._engine.stream(asked, max_tokens=MOST_TOKENS, extra={"stop": ["\n"]})
            ) as generated:
                while True:
                    async with asyncio.timeout_at(until):
                        piece = await anext(generated)
                    text += piece.text
                    last = not piece.text  # the last piece brings the token counts
                    while (end := sentence_end(text, start, final=last)) is not None:
                        sentence, start = text[start:end], end
                        if sentence.strip() in given or len(given) == MOST_SENTENCES:
                            return
                        if sentence.rstrip("\"') ").endswith((".", "!", "?")):
                            given.add(sentence.strip())
                            yield sentence
        except (ModelUnavailable, TimeoutError, StopAsyncIteration):
            return
