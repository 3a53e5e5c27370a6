"""Ownership: every stored thing belongs to one user, and to one thread or to the user's lasting library."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache

from domain.errors import BadInput
from domain.words import Words

LOCAL_USER = "local"
MOST_THREAD_CHARS = 128
_KEPT = r"\x00-\x1f/\\?#%"
"""Characters that mean something in a path."""
THREAD_ID = rf"^([^.{_KEPT}]|\.[^.{_KEPT}]|\.\.[^{_KEPT}])[^{_KEPT}]*$"
"""What a client may name a conversation: what can be asked for in a path, where "." and ".." are no names either."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A user, and the thread of that user (`None`: the lasting library).

    Attributes:
        user_id: The user.
        thread_id: The thread, as the client names it.
        temporary: Whether the thread is to leave nothing: no words of it in logs, caches and memories.
    """

    user_id: str = LOCAL_USER
    thread_id: str | None = None
    temporary: bool = field(default=False, compare=False)

    @property
    def memory_key(self) -> str:
        """Thread id inside the checkpointer: opaque, fixed length, different for every (user, thread) pair."""
        return _memory_key(self.user_id, self.thread_id)


@lru_cache(maxsize=1024)
def _memory_key(user_id: str, thread_id: str | None) -> str:
    return hashlib.sha256(f"{len(user_id)}:{user_id}:{thread_id}".encode()).hexdigest()[:32]


def check_thread_id(given: str, name: str) -> None:
    """Accept an id that a client gives a conversation; `name` is what it is called where it came from.

    Raises:
        BadInput: It is empty, too long, or could not be part of a path.
    """
    if len(given) > MOST_THREAD_CHARS or not re.match(THREAD_ID, given):
        raise BadInput(
            reason=Words(
                f"{name} must have 1 to {MOST_THREAD_CHARS} characters and none of / \\ ? # %",
                f"{name} 须为 1 到 {MOST_THREAD_CHARS} 个字符，且不含 / \\ ? # %",
            )
        )
