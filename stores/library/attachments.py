"""Uploaded files, stored once by SHA-256, with their owners in the database."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
import unicodedata
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from domain.errors import DiskFull, FileEmpty, FileTooLarge, QuotaExceeded, UnknownAttachment
from domain.owner import Owner
from domain.sealing import FileSealer, Keyring, Stored, contents_of
from domain.types import AttachmentRef
from domain.words import Words
from readers.detect import detect
from settings import MiB
from stores.disk import is_disk_full
from stores.sql.database import Database, lock, rows
from stores.sql.tables import attachments, cache

HEAD_BYTES = 64 * 1024
NAME_CHARS = 200
STRAY_SECONDS = 3600
"""No upload takes this long: an older file without an owner is garbage."""
_MINE = select(attachments).where(
    attachments.c.id == bindparam("attachment_id"), attachments.c.user_id == bindparam("user_id")
)
_OWNED = select(attachments.c.id).where(attachments.c.sha256 == bindparam("sha256")).limit(1)


class Attachments:
    """Content-addressed files below `folder`; each `put` gives its owner a separate reference."""

    def __init__(
        self,
        folder: Path,
        database: Database,
        max_file_bytes: int,
        *,
        user_bytes: int = 0,
        user_files: int = 0,
        keyring: Keyring | None = None,
    ) -> None:
        """Keep files of at most `max_file_bytes` below `folder`, and their owners in `database`.

        Args:
            folder: Of the files.
            database: Of the owners.
            max_file_bytes: Largest file.
            user_bytes: Most bytes of all files of a user; 0: no limit.
            user_files: Most files of a user; 0: no limit.
            keyring: Keys that files are encrypted with; none: they are kept as they are.
        """
        self._folder = folder
        self._keyring = keyring or Keyring()
        self._database = database
        self._limit = max_file_bytes
        self._user_bytes, self._user_files = user_bytes, user_files

    async def put(self, data: bytes | AsyncIterator[bytes], *, name: str, owner: Owner) -> AttachmentRef:
        """Store `data` and return a reference for `owner`; kind and media type are decided by content, then name.

        Raises:
            FileTooLarge: More than `max_file_bytes`; noticed while the bytes stream in, nothing is kept.
            FileEmpty: No bytes.
            DiskFull: There is no room for it.
            QuotaExceeded: Its owner has too much already.
        """
        shown = display_name(name)
        incoming = self._folder / "incoming" / uuid.uuid4().hex
        try:
            await asyncio.to_thread(incoming.parent.mkdir, parents=True, exist_ok=True)
            size, sha256, head = await self._receive(data, incoming, shown)
            kind, media_type = await asyncio.to_thread(detect, head, shown)
            ref = AttachmentRef(
                id=uuid.uuid4().hex, name=shown, kind=kind, media_type=media_type, size=size, sha256=sha256
            )
            await self._database.write(lambda db: self._keep(db, ref, owner, incoming))
        except OSError as exc:
            raise DiskFull() if is_disk_full(exc) else exc from None
        finally:
            await asyncio.to_thread(incoming.unlink, missing_ok=True)
        return ref

    async def share(self, ref: AttachmentRef, owner: Owner) -> AttachmentRef:
        """Give `owner` a reference to a file that is already stored.

        Raises:
            UnknownAttachment: The file is not stored any more.
        """
        copy = AttachmentRef(**{**ref, "id": uuid.uuid4().hex})

        def link(db: Connection) -> None:
            lock(db, ref["sha256"])
            if not self.path(ref["sha256"]).is_file():
                raise UnknownAttachment(id=ref["id"])
            insert_attachment(db, copy, owner)

        await self._database.write(link)
        return copy

    async def get(self, attachment_id: str, owner: Owner) -> AttachmentRef:
        """Return the reference `attachment_id` of the user of `owner`.

        Raises:
            UnknownAttachment: There is none, or it is another user's.
        """
        row = await self._database.read(lambda db: find_attachment(db, attachment_id, owner))
        if row is None:
            raise UnknownAttachment(id=attachment_id)
        return as_ref(row)

    async def rename(self, attachment_id: str, name: str, owner: Owner) -> AttachmentRef:
        """Call a file of the user of `owner` otherwise, and return its reference.

        Raises:
            UnknownAttachment: There is none, or it is another user's.
        """
        mine = (attachments.c.id == attachment_id) & (attachments.c.user_id == owner.user_id)
        change = update(attachments).where(mine).values(name=display_name(name))
        await self._database.write(lambda db: db.execute(change))
        return await self.get(attachment_id, owner)

    async def all_of(self, user_id: str) -> list[AttachmentRef]:
        """Return the references of a user, of all threads and the library, oldest first."""
        mine = select(attachments).where(attachments.c.user_id == user_id).order_by(attachments.c.created)
        return await self._database.read(lambda db: [as_ref(row) for row in db.execute(mine)])

    def path(self, sha256: str) -> Path:
        """Return where the file with this hash is, or would be; `stored` has what it takes to read it."""
        return self._folder / sha256[:2] / sha256

    async def stored(self, ref: AttachmentRef) -> Stored:
        """Return the file of `ref`, for `workers.memory_file.readable` or a job of the sandbox.

        Raises:
            UnknownAttachment: It is not stored any more.
        """

        def look() -> Stored:
            path = self.path(ref["sha256"]).resolve()
            if not path.is_file():
                raise FileNotFoundError
            return self._keyring.file(path)

        try:
            return await asyncio.to_thread(look)
        except FileNotFoundError as exc:
            raise UnknownAttachment(id=ref["id"]) from exc

    async def read(self, ref: AttachmentRef) -> bytes:
        """Return the bytes of `ref`.

        Raises:
            UnknownAttachment: They are not stored any more.
        """
        stored = await self.stored(ref)
        try:
            return await asyncio.to_thread(contents_of, stored)
        except FileNotFoundError as exc:
            raise UnknownAttachment(id=ref["id"]) from exc

    async def release(self, sha256s: list[str]) -> None:
        """Remove the files among `sha256s` that have no owner left, and their cached results."""
        await self._database.write(lambda db: self._remove_unowned(db, sha256s))

    async def tidy(self) -> None:
        """Remove partial uploads of processes that were killed."""
        await self._database.write(self._remove_strays)

    async def _receive(self, data: bytes | AsyncIterator[bytes], path: Path, name: str) -> tuple[int, str, bytes]:
        size, digest, head = 0, hashlib.sha256(), b""
        with await asyncio.to_thread(path.open, "wb") as file:
            sealer = await asyncio.to_thread(self._sealer, file) if self._keyring else None
            async for block in _blocks(data):
                size += len(block)
                if size > self._limit:
                    raise FileTooLarge(
                        name=name, limit=Words(f"over {self._limit / MiB:g} MiB", f"超过 {self._limit / MiB:g} MiB")
                    )
                if len(head) < HEAD_BYTES:
                    head += block[: HEAD_BYTES - len(head)]
                await asyncio.to_thread(_append, sealer or file, digest.update, block)
            if sealer is not None:
                await asyncio.to_thread(sealer.close)
        if size == 0:
            raise FileEmpty(name=name)
        return size, digest.hexdigest(), head

    def _sealer(self, file: BinaryIO) -> FileSealer:
        return FileSealer(file, *self._keyring.new_file())

    def _remove_unowned(self, db: Connection, sha256s: Iterable[str]) -> None:
        for sha256 in sorted(sha256s):
            lock(db, sha256)
            if not is_owned(db, sha256):
                db.execute(delete(cache).where(cache.c.key >= sha256, cache.c.key < sha256 + "~"))
                self.path(sha256).unlink(missing_ok=True)

    def _remove_strays(self, db: Connection) -> None:
        owned = set(db.scalars(select(attachments.c.sha256).distinct()))
        old = [path for path in self._folder.glob("*/*") if time.time() - path.stat().st_mtime > STRAY_SECONDS]
        for path in old:
            if path.parent.name == "incoming":
                path.unlink(missing_ok=True)
        self._remove_unowned(db, {path.name for path in old if path.name not in owned})

    def _check_quota(self, db: Connection, ref: AttachmentRef, owner: Owner) -> None:
        if not (self._user_bytes or self._user_files):
            return
        held = select(func.count(), func.coalesce(func.sum(attachments.c.size), 0))
        files, size = db.execute(held.where(attachments.c.user_id == owner.user_id)).one()
        if self._user_files and files >= self._user_files:
            raise QuotaExceeded(name=ref["name"], limit=Words(f"{files:,} files", f" {files:,} 个文件"))
        if self._user_bytes and size + ref["size"] > self._user_bytes:
            raise QuotaExceeded(name=ref["name"], limit=Words(_gib(size), f" {_gib(size)}"))

    def _keep(self, db: Connection, ref: AttachmentRef, owner: Owner, incoming: Path) -> None:
        # Inside the transaction and its lock, so that a concurrent release of the same content cannot take the file.
        lock(db, ref["sha256"])
        self._check_quota(db, ref, owner)
        insert_attachment(db, ref, owner)
        target = self.path(ref["sha256"])
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(incoming, target)


def _gib(size: int) -> str:
    return f"{size / MiB / 1024:.3g} GiB"


def display_name(name: str) -> str:
    r"""Return a file name that is safe to show: no folders, control or direction characters, at most 200 characters.

    >>> display_name("..\\..\\etc/pass\u202ewd.txt")
    'passwd.txt'
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    shown = "".join(char for char in last if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}).strip()
    if len(shown) > NAME_CHARS:
        stem, dot, suffix = shown.rpartition(".")
        shown = (
            shown[:NAME_CHARS] if not dot or len(suffix) > 10 else stem[: NAME_CHARS - len(suffix) - 1] + "." + suffix
        )
    return shown if shown.strip(".") else "file"


def insert_attachment(db: Connection, ref: AttachmentRef, owner: Owner) -> None:
    """Write the ownership row of `ref`."""
    row = {**ref, "user_id": owner.user_id, "thread_id": owner.thread_id, "created": time.time()}
    db.execute(insert(attachments), row)


def find_attachment(db: Connection, attachment_id: str, owner: Owner) -> Any:
    """Return the row of an attachment of the user of `owner`, or None."""
    return next(iter(rows(db, _MINE, {"attachment_id": attachment_id, "user_id": owner.user_id})), None)


def is_owned(db: Connection, sha256: str) -> bool:
    """Tell whether anybody owns the file with this hash."""
    return db.execute(_OWNED, {"sha256": sha256}).first() is not None


def as_ref(row: Any) -> AttachmentRef:
    """Return the reference in a row that has the columns of `attachments`."""
    return AttachmentRef(
        id=row.id, name=row.name, kind=row.kind, media_type=row.media_type, size=row.size, sha256=row.sha256
    )


async def _blocks(data: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(data, bytes):
        yield data
        return
    async for block in data:
        yield block


def _append(file: BinaryIO | FileSealer, update: Callable[[bytes], None], block: bytes) -> None:
    file.write(block)
    update(block)
