"""OLE compound files (the container of DOC, XLS, PPT and of encrypted OOXML): stream names and stream bytes.

After [MS-CFB] Compound File Binary File Format, sections 2.2 to 2.6.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END = 0xFFFFFFFA
_MAX_SECTORS = 1 << 19


class OleError(ValueError):
    """The bytes are not a sound compound file."""


class OleFile:
    """A compound file opened for reading; `streams` maps stream names to (first sector, size in bytes)."""

    def __init__(self, file: BinaryIO) -> None:
        """Read the header, the sector tables and the directory. Raises OleError when they are broken."""
        self._file = file
        header = file.read(512)
        if len(header) < 512 or not header.startswith(MAGIC):
            raise OleError("no compound file header")
        shift, mini_shift = struct.unpack_from("<HH", header, 30)
        directory, _, self._cutoff, mini, _, difat = struct.unpack_from("<6I", header, 48)
        if shift not in (9, 12) or mini_shift != 6:
            raise OleError("unknown sector size")
        self._size, self._mini_size = 1 << shift, 1 << mini_shift
        self._fat = self._read_fat(header, difat)
        entries = self._chain(directory)
        self.streams: dict[str, tuple[int, int]] = {}
        root = self._read_directory(entries)
        self._mini_fat = _integers(self._chain(mini)) if mini < _END else ()
        self._mini_stream = self._chain(root) if root < _END else b""

    def read(self, name: str) -> bytes:
        """Return the bytes of stream `name`. Raises OleError when it is missing or broken."""
        if name not in self.streams:
            raise OleError(f"no stream {name!r}")
        start, size = self.streams[name]
        if size == 0:
            return b""
        if size >= self._cutoff:
            return self._chain(start)[:size]
        parts, seen = [], 0
        while start < _END and seen * self._mini_size < size:
            parts.append(self._mini_stream[start * self._mini_size : (start + 1) * self._mini_size])
            if start >= len(self._mini_fat):
                raise OleError("broken short sector chain")
            start, seen = self._mini_fat[start], seen + 1
        return b"".join(parts)[:size]

    def _sector(self, number: int) -> bytes:
        self._file.seek((number + 1) * self._size)
        return self._file.read(self._size)

    def _chain(self, start: int) -> bytes:
        parts: list[bytes] = []
        seen: set[int] = set()
        while start < _END:
            if start in seen or start >= len(self._fat) or len(seen) > _MAX_SECTORS:
                raise OleError("broken sector chain")
            seen.add(start)
            parts.append(self._sector(start))
            start = self._fat[start]
        return b"".join(parts)

    def _read_fat(self, header: bytes, difat: int) -> tuple[int, ...]:
        sectors = [number for number in _integers(header[76:512]) if number < _END]
        seen = 0
        while difat < _END:
            numbers = _integers(self._sector(difat))
            seen += 1
            if not numbers or seen > 1000:
                raise OleError("broken sector table")
            sectors += [number for number in numbers[:-1] if number < _END]
            difat = numbers[-1]
        if len(sectors) * (self._size // 4) > _MAX_SECTORS:
            raise OleError("too many sectors")
        return tuple(entry for number in sectors for entry in _integers(self._sector(number)))

    def _read_directory(self, data: bytes) -> int:
        root = _END
        for at in range(0, len(data) - 127, 128):
            entry = data[at : at + 128]
            length, kind = struct.unpack_from("<HB", entry, 64)
            start, size = struct.unpack_from("<II", entry, 116)
            name = entry[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            if kind == 2:
                self.streams.setdefault(name, (start, size))
            elif kind == 5:
                root = start
        return root


def _integers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
