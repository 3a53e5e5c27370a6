"""Links that show a conversation, as it was when it was shared, to whoever has one."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, NotRequired

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update
from typing_extensions import TypedDict

from domain.errors import BadInput, UnknownShare
from domain.owner import Owner
from domain.times import iso_time
from domain.words import Words
from stores.conversations import tree
from stores.conversations.entries import Message
from stores.sql.database import Database
from stores.sql.tables import conversations, shares

MOST_SHARES = 50
"""Most links of one conversation."""
_TOKEN_BYTES = 24
_SHOWN = ("user", "assistant")


class Share(TypedDict):
    """A link as its owner sees it; times are ISO 8601 UTC, `opened` how often it was."""

    id: int
    session_id: str
    created_at: str
    expires_at: str
    opened: int
    files: bool
    quotes: bool


class SharedQuote(TypedDict):
    """Words of a source that an answer rests on; `page` where it has pages."""

    number: int
    name: str
    quote: str
    page: NotRequired[int | str]


class SharedFile(TypedDict):
    """A file of a message; with `number` it can be loaded."""

    name: str
    number: NotRequired[int]


class SharedMessage(TypedDict):
    """A message as a link shows it."""

    role: str
    text: str
    state: str
    created: str
    files: list[SharedFile]
    quotes: list[SharedQuote]


class SharedConversation(TypedDict):
    """What a link shows; times are ISO 8601 UTC."""

    title: str
    shared_at: str
    expires_at: str
    messages: list[SharedMessage]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link leads to: `owner` is the thread, `files` the ids of the files that can be loaded."""

    owner: Owner
    shown: SharedConversation
    files: list[str]


class Shares:
    """The links of all users. Every method raises `Unavailable` when the database does not answer.

    A link is known by the hash of its token alone: what is stored opens nothing.
    """

    def __init__(self, database: Database) -> None:
        """Keep the database, which its owner closes."""
        self._database = database

    async def add(self, owner: Owner, *, seconds: float, files: bool, quotes: bool) -> tuple[str, Share]:
        """Make a link to what is shown of a conversation now; return its token, which nobody can look up later.

        Raises:
            BadInput: It has `MOST_SHARES` links already.
            UnknownSession: There is no such conversation.
        """
        token, now = secrets.token_urlsafe(_TOKEN_BYTES), time.time()

        def change(db: Connection) -> int:
            row = tree.known(db, owner)
            # On PostgreSQL this waits for a deletion of the conversation, or lets it wait, and then find the link.
            db.execute(select(conversations.c.id).where(conversations.c.id == row.id).with_for_update())
            row = tree.known(db, owner)
            mine = _of(owner)
            db.execute(delete(shares).where(mine, shares.c.expires <= now))
            if (db.scalar(select(func.count()).select_from(shares).where(mine)) or 0) >= MOST_SHARES:
                raise BadInput(reason=Words(
                    f"this conversation has {MOST_SHARES} links already; revoke some of them",
                    f"此对话已有 {MOST_SHARES} 个链接；请先撤销一些",
                ))  # fmt: skip
            shown = [tree.placed(entry) for entry in tree.path(db, row.id, row.leaf) if entry.role in _SHOWN]
            messages, ids = _snapshot(shown, files=files, quotes=quotes)
            values = {
                "user_id": owner.user_id, "thread_id": owner.thread_id or "", "hash": _hash(token), "created": now,
                "expires": now + seconds, "opened": 0, "with_files": files, "with_quotes": quotes,
                "shown": {"title": row.title, "messages": messages}, "files": ids,
            }  # fmt: skip
            return int(db.execute(insert(shares).returning(shares.c.id), values).scalar_one())

        number = await self._database.write(change)
        (made,) = await self._listed(shares.c.id == number)
        return token, made

    async def of(self, owner: Owner) -> list[Share]:
        """Return the links of a conversation that open, newest first."""
        return await self._listed(_of(owner), shares.c.expires > time.time())

    async def open(self, token: str, *, count: bool = False) -> Opened:
        """Return what a link shows.

        Args:
            token: What the link ends with.
            count: Whether somebody reads it now.

        Raises:
            UnknownShare: It has expired, was revoked, or never was one.
        """
        now = time.time()
        here = shares.c.hash == _hash(token)

        def query(db: Connection) -> Any:
            return db.execute(select(shares).where(here, shares.c.expires > now)).first()

        row = await self._database.read(query)
        if row is None:
            raise UnknownShare
        if count:
            more = update(shares).where(here).values(opened=shares.c.opened + 1)
            await self._database.write(lambda db: db.execute(more))
        shown = SharedConversation(
            title=row.shown["title"], messages=row.shown["messages"], shared_at=iso_time(row.created),
            expires_at=iso_time(row.expires),
        )  # fmt: skip
        return Opened(Owner(row.user_id, row.thread_id), shown, row.files)

    async def remove(self, owner: Owner, number: int) -> bool:
        """Revoke a link; return whether the conversation had it."""
        return await self._remove(_of(owner), shares.c.id == number) > 0

    async def clear(self, owner: Owner) -> int:
        """Revoke all links of a conversation; return how many there were."""
        return await self._remove(_of(owner))

    async def expire(self) -> int:
        """Delete what expired links showed; return how many there were."""
        return await self._remove(shares.c.expires <= time.time())

    async def export(self, user_id: str) -> AsyncIterator[tuple[str, Any]]:
        """Yield the links of a user and what they show, as one file; see `PersonalData`."""
        query = select(shares).where(shares.c.user_id == user_id).order_by(shares.c.id)
        rows = await self._database.read(lambda db: db.execute(query).all())
        if rows:
            yield "shared links.json", [{**_share(row), **row.shown} for row in rows]

    async def forget(self, user_id: str) -> dict[str, int]:
        """Revoke all links of a user; see `PersonalData`."""
        return {"shares": await self._remove(shares.c.user_id == user_id)}

    async def _listed(self, *which: ColumnElement[bool]) -> list[Share]:
        query = select(shares).where(*which).order_by(shares.c.id.desc())
        return [_share(row) for row in await self._database.read(lambda db: db.execute(query).all())]

    async def _remove(self, *which: ColumnElement[bool]) -> int:
        return int(await self._database.write(lambda db: db.execute(delete(shares).where(*which)).rowcount))


