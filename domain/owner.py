"""Ownership: every stored thing belongs to one user, and to one thread or to the user's lasting library."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

LOCAL_USER = "local"


@dataclass(frozen=True, slots=True)
class Owner:
    """A user, and the thread of that user (`None`: the lasting library)."""

    user_id: str = LOCAL_USER
    thread_id: str | None = None

    @property
    def memory_key(self) -> str:
        """Thread id inside the checkpointer: opaque, fixed length, different for every (user, thread) pair."""
        return _memory_key(self.user_id, self.thread_id)


@lru_cache(maxsize=1024)
def _memory_key(user_id: str, thread_id: str | None) -> str:
    return hashlib.sha256(f"{len(user_id)}:{user_id}:{thread_id}".encode()).hexdigest()[:32]
