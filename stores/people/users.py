"""Users, their API keys, and the sessions of their browsers.

Keys are kept as SHA-256: they are 256 random bits, so that a slow hash would add nothing. A process looks a key up at
most once in `KNOWN_SECONDS`; what is revoked anywhere stops working everywhere within that time. A session is a key
that only a cookie carries: it begins otherwise, and is not listed among the keys.
"""

from __future__ import annotations

import secrets
import time
import uuid
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal

from sqlalchemy import Connection, delete, insert, select, update

from domain.errors import UnknownKey, UnknownUser
from domain.limits import Limits
from stores.people.brief_cache import BriefCache
from stores.sql.database import Database, lock
from stores.sql.tables import api_keys, users

Role = Literal["user", "admin"]
PREFIX: Final = "lcb_"
SESSION_PREFIX: Final = "lcs_"
SHOWN_CHARS: Final = 10
KNOWN_SECONDS: Final = 1.0
KNOWN_KEYS: Final = 4096
QUOTA_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who uses the installation. `quota` is what a day may use, instead of what the settings say."""

    id: str
    name: str
    role: Role = "user"
    disabled: bool = False
    created: float = 0.0
    quota: Limits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key, without the key: `prefix` is how it begins. Times are Unix time, 0 for never.

    `quota` is what a day may use with this key, within what the user may. A key that has one opens no other doors: it
    makes no keys and is no administrator's.
    """

    id: str
    user_id: str
    name: str
    prefix: str
    created: float
    expires: float = 0.0
    quota: Limits | None = None


calling_key: ContextVar[ApiKey | None] = ContextVar("calling_key", default=None)
"""The key of this table with which the work at hand was asked for."""
calling_user: ContextVar[str] = ContextVar("calling_user", default="")
"""The user whom the work at hand is for; empty for the server's own."""


def comes_with_limited_key() -> bool:
    """Tell whether the work at hand was asked for with a key that has a quota of its own."""
    return (key := calling_key.get()) is not None and key.quota is not None


_USER = [users.c[name] for name in User.__dataclass_fields__]
_KEY = [api_keys.c[name] for name in ApiKey.__dataclass_fields__]
_KEYS = api_keys.c.prefix.startswith(PREFIX, autoescape=True)


