"""What was read from files, stored once per content for all its owners: the writing side of documents."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from domain.errors import ErrorBody
from domain.types import AttachmentRef
from domain.unread import Gap
from domain.words import Language
from privacy.outbound import STRICTNESS, wanted_privacy
from readers.interface import Outline
from stores.library import keywords
from stores.library.attachments import as_ref
from stores.library.pages import Chunk, PageText, clear_content, delete_content, insert_pages, with_heading
from stores.sql.database import Database
from stores.sql.tables import attachments, contents, documents, embedded_files

LEASE_SECONDS = 30.0
"""A content whose reader has not reported for so long is free to be read by another process."""


class ContentGone(Exception):
    """The content was deleted while it was being read. Internal: its readers stop quietly."""


class Contents:
    """Contents by id: opened for an owner's file, filled page by page, finished or failed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(
        self, ref: AttachmentRef, *, key: str, origin: str, language: Language, parent_id: str | None = None
    ) -> tuple[int, str]:
        """Make `ref` a document of the content `key`; return the content's id and status.

        A content that failed before is emptied and `queued` again: the reason may have gone. `parent_id` is the
        document whose file contained this one; it stays what it was when it is not given. What the caller asks for
        personal data is kept with the content, for whoever goes on with it.
        """
        asked = wanted_privacy.get()

        def change(db: Connection) -> tuple[int, str]:
            facts = (contents.c.id, contents.c.status, contents.c.pii)
            row = db.execute(select(*facts).where(contents.c.key == key).with_for_update()).first()
            if row is None:
                new = insert(contents).values(key=key, origin=origin, status="queued", pii=asked)
                row = db.execute(new.returning(*facts)).one()
            if STRICTNESS.index(asked) > STRICTNESS.index(row.pii):
                db.execute(update(contents).where(contents.c.id == row.id).values(pii=asked))
            if row.status == "failed":
                clear_content(db, row.id)
            _link(db, ref["id"], row.id, parent_id, language)
            return row.id, "queued" if row.status == "failed" else row.status

        return await self._database.write(change)

    async def claim(self, content_id: int) -> int | None:
        """Claim the reading of a content; return how many of its pages are stored already.

        Returns:
            `None` when another process reads it now, or it is finished.
        """
        now = time.time()
        take = (
            update(contents)
            .where(
                contents.c.id == content_id, contents.c.lease < now, contents.c.status.in_(("queued", "reading"))
            )
            .values(lease=now + LEASE_SECONDS, status="reading")
            .returning(contents.c.pages_done)
        )  # fmt: skip
        return await self._database.write(lambda db: db.scalar(take))

    async def renew(self, content_id: int) -> None:
        """Renew the lease of a claimed content."""
        await self._set(content_id, lease=time.time() + LEASE_SECONDS)

    async def release(self, content_id: int) -> None:
        """Release an unfinished reading, to be resumed by the next caller."""
        await self._set(content_id, lease=0)

    async def has(self, key: str) -> bool:
        """Tell whether there is a content of this key."""
        found = select(contents.c.id).where(contents.c.key == key)
        return await self._database.read(lambda db: db.scalar(found)) is not None

    async def is_ready(self, key: str) -> bool:
        """Tell whether there is a content of this key that was read to its end."""
        found = select(contents.c.status).where(contents.c.key == key)
        return await self._database.read(lambda db: db.scalar(found)) == "ready"

    async def status(self, content_id: int) -> str:
        """Return `queued`, `reading`, `ready`, `failed` or, when it was deleted, `gone`."""
        found = select(contents.c.status).where(contents.c.id == content_id)
        return await self._database.read(lambda db: db.scalar(found)) or "gone"

    async def outline(self, content_id: int, outline: Outline) -> None:
        """Store what is known before the pages come."""
        await self._set(
            content_id, unit=outline.unit, title=outline.title[:300], pages_total=outline.pages_total,
            notes=outline.warnings,
        )  # fmt: skip

    async def add_pages(
        self, content_id: int, pages: Sequence[PageText], chunks: Sequence[Chunk], gaps: Sequence[Gap]
    ) -> None:
        """Store pages and their chunks; they are found by keyword when this returns.

        Raises:
            ContentGone: It was deleted meanwhile.
        """
        texts = [with_heading(chunk.heading, chunk.text) for chunk in chunks]
        segment = await asyncio.to_thread(keywords.segment_of, texts)

        def change(db: Connection) -> None:
            row = db.execute(select(contents).where(contents.c.id == content_id).with_for_update()).first()
            if row is None:
                raise ContentGone
            insert_pages(db, content_id, row.chunks, pages, chunks)
            if chunks:
                keywords.insert_segment(db, content_id, row.chunks, segment)
            done = row.pages_done + len(pages)
            db.execute(
                update(contents)
                .where(contents.c.id == content_id)
                .values(
                    chunks=row.chunks + len(chunks), tokens=row.tokens + sum(chunk.tokens for chunk in chunks),
                    pages_done=done, pages_total=max(row.pages_total, done), gaps=[*row.gaps, *gaps],
                    lease=time.time() + LEASE_SECONDS,
                )
            )  # fmt: skip

        await self._database.write(change)

    async def finish(self, content_id: int, *, language: str, notes: Sequence[str] = ()) -> None:
        """Mark all pages as read; `notes` are added to those of the outline.

        Raises:
            ContentGone: It was deleted meanwhile.
        """
        facts = select(contents.c.notes, contents.c.pages_total, contents.c.pages_done)

        def change(db: Connection) -> None:
            row = db.execute(facts.where(contents.c.id == content_id).with_for_update()).first()
            if row is None:
                raise ContentGone
            db.execute(
                update(contents)
                .where(contents.c.id == content_id)
                .values(
                    status="ready", language=language, notes=[*row.notes, *notes], lease=0,
                    pages_total=max(row.pages_total, row.pages_done),
                )
            )  # fmt: skip

        await self._database.write(change)

    async def fail(self, content_id: int, bodies: dict[Language, ErrorBody]) -> None:
        """Mark a content as unusable, with the error in both languages; the file is called `ANY_NAME` in it."""
        await self._set(content_id, status="failed", error=bodies, lease=0)

    async def set_picture(self, content_id: int, picture: dict[str, object]) -> None:
        """Store what OCR and the vision model gave (picture fields of an `Attachment`, named `ANY_NAME`)."""
        await self._set(content_id, picture=picture)

    async def add_embedded_file(self, content_id: int, name: str, ref: AttachmentRef) -> None:
        """Note that the content carries the file `ref`, shown as `name`."""
        file = {"name": name, "sha256": ref["sha256"], "kind": ref["kind"], "media_type": ref["media_type"]}
        row = {"content_id": content_id, "size": ref["size"], **file}
        await self._database.write(lambda db: db.execute(insert(embedded_files), row))

    async def embedded_files(self, content_id: int) -> list[AttachmentRef]:
        """Return the files that a content carries; their ids are empty, since they have no owner yet."""
        carried = select(embedded_files).where(embedded_files.c.content_id == content_id).order_by(embedded_files.c.id)
        rows = await self._database.read(lambda db: db.execute(carried).all())
        return [AttachmentRef(**{**as_ref(row), "id": ""}) for row in rows]

    async def children(self, document_id: str) -> list[AttachmentRef]:
        """Return the documents that came out of a document."""
        inside = select(attachments).join(documents, documents.c.id == attachments.c.id)
        query = inside.where(documents.c.parent_id == document_id).order_by(attachments.c.created, attachments.c.id)
        return await self._database.read(lambda db: [as_ref(row) for row in db.execute(query)])

    async def _set(self, content_id: int, **values: object) -> None:
        change = update(contents).where(contents.c.id == content_id).values(**values)
        await self._database.write(lambda db: db.execute(change))


def _link(db: Connection, document_id: str, content_id: int, parent_id: str | None, language: Language) -> None:
    """Point a document to its content; drop the previous one if no document points to it."""
    this = documents.c.id == document_id
    former = db.scalar(select(documents.c.content_id).where(this).with_for_update())
    values = {"content_id": content_id, "language": language, **({"parent_id": parent_id} if parent_id else {})}
    if former is None:
        db.execute(insert(documents).values(id=document_id, **values))
        return
    db.execute(update(documents).where(this).values(**values))
    if former == content_id:
        return
    db.execute(select(contents.c.id).where(contents.c.id == former).with_for_update())
    if db.scalar(select(documents.c.id).where(documents.c.content_id == former).limit(1)) is None:
        delete_content(db, former)
