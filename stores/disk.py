"""A full disk: told from other failures, and a little room kept for deleting."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from domain.errors import DiskFull

T = TypeVar("T")
RESERVE_BYTES = 16 * 1024 * 1024
"""Enough for the journals of a deletion in SQLite, Chroma and Redis."""
REDIS_SECONDS = 1.5
"""Redis tries to write its log again every second, and takes no command that changes anything before."""

logger = logging.getLogger(__name__)


def is_disk_full(error: BaseException | None) -> bool:
    """Tell whether a failure, or what caused it, is that nothing can be written any more."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if "disk is full" in str(error) or "No space left" in str(error):
            return True
        error = getattr(error, "orig", None) or error.__cause__ or error.__context__
    return False


def is_out_of_room(folder: Path) -> bool:
    """Tell whether the disk of `folder` has hardly anything left."""
    return shutil.disk_usage(folder).free < RESERVE_BYTES // 16


class Reserve:
    """A file that takes up room on the disk of DATA_DIR until that is needed: deleting writes before it frees."""

    def __init__(self, data_dir: Path) -> None:
        """Keep it below `data_dir`."""
        self._folder, self._file = data_dir, data_dir / "reserve"

    def prepare(self) -> None:
        """Take the room up where there is plenty; give it up where there is none, so that a start finds some."""
        free = shutil.disk_usage(self._folder).free
        if free < RESERVE_BYTES // 4:
            self._file.unlink(missing_ok=True)
        elif free > 4 * RESERVE_BYTES and not self._file.is_file():
            self._fill()

    async def spend(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `work`; where the disk is full, do it again with the room that was kept.

        Raises:
            DiskFull: That did not help.
        """
        try:
            return await work()
        except DiskFull:
            if not await asyncio.to_thread(self._give_up):
                raise
            logger.warning("the disk is full: the reserve is given up for a deletion")
            await asyncio.sleep(REDIS_SECONDS)
            return await work()
        finally:
            await asyncio.to_thread(self.prepare)

    def _give_up(self) -> bool:
        try:
            self._file.unlink()
        except FileNotFoundError:
            return False
        return True

    def _fill(self) -> None:
        try:
            with self._file.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        except OSError:
            self._file.unlink(missing_ok=True)