class Users:
    """Users and keys of an installation; those of the settings are not among them."""

    def __init__(self, database: Database) -> None:
        """Keep the database, which its owner closes."""
        self._database = database
        self._known = BriefCache[tuple[User, ApiKey] | None](KNOWN_SECONDS, KNOWN_KEYS)
        self._quotas = BriefCache[Limits | None](QUOTA_SECONDS, KNOWN_KEYS)

    async def of_key(self, key: str) -> tuple[User, ApiKey] | None:
        """Return whose key this is, and it; None for one that is unknown, revoked, expired, or of somebody disabled."""
        return await self._of(key) if key.startswith(PREFIX) else None

    async def of_session(self, session: str) -> User | None:
        """Return whose session this is; None for one that is unknown, ended, expired, or of somebody kept out."""
        found = await self._of(session) if session.startswith(SESSION_PREFIX) else None
        return found and found[0]

    async def _of(self, key: str) -> tuple[User, ApiKey] | None:
        digest, session = _digest(key), key.startswith(SESSION_PREFIX)
        read = self._database.read
        return await self._known.get(digest, lambda: read(lambda db: _of_key(db, digest, time.time(), session=session)))

    async def all(self) -> list[User]:
        """Return all users, oldest first."""
        rows = await self._database.read(lambda db: db.execute(select(*_USER).order_by(users.c.created)).all())
        return [User(**row._mapping) for row in rows]

    async def with_keys_alone(self) -> list[str]:
        """Return the ids that have keys here and are no users of this table: those whom the settings name, or named."""
        query = select(api_keys.c.user_id).where(api_keys.c.user_id.not_in(select(users.c.id)), _KEYS).distinct()
        return await self._database.read(lambda db: list(db.scalars(query)))

    async def get(self, user_id: str) -> User:
        """Return a user.

        Raises:
            UnknownUser: There is none of this id.
        """
        query = select(*_USER).where(users.c.id == user_id)
        row = await self._database.read(lambda db: db.execute(query).first())
        if row is None:
            raise UnknownUser(id=user_id)
        return User(**row._mapping)

    async def quota(self, user_id: str) -> Limits | None:
        """Return the quota of a user, known for `QUOTA_SECONDS`; None where the settings decide."""
        return await self._quotas.get(user_id, lambda: self._database.read(lambda db: _quota(db, user_id)))

    async def add(self, name: str, role: Role = "user", quota: Limits | None = None) -> User:
        """Make a user."""
        return await self._insert(
            User(id=f"user-{uuid.uuid4().hex[:20]}", name=name, role=role, created=time.time(), quota=quota)
        )

    async def adopt(self, user_id: str) -> User:
        """Make an entry for somebody whom the settings name by a key, so that they can have a name and a quota."""
        return await self._insert(User(id=user_id, name="", created=time.time()))

    async def remove(self, user_id: str) -> None:
        """Remove a user and their keys; what they have written is not here."""

        def change(db: Connection) -> None:
            db.execute(delete(api_keys).where(api_keys.c.user_id == user_id))
            db.execute(delete(users).where(users.c.id == user_id))

        await self._database.write(change)
        self._known.clear()
        self._quotas.clear()

    async def _insert(self, made: User) -> User:
        values = {field: getattr(made, field) for field in User.__dataclass_fields__}
        await self._database.write(lambda db: db.execute(insert(users).values(**values)))
        return made

    async def change(self, user_id: str, **changes: Any) -> User:
        """Change name, role, quota, or whether a user may come in.

        Raises:
            UnknownUser: There is none of this id.
        """
        statement = update(users).where(users.c.id == user_id).values(**changes)
        if changes and not await self._database.write(lambda db: db.execute(statement).rowcount):
            raise UnknownUser(id=user_id)
        self._known.clear()
        self._quotas.clear()
        return await self.get(user_id)

    async def keys(self, user_id: str) -> list[ApiKey]:
        """Return a user's keys, oldest first."""
        query = select(*_KEY).where(api_keys.c.user_id == user_id, _KEYS).order_by(api_keys.c.created)
        rows = await self._database.read(lambda db: db.execute(query).all())
        return [ApiKey(**row._mapping) for row in rows]

    async def add_key(
        self, user_id: str, name: str, *, seconds: float = 0.0, quota: Limits | None = None
    ) -> tuple[ApiKey, str]:
        """Make a key of a user; return what is kept of it, and the key itself, which cannot be had again.

        Args:
            user_id: Whose. It may be a user whom the settings name by a key.
            name: What it is for.
            seconds: How long it works; 0: until it is revoked.
            quota: What a day may use with it.
        """
        return await self._add(PREFIX, user_id, name, seconds, quota)

    async def sign_in(self, user_id: str, name: str, role: Role | None, seconds: float) -> str:
        """Begin a session of somebody whom a provider names; make the user at the first one.

        Args:
            user_id: Made of what the provider says, so that it is no other user's.
            name: What they are called; it is taken over at the first sign-in alone.
            role: What they are from now on; None: what they were, at first a user.
            seconds: How long the session lasts.

        Returns:
            The session, which cannot be had again; empty for somebody who is kept out.
        """
        now = time.time()
        made = User(id=user_id, name=name, role=role or "user", created=now)

        def change(db: Connection) -> bool:
            lock(db, f"user {user_id}")
            disabled = db.scalar(select(users.c.disabled).where(users.c.id == user_id))
            if disabled is None:
                db.execute(insert(users).values({field: getattr(made, field) for field in User.__dataclass_fields__}))
            elif role is not None:
                db.execute(update(users).where(users.c.id == user_id).values(role=role))
            old = (api_keys.c.user_id == user_id, ~_KEYS, api_keys.c.expires < now)
            db.execute(delete(api_keys).where(*old))
            return not disabled

        let_in = await self._database.write(change)
        self._known.clear()
        return (await self._add(SESSION_PREFIX, user_id, "session", seconds))[1] if let_in else ""

    async def sign_out(self, session: str) -> None:
        """End a session: at once here, and within `KNOWN_SECONDS` elsewhere."""
        statement = delete(api_keys).where(api_keys.c.hash == _digest(session), ~_KEYS)
        await self._database.write(lambda db: db.execute(statement))
        self._known.clear()

    async def _add(
        self, prefix: str, user_id: str, name: str, seconds: float, quota: Limits | None = None
    ) -> tuple[ApiKey, str]:
        key, now = prefix + secrets.token_urlsafe(32), time.time()
        made = ApiKey(
            id=uuid.uuid4().hex[:20], user_id=user_id, name=name, prefix=key[:SHOWN_CHARS], created=now,
            expires=now + seconds if seconds else 0.0, quota=quota,
        )  # fmt: skip
        values = {field: getattr(made, field) for field in ApiKey.__dataclass_fields__} | {"hash": _digest(key)}
        await self._database.write(lambda db: db.execute(insert(api_keys).values(**values)))
        return made, key

    async def revoke(self, user_id: str, key_id: str) -> None:
        """Revoke a key: it stops working at once here, and within `KNOWN_SECONDS` elsewhere.

        Raises:
            UnknownKey: The user has no such key.
        """
        statement = delete(api_keys).where(api_keys.c.user_id == user_id, api_keys.c.id == key_id, _KEYS)
        if not await self._database.write(lambda db: db.execute(statement).rowcount):
            raise UnknownKey(id=key_id)
        self._known.clear()


def _quota(db: Connection, user_id: str) -> Limits | None:
    found: Limits | None = db.scalar(select(users.c.quota).where(users.c.id == user_id))
    return found


def _of_key(db: Connection, digest: str, now: float, *, session: bool) -> tuple[User, ApiKey] | None:
    found = db.execute(select(*_KEY).where(api_keys.c.hash == digest)).first()
    if found is None or (found.expires and found.expires < now):
        return None
    key = ApiKey(**found._mapping)
    row = db.execute(select(*_USER).where(users.c.id == key.user_id)).first()
    if row is None:  # a further key of somebody whom the settings name; who signs in by a provider is never without one
        return None if session else (User(id=key.user_id, name=""), key)
    return None if row.disabled else (User(**row._mapping), key)


def _digest(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
