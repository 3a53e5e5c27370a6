"""Everything that is kept of a user, as a ZIP archive that is made while it is sent."""

from __future__ import annotations

import asyncio
import hashlib
import time
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import orjson

from api.runs.session_markdown import as_markdown
from domain.errors import TemporarySession, UnknownAttachment, UnknownSession
from domain.owner import Owner
from domain.sealing import SealedFile, Stored
from domain.times import iso_time
from stores.conversations.entries import Part
from stores.library.attachments import display_name

if TYPE_CHECKING:
    from domain.words import Language
    from turn.context import Services

BLOCK_BYTES = 1024 * 1024
ALL = 2**31 - 1


async def personal_archive(services: Services, user_id: str, language: Language) -> AsyncIterator[bytes]:
    """Yield the archive: conversations as JSON (which can be imported) and Markdown, files as they came, all else.

    `manifest.json`, the last file, is the receipt: size and SHA-256 of every other one.
    """
    sink = _Sink()
    archive = zipfile.ZipFile(cast(Any, sink), "w", compression=zipfile.ZIP_DEFLATED)
    manifest: dict[str, dict[str, Any]] = {}
    async for name, content in _everything(services, user_id, language):
        digest, size = hashlib.sha256(), 0
        with archive.open(zipfile.ZipInfo(name, time.gmtime()[:6]), "w", force_zip64=True) as out:
            async for block in _blocks(content):
                await asyncio.to_thread(out.write, block)
                digest.update(block)
                size += len(block)
                yield sink.taken()
        manifest[name] = {"bytes": size, "sha256": digest.hexdigest()}
    receipt = {"made": iso_time(time.time()), "files": manifest}
    archive.writestr("manifest.json", orjson.dumps(receipt, option=orjson.OPT_INDENT_2))
    archive.close()
    yield sink.taken()


async def _everything(
    services: Services, user_id: str, language: Language
) -> AsyncIterator[tuple[str, bytes | Stored]]:
    """Each file of the archive; what is deleted meanwhile is left out, as are temporary conversations."""
    conversations = services.conversations
    for number, thread_id in enumerate(await conversations.threads(user_id), 1):
        owner = Owner(user_id, thread_id)
        try:
            whole, page = await conversations.whole(owner), await conversations.page(owner, Part(limit=ALL))
        except (UnknownSession, TemporarySession):
            continue
        name = f"conversations/{number:05} {display_name(whole['thread']['title'] or thread_id)}"
        body = {**whole["thread"], "messages": whole["entries"], "current_message_id": whole["current"]}
        yield f"{name}.json", orjson.dumps(body, option=orjson.OPT_INDENT_2)
        yield f"{name}.md", (await asyncio.to_thread(as_markdown, page, language)).encode("utf-8", "replace")
    refs = await services.attachments.all_of(user_id)
    yield "files.json", orjson.dumps(refs, option=orjson.OPT_INDENT_2)
    for ref in refs:
        try:
            stored = await services.attachments.stored(ref)
        except UnknownAttachment:
            continue
        yield f"files/{ref['id'][:8]} {ref['name']}", stored
    for part in services.personal_data:
        async for name, value in part.export(user_id):
            yield name, value if isinstance(value, Path) else orjson.dumps(value, option=orjson.OPT_INDENT_2)


async def _blocks(content: bytes | Stored) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    if isinstance(content, SealedFile):
        blocks = content.blocks()
        while block := await asyncio.to_thread(next, blocks, b""):
            yield block
        return
    file = await asyncio.to_thread(content.open, "rb")
    try:
        while block := await asyncio.to_thread(file.read, BLOCK_BYTES):
            yield block
    finally:
        await asyncio.to_thread(file.close)


class _Sink:
    """What an archive is written to, and taken away from; it cannot be gone back in."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes, /) -> int:
        self._held += data
        return len(data)

    def flush(self) -> None:
        return

    def taken(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken
