"""The work left once the pages of a content are stored: its vectors, and the summary of a long one."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, func, not_, or_, select, update

from domain.owner import Owner
from domain.types import AttachmentRef
from domain.words import Language
from privacy.outbound import STRICTNESS, PrivacyMode
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
    """A content with work left, and one of its documents."""

    content_id: int
    status: str
    ref: AttachmentRef
    owner: Owner
    language: Language


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

    async def privacy(self, content_id: int) -> PrivacyMode:
        """Return how privately a content is worked on: as the strictest of its owners and its requests asks."""
        asked = select(contents.c.pii).where(contents.c.id == content_id)
        owners = (
            select(profiles.c.profile)
            .join(attachments, attachments.c.user_id == profiles.c.user_id)
            .join(documents, documents.c.id == attachments.c.id)
            .where(documents.c.content_id == content_id)
        )

        def query(db: Connection) -> PrivacyMode:
            modes = [*db.scalars(asked), *(profile.get("pii") or "off" for profile in db.scalars(owners))]
            return max(("off", *modes), key=STRICTNESS.index)

        return await self._database.read(query)

    async def user(self, content_id: int) -> str:
        """Return one of those who have a content, always the same; empty where nobody has it any more."""
        query = (
            select(attachments.c.user_id)
            .join(documents, documents.c.id == attachments.c.id)
            .where(documents.c.content_id == content_id)
            .order_by(documents.c.id)
            .limit(1)
        )
        return await self._database.read(lambda db: db.scalar(query)) or ""

    async def unfinished(self, summary_threshold: int) -> list[Unfinished]:
        """Return contents that have work left and no process working on them."""
        owners = documents.alias()
        first = select(func.min(owners.c.id)).where(owners.c.content_id == contents.c.id).scalar_subquery()
        query = (
            select(contents.c.id.label("content_id"), contents.c.status, documents.c.language, attachments)
            .select_from(contents)
            .join(documents, documents.c.id == first)
            .join(attachments, attachments.c.id == documents.c.id)
            .where(contents.c.lease < time.time(), _has_work(summary_threshold))
        )
        found = await self._database.read(lambda db: db.execute(query).all())
        return [
            Unfinished(row.content_id, row.status, as_ref(row), Owner(row.user_id, row.thread_id), row.language)
            for row in found
        ]

    async def forget_privacy(self, summary_threshold: int) -> None:
        """Forget what requests asked for contents that have no work left."""
        over = and_(contents.c.pii != "off", not_(_has_work(summary_threshold)))
        await self._database.write(lambda db: db.execute(update(contents).where(over).values(pii="off")))

    async def forget_other_embedders(self, embedder: str) -> None:
        """Mark contents for embedding whose vectors are of another model."""
        change = update(contents).where(contents.c.embedder != embedder, contents.c.embedded > 0).values(embedded=0)
        await self._database.write(lambda db: db.execute(change))


def _has_work(summary_threshold: int) -> ColumnElement[bool]:
    """Return the condition that something is left to be done for a content."""
    no_summary = and_(contents.c.tokens > summary_threshold, contents.c.summary.is_(None))
    return or_(
        contents.c.status.in_(("queued", "reading")),
        and_(contents.c.status == "ready", or_(contents.c.embedded < contents.c.chunks, no_summary)),
    )
