"""One thing that is remembered of a user."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from domain.text import base_terms

MemoryKind = Literal["fact", "preference", "episode"]
Origin = Literal["said", "asked", "edited"]
"""Taken from what the user said, remembered because the user asked for it, or written by the user."""
MOST_CHARS: Final = 1000
MOST_ITEMS: Final = 20_000
"""Items of one user; beyond, the ones longest out of use go."""


@dataclass(frozen=True, slots=True)
class MemoryScope:
    """Which memories a conversation sees.

    Attributes:
        keeps: Persona that alone remembers what is said; empty: all conversations do.
        sees: Personas whose memories are seen; the empty name stands for what all conversations remember.
    """

    keeps: str = ""
    sees: tuple[str, ...] = ("",)


GENERAL: Final = MemoryScope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """An item.

    Attributes:
        id: Its id.
        user_id: Whose it is.
        persona: The persona that keeps it for itself, by id or name; empty: it is of all conversations.
        kind: What it is.
        slot: What it is about, such as `home`: of such items the newest holds. Empty where several hold side by side.
        text: In the user's own words.
        origin: How it came to be kept.
        session_id: The conversation where it was said, as the client names it.
        turn_id: The run in which it was said.
        created: Unix time.
        valid_to: Unix time since which another one holds; 0 while it does.
        superseded_by: That other one.
        sensitive: It is about health, money, beliefs or numbers that identify.
        confidence: 0..1.
    """

    id: str
    user_id: str
    persona: str = ""
    kind: MemoryKind = "fact"
    slot: str = ""
    text: str
    origin: Origin = "said"
    session_id: str = ""
    turn_id: str = ""
    created: float = 0.0
    valid_to: float = 0.0
    superseded_by: str = ""
    sensitive: bool = False
    confidence: float = 1.0


def same_words(text: str) -> str:
    """Return what two texts that say the same in the same words have in common.

    >>> same_words("I live in Chengdu.") == same_words("i  live in Chengdu")
    True
    """
    return " ".join(base_terms(text)) or re.sub(r"\W+", "", text).lower()
