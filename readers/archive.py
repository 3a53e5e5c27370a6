"""Zip containers (DOCX, PPTX, XLSX, ODT, EPUB): judged by their directory alone, before anything is unpacked.

The limits come from 377 real office files (median ratio 4.8, highest 74) against bombs at 257 and more.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from domain.errors import FileCorrupt, FileEncrypted, FileTooLarge
from domain.words import Words
from readers.texts import FILES, filled

MAX_UNPACKED = 200_000_000
MAX_MEMBERS = 10_000
MAX_RATIO = 100
RATIO_MATTERS_FROM = 50_000_000


def open_archive(path: Path, name: str) -> zipfile.ZipFile:
    """Open the zip file at `path` once its directory is within the limits; the caller closes it.

    Raises:
        FileTooLarge: it unpacks to too much, or holds too many members.
        FileCorrupt: it is no sound zip file.
        FileEncrypted: a member is encrypted.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise FileCorrupt(name=name) from error
    try:
        _check(archive, path.stat().st_size, name)
    except BaseException:
        archive.close()
        raise
    return archive


def _check(archive: zipfile.ZipFile, packed: int, name: str) -> None:
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS:
        raise FileTooLarge(name=name, limit=filled(FILES, len(members), MAX_MEMBERS))
    if unpacked > MAX_UNPACKED:
        raise FileTooLarge(
            name=name,
            limit=Words(
                f"{unpacked // 1_000_000} MB unpacked, over {MAX_UNPACKED // 1_000_000}",
                f"解压后 {unpacked // 1_000_000} MB，超过 {MAX_UNPACKED // 1_000_000} MB",
            ),
        )
    if unpacked > RATIO_MATTERS_FROM and unpacked > MAX_RATIO * max(packed, 1):
        raise FileTooLarge(
            name=name,
            limit=Words(
                f"packed {unpacked // max(packed, 1)} to 1, over {MAX_RATIO}",
                f"压缩比 {unpacked // max(packed, 1)}:1，超过 {MAX_RATIO}:1",
            ),
        )
    if any(member.flag_bits & 1 for member in members):
        raise FileEncrypted(name=name)


def read_member(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    """Return one member's bytes, never more than its directory entry announces.

    Raises:
        FileCorrupt: the member is missing, broken, or longer than announced.
    """
    try:
        size = archive.getinfo(member).file_size
        with archive.open(member) as file:
            data = file.read(size + 1)
    except (KeyError, zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error) as error:
        raise FileCorrupt(name=name) from error
    if len(data) > size:
        raise FileCorrupt(name=name)
    return data
