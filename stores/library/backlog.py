"""The work left once the pages of a content are stored: its vectors, and the summary of a long one."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select, update

from domain.owner import Owner
from domain.types import AttachmentRef
from domain.words import Language
from privacy.outbound import PrivacyMode
from stores.library.attachments import as_ref
from stores.library.contents import LEASE_SECONDS, ContentGone
from stores.library.pages import CHUNK_TEXT, with_heading
from stores.sql.database import Database, rows
from stores.sql.tables import attachments, chunks, contents, documents, pages, profiles


@dataclass(frozen=True, slots=True)
class Embeddable:
    """A chunk as the embedding model gets it: its heading above its text."""

    ordinal: int
    text: str


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A content with work left, and one of its documents.

    Attributes:
        pii: What the profiles of its owners ask for personal data: `off`, `mask` or `block` of each who says so.
    """

    content_id: int
    status: str
    ref: AttachmentRef
    owner: Owner
    language: Language
    pii: Collection[PrivacyMode] = ()


_CONTENT = select(contents.c.id).where(contents.c.id == bindparam("content_id"))
_NOT_EMBEDDED = (
    select(chunks.c.ordinal, chunks.c.heading, CHUNK_TEXT.label("text"))
    .join(contents, contents.c.id == chunks.c.content_id)
    .where(chunks.c.content_id == bindparam("content_id"), chunks.c.ordinal >= contents.c.embedded)
    .order_by(chunks.c.ordinal)
    .limit(bindparam("limit"))
)


class Backlog:
    """The work that follows reading, as the database knows it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def not_embedded(self, content_id: int, limit: int) -> list[Embeddable]:
        """Return the next chunks that have no vector, in order.

        Raises:
            ContentGone: It was deleted meanwhile.
        """

        def query(db: Connection) -> list[Embeddable]:
            if not rows(db, _CONTENT, {"content_id": content_id}):
                raise ContentGone
            found = rows(db, _NOT_EMBEDDED, {"content_id": content_id, "limit": limit})
            return [Embeddable(row.ordinal, with_heading(row.heading, row.text)) for row in found]

        return await self._database.read(query)

    async def embedded(self, content_id: int, count: int, embedder: str) -> None:
        """Note that the first `count` chunks have vectors of `embedder`.

        Raises:
            ContentGone: It was deleted meanwhile; the vectors just stored have to be removed.
        """
        lease = case(
            (contents.c.status == "reading", contents.c.lease),
            (contents.c.chunks <= count, 0),
            else_=time.time() + LEASE_SECONDS,
        )
        change = update(contents).where(contents.c.id == content_id)
        change = change.values(embedded=count, embedder=embedder, lease=lease)
        if not await self._database.write(lambda db: db.execute(change).rowcount):
            raise ContentGone

    async def texts(self, content_id: int) -> list[str]:
        """Return the text of every page, in order."""
        query = select(pages.c.text).where(pages.c.content_id == content_id).order_by(pages.c.number)
        return await self._database.read(lambda db: list(db.scalars(query)))

    async def size(self, content_id: int) -> tuple[int, str, str | None]:
        """Return (tokens, language, summary).

        Raises:
            ContentGone: It was deleted meanwhile.
        """
        facts = select(contents.c.tokens, contents.c.language, contents.c.summary).where(contents.c.id == content_id)
        row = await self._database.read(lambda db: db.execute(facts).first())
        if row is None:
            raise ContentGone
        return row.tokens, row.language, row.summary

    async def set_summary(self, content_id: int, summary: str) -> None:
        """Store the summary of the whole document."""
        change = update(contents).where(contents.c.id == content_id).values(summary=summary)
        await self._database.write(lambda db: db.execute(change))

    async def unfinished(self, summary_threshold: int) -> list[Unfinished]:
        """Return contents that have work left and no process working on them."""
        owners = documents.alias()
        first = select(func.min(owners.c.id)).where(owners.c.content_id == contents.c.id).scalar_subquery()
        no_summary = and_(contents.c.tokens > summary_threshold, contents.c.summary.is_(None))
        query = (
            select(contents.c.id.label("content_id"), contents.c.status, documents.c.language, attachments)
            .select_from(contents)
            .join(documents, documents.c.id == first)
            .join(attachments, attachments.c.id == documents.c.id)
            .where(
                contents.c.lease < time.time(),
                or_(
                    contents.c.status.in_(("queued", "reading")),
                    and_(contents.c.status == "ready", or_(contents.c.embedded < contents.c.chunks, no_summary)),
                ),
            )
        )
        asked = (
            select(profiles.c.profile)
            .join(attachments, attachments.c.user_id == profiles.c.user_id)
            .join(documents, documents.c.id == attachments.c.id)
            .where(documents.c.content_id == bindparam("content_id"))
        )

        def found(db: Connection) -> list[Unfinished]:
            return [
                Unfinished(
                    row.content_id, row.status, as_ref(row), Owner(row.user_id, row.thread_id), row.language,
                    {profile.get("pii") or "off" for profile in db.scalars(asked, {"content_id": row.content_id})},
                )
                for row in db.execute(query).all()
            ]  # fmt: skip

        return await self._database.read(found)

    async def forget_other_embedders(self, embedder: str) -> None:
        """Mark contents for embedding whose vectors are of another model."""
        change = update(contents).where(contents.c.embedder != embedder, contents.c.embedded > 0).values(embedded=0)
        await self._database.write(lambda db: db.execute(change))
