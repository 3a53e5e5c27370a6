"""Multipart forms: of a file over the size limit no more is kept than shows that it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser


class LimitedParser(MultiPartParser):
    """Throws away what a file has beyond `max_file_bytes` while it streams in; its `size` still counts all of it.

    One byte more than allowed is kept, so that whoever stores the file finds it too large, and the other files of the
    form are not lost with it.
    """

    def __init__(
        self, headers: Headers, stream: AsyncGenerator[bytes, None], *, max_file_bytes: int, max_files: int,
        max_fields: int, max_part_size: int,
    ) -> None:  # fmt: skip
        """Keep the limits."""
        super().__init__(headers, stream, max_files=max_files, max_fields=max_fields, max_part_size=max_part_size)
        self._most = max_file_bytes + 1
        self._taken = 0

    def on_part_begin(self) -> None:
        """Count anew."""
        super().on_part_begin()
        self._taken = 0

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Keep what the limit leaves room for."""
        file = self._current_part.file
        if file is None:
            return super().on_part_data(data, start, end)
        kept = max(0, min(end - start, self._most - self._taken))
        self._taken += kept
        if kept:
            super().on_part_data(data, start, start + kept)
        if kept < end - start:
            file.size = (file.size or 0) + end - start - kept
        return None
