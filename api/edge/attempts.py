"""Attempts as requests show them: counted where one fails, and held against whoever passed a limit."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.requests import Request

from domain.attempts import BURST, BURST_SECONDS, DELAY
from domain.errors import (
    AppError,
    HeldBack,
    UnknownAttachment,
    UnknownDocument,
    UnknownKey,
    UnknownMemory,
    UnknownMessage,
    UnknownQuestion,
    UnknownResponse,
    UnknownRun,
    UnknownSession,
)
from stores.elsewhere import belongs_to_another
from stores.redis.attempts import Subject

if TYPE_CHECKING:
    from api.backend import Backend

PROBED = (
    UnknownAttachment,
    UnknownDocument,
    UnknownKey,
    UnknownMemory,
    UnknownMessage,
    UnknownQuestion,
    UnknownResponse,
    UnknownRun,
    UnknownSession,
)
"""Errors about an id that whoever asks has from somewhere, or makes up."""


class Bursts:
    """Counts the requests of this process by user, in spans of BURST_SECONDS."""

    def __init__(self) -> None:
        self._span = 0
        self._counts: dict[str, int] = {}

    def is_burst(self, user: str) -> bool:
        """Count a request; return whether it is the one that is too much in this span."""
        span = int(time.monotonic() // BURST_SECONDS)
        if span != self._span:
            self._span, self._counts = span, {}
        self._counts[user] = count = self._counts.get(user, 0) + 1
        return count == BURST + 1


def address_of(request: Request) -> Subject:
    """Return the address that a request comes from."""
    return Subject("address", request.client.host if request.client else "")


async def hold_back(request: Request, subject: Subject) -> None:
    """Let a request wait, or refuse it, where its subject has passed a limit.

    Raises:
        HeldBack: Access is stopped.
    """
    hold = _backend(request).services.attempts.held(subject)
    if hold is None:
        return
    if hold.level == "stop":
        raise HeldBack(retry_after=max(1, int(hold.until - time.time()) + 1))
    await asyncio.sleep(DELAY)


def note_wrong_key(request: Request) -> None:
    """Count a key that there is none of."""
    _backend(request).services.attempts.note("wrong_key", address_of(request))


def note_burst(request: Request, user: str) -> None:
    """Count a burst of a user."""
    _backend(request).services.attempts.note("burst", Subject("user", user))


def note_failure(request: Request, error: AppError) -> None:
    """Count a failed request, where it asked for a thing that its user does not have."""
    user = getattr(request.state, "user_id", "")
    if user and isinstance(error, PROBED) and _backend(request).services.attempts.watches:
        backend, identity = _backend(request), str(error.details.get("id", ""))
        services = backend.services

        async def look() -> None:
            run = await backend.events.get(identity) if isinstance(error, UnknownRun) else None
            foreign = run is not None and run["user_id"] != user
            foreign = foreign or await belongs_to_another(services.database, identity, user)
            services.attempts.note("foreign_id" if foreign else "unknown_id", Subject("user", user), identity)

        services.background.spawn(f"probe {user} {identity[:100]}", look())


def _backend(request: Request) -> Backend:
    return request.app.state.backend  # type: ignore[no-any-return]
