"""Deletes what is past its time.

Conversations after `TRANSCRIPT_TTL`, where that is set, temporary ones when their memory expires, empty ones, links.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from api.runs.deletion import delete_session
from domain.errors import AppError

if TYPE_CHECKING:
    from api.backend import Backend

logger = logging.getLogger(__name__)

PAUSE = 600.0
"""Seconds between two looks."""
EMPTY_SECONDS = 86_400.0
"""How long a conversation without messages and files stays: one whose first question was taken back, for one."""


async def keep_to_time(backend: Backend) -> None:
    """Look for what is past its time, again and again."""
    while True:
        try:
            await delete_old(backend)
        except AppError as exc:
            logger.warning("retention: not now", extra={"error": exc.code})
        await asyncio.sleep(PAUSE)


async def delete_old(backend: Backend) -> int:
    """Delete what is past its time; return how many conversations that was."""
    await backend.services.shares.expire()
    now, conversations = time.time(), backend.services.conversations
    old = await conversations.temporary_since(now - backend.settings.thread_ttl)
    old += await conversations.empty_since(now - EMPTY_SECONDS)
    if ttl := backend.settings.transcript_ttl:
        old += await conversations.unused_since(now - ttl)
    for owner in (old := list(dict.fromkeys(old))):
        await delete_session(backend, owner)
    if old:
        logger.info("retention", extra={"deleted": len(old)})
    return len(old)
