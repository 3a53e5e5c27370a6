"""Files inside files: an e-mail's attachments become documents of their own."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import AttachmentError, UnknownAttachment
from domain.owner import Owner
from domain.types import NESTING, AttachmentRef
from domain.words import Language
from readers.interface import Embedded
from stores.library.attachments import Attachments, display_name
from stores.library.contents import Contents

READER_VERSION = "3"
"""Raise it when readers return other text: content is then read again at the next upload."""
MAX_NESTING = 3
"""A file inside a file inside a file is read; deeper ones are left out."""


class EmbeddedFiles:
    """Keeps what was inside a file, and gives it to everyone who owns that file."""

    def __init__(self, attachments: Attachments, contents: Contents, most: int) -> None:
        """Keep at most `most` files out of one."""
        self._attachments = attachments
        self._contents = contents
        self._most = most

    async def keep(
        self, content_id: int, ref: AttachmentRef, owner: Owner, language: Language, files: Sequence[Embedded]
    ) -> int:
        """Store files that were inside `ref` as documents of `owner`, still to be read; return how many were not."""
        kept = 0
        room = self._most if ref["name"].count(NESTING) < MAX_NESTING else 0
        for file in files[:room]:
            name = display_name(file.name)
            try:
                child = await self._attachments.put(file.data, name=f"{ref['name']}{NESTING}{name}", owner=owner)
            except AttachmentError:
                continue
            await self._contents.add_embedded_file(content_id, name, child)
            await self._open(child, ref["id"], language)
            kept += 1
        return len(files) - kept

    async def share(self, content_id: int, ref: AttachmentRef, owner: Owner, language: Language) -> None:
        """Share the files inside `ref` with its owner, when it was read for someone else."""
        files = await self._contents.embedded_files(content_id)
        if not files or await self._contents.children(ref["id"]):
            return
        for file in files:
            try:
                named = AttachmentRef(**{**file, "name": f"{ref['name']}{NESTING}{file['name']}"})
                await self._open(await self._attachments.share(named, owner), ref["id"], language)
            except UnknownAttachment:
                continue

    async def _open(self, child: AttachmentRef, parent_id: str, language: Language) -> None:
        origin = "image" if child["kind"] == "image" else "document"
        key = content_key(child, language)
        await self._contents.open(child, key=key, origin=origin, language=language, parent_id=parent_id)


def content_key(ref: AttachmentRef, language: Language, *, private: bool = False) -> str:
    """Return the key of the content of `ref`: files with the same key are read once, for all their owners.

    The same bytes read as another type, which their name may decide, are another content. A picture is described in the
    language of its owner. What depends on more than the bytes is private and shared with nobody: what a password
    opened, and what a vision model said to a question.
    """
    read_as = f"picture:{language}" if ref["kind"] == "image" else ref["media_type"]
    key = f"{ref['sha256']}:{READER_VERSION}:{read_as}"
    return f"{key}:{ref['id']}" if private else key
