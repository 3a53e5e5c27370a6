"""Files that no disk holds: what is encrypted there, in the clear for as long as it is read, under a path."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from domain.sealing import SealedFile, Stored


class MemoryFile:
    """A file of this process alone, which is gone with it.

    Attributes:
        path: Where this process, and no other, finds it.
    """

    def __init__(self, content: Iterable[bytes] = ()) -> None:
        """Make it of `content`."""
        if sys.platform == "linux":
            self._fd = os.memfd_create("content", os.MFD_CLOEXEC)
            self.path = Path(f"/proc/self/fd/{self._fd}")
        else:
            self._fd, name = tempfile.mkstemp()
            self.path = Path(name)
        for block in content:
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(self._fd, rest) :]

    @property
    def size(self) -> int:
        """Its bytes."""
        return os.fstat(self._fd).st_size

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)
        if sys.platform != "linux":
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def readable(stored: Stored) -> Iterator[Path]:
    """Give a path under which a stored file is read in the clear."""
    if not isinstance(stored, SealedFile):
        yield stored
        return
    with MemoryFile(stored.blocks()) as file:
        yield file.path
