"""English small talk by SmolLM2-135M-Instruct: short, streamed sentence by sentence, never about facts."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from domain.errors import ModelUnavailable
from models.chat.extractive.turn import Turn
from models.chat.llama import ChatMessage, LlamaEngine

SMALL_MODEL = "SmolLM2-135M-Instruct"
MAX_TOKENS = 60
MAX_SENTENCES = 3
PROMPT = "You are a friendly assistant. Reply in one or two short sentences."
PERSONA_CHARS = 400
QUESTION_CHARS = 1000
EXAMPLES: tuple[ChatMessage, ...] = (
    {"role": "user", "content": "Hi there!"},
    {"role": "assistant", "content": "Hello! Nice to hear from you. How can I help?"},
    {"role": "user", "content": "How are you doing?"},
    {"role": "assistant", "content": "I am doing well, thank you for asking! How about you?"},
    {"role": "user", "content": "Tell me a joke"},
    {
        "role": "assistant",
        "content": "Why did the scarecrow win a prize? Because he was outstanding in his field!",
    },
)
"""A model this small keeps to the tone of what stands before."""

_PERSON = re.compile(
    r"\b(?:i'm|i am|as) (?:just )?(?:an? )?(?:\w+ )?(?:guy|girl|man|woman|boy|person|human|student|teacher|\d+)\b"
    r"|\bmy (?:wife|husband|kids?|son|daughter|parents|mother|father|family|job|boss|friends?|school|childhood)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r".+?[.!?]+[\"')\]]*(?=\s|$)", re.DOTALL)


async def talk(engine: LlamaEngine, turn: Turn) -> AsyncGenerator[str, None]:
    """Yield the reply's sentences as they are complete; nothing where there is no model or no whole sentence.

    Closing the iterator stops the model.
    """
    messages = [
        {"role": "system", "content": f"{turn.persona[:PERSONA_CHARS]}\n{PROMPT}".strip()},
        *EXAMPLES,
        {"role": "user", "content": turn.question[:QUESTION_CHARS]},
    ]
    waiting, given = "", 0
    stream = engine.stream(messages, max_tokens=MAX_TOKENS, extra={"stop": ["\n"]})
    try:
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                waiting += piece.text
                # The last sentence waits for what follows it: "3.5" and "U.S." do not end one.
                while (found := _SENTENCE.match(waiting)) and found.end() < len(waiting) and given < MAX_SENTENCES:
                    if foolish(found.group()):
                        return
                    yield found.group()
                    waiting = waiting[found.end() :]
                    given += 1
                if given == MAX_SENTENCES:
                    return
    except ModelUnavailable:
        return
    if (found := _SENTENCE.fullmatch(waiting.rstrip())) and not foolish(found.group()):
        yield found.group()


def foolish(sentence: str) -> bool:
    """Tell whether a sentence says one thing twice or claims to be a person."""
    clauses = [clause.strip().lower() for clause in re.split(r"[,;.!?]+", sentence) if clause.strip()]
    return len(set(clauses)) < len(clauses) or bool(_PERSON.search(sentence))