def _of(owner: Owner) -> ColumnElement[bool]:
    return (shares.c.user_id == owner.user_id) & (shares.c.thread_id == (owner.thread_id or ""))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _share(row: Any) -> Share:
    return Share(
        id=row.id, session_id=row.thread_id, created_at=iso_time(row.created), expires_at=iso_time(row.expires),
        opened=row.opened, files=row.with_files, quotes=row.with_quotes,
    )  # fmt: skip


def _snapshot(entries: list[Message], *, files: bool, quotes: bool) -> tuple[list[SharedMessage], list[str]]:
    """Return messages as a link shows them, and the ids of their files that can be loaded, by number."""
    ids: list[str] = []
    # A question knows its files by id, the answer by name.
    names = {item.get("id"): str(item["name"]) for entry in entries for item in entry.get("attachments", [])
             if item.get("name")}  # fmt: skip
    return [
        SharedMessage(
            role=entry.get("role", ""), text=entry.get("text", ""), state=entry.get("state", "done"),
            created=entry.get("created", ""), files=_files(entry, names, ids if files else None),
            quotes=[_quote(item) for item in entry.get("citations", [])] if quotes else [],
        )
        for entry in entries
    ], ids  # fmt: skip


def _files(entry: Message, names: dict[Any, str], ids: list[str] | None) -> list[SharedFile]:
    """Return the files of a message; where they can be loaded, their ids are added to `ids`."""
    found: list[SharedFile] = []
    # An answer repeats the files of its question; what it adds are those that it made.
    own = entry.get("attachments", []) if entry.get("role") == "user" else entry.get("artifacts", [])
    for item in own:
        file = SharedFile(name=str(item.get("name") or names.get(item.get("id"), "")))
        if ids is not None and item.get("id"):
            file["number"] = len(ids)
            ids.append(item["id"])
        found.append(file)
    return found


def _quote(item: dict[str, Any]) -> SharedQuote:
    shown = SharedQuote(
        number=int(item.get("number") or 0), name=str(item.get("name") or item.get("url") or ""),
        quote=str(item.get("quote", "")),
    )  # fmt: skip
    if item.get("page"):
        shown["page"] = item.get("label") or item["page"]
    return shown
