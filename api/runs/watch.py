"""Looks for long runs whose process is gone, and goes on with them here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from api.runs.log import RunLog
from api.runs.run import Run
from api.runs.takeover import Takeover, taken_request
from domain.errors import AppError, RunLost
from stores.redis.events import LOST_AFTER

if TYPE_CHECKING:
    from api.runs.request import TurnRequest
    from stores.redis.events import RunEvents
    from stores.redis.unfinished import UnfinishedRuns

logger = logging.getLogger(__name__)

LOOK_SECONDS = 3.0
"""Between two looks."""


class Watch:
    """Takes over what other processes have left.

    Args:
        unfinished: The long runs of all processes.
        events: Where their events are.
        is_here: Whether a run is one of this process.
        launch: Lets a run begin here.
    """

    def __init__(
        self,
        unfinished: UnfinishedRuns,
        events: RunEvents,
        is_here: Callable[[str], bool],
        launch: Callable[[Run], object],
    ) -> None:
        self._unfinished, self._events, self._is_here, self._launch = unfinished, events, is_here, launch
        self._ended = False

    def end(self) -> None:
        """Take nothing any more."""
        self._ended = True

    async def go(self) -> None:
        """Look again and again, until the end."""
        while not self._ended:
            try:
                await self.look()
            except AppError as exc:
                logger.warning("takeover: not now", extra={"error": exc.code})
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Go on with the runs whose process is gone.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        for run_id in await self._unfinished.listed():
            if not self._ended and not self._is_here(run_id):
                last = await self._unfinished.claim(run_id, LOST_AFTER)
                if last is not None:
                    await self._take(run_id, last)

    async def _take(self, run_id: str, last: int) -> None:
        try:
            steps = await self._unfinished.steps(run_id)
            if self._ended:
                await self._unfinished.release(run_id, last)
                return
            request = taken_request(Takeover(steps))
        except (RunLost, ValueError, KeyError, TypeError) as exc:  # nothing to go on from, or of another version
            logger.warning("a run is given up", extra={"run_id": run_id, "error": type(exc).__name__})
            await self._unfinished.close(run_id, last)
            return
        logger.warning("a run is taken over", extra={"run_id": run_id})
        self._begin(run_id, last, request)

    def _begin(self, run_id: str, last: int, request: TurnRequest) -> None:
        self._events.adopt(run_id)
        log = RunLog(run_id, self._events, request.owner, request.language, before=last)
        self._launch(Run(run_id, request, log))
