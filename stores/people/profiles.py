"""How users want to be answered: what every turn of theirs knows of them."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal
from zoneinfo import available_timezones

from pydantic import ConfigDict, Field
from sqlalchemy import Connection, delete, insert, select, update
from typing_extensions import TypedDict

from domain.errors import BadInput
from domain.words import Words
from stores.sql.database import Database, lock
from stores.sql.tables import profiles

KNOWN_SECONDS: Final = 10.0
KNOWN_USERS: Final = 1024


class Profile(TypedDict, total=False):
    """What a user wants; what is left out is not said."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    name: Annotated[str, Field(max_length=60, description="How to call the user.")]
    language: Annotated[Literal["", "en", "zh"], Field(description="Language of answers, where a turn does not say.")]
    tone: Annotated[str, Field(max_length=60, description="`formal`, `friendly`, ...")]
    length: Annotated[Literal["", "short", "medium", "long"], Field(description="How long answers are to be.")]
    format: Annotated[str, Field(max_length=60, description="`bullet points`, `no tables`, ...")]
    expertise: Annotated[str, Field(max_length=80, description="What the user knows well.")]
    interests: Annotated[str, Field(max_length=80, description="What the user cares for.")]
    time_zone: Annotated[str, Field(max_length=60, description="IANA name, such as `Asia/Shanghai`.")]


class Profiles:
    """The profiles of all users; a process reads one at most once in `KNOWN_SECONDS`."""

    def __init__(self, database: Database) -> None:
        """Keep the database, which its owner closes."""
        self._database = database
        self._known: OrderedDict[str, tuple[float, Profile]] = OrderedDict()

    async def get(self, user_id: str) -> Profile:
        """Return a user's profile; empty without one."""
        known = self._known.get(user_id)
        if known is None or known[0] < time.monotonic():
            query = select(profiles.c.profile).where(profiles.c.user_id == user_id)
            found = await self._database.read(lambda db: db.scalar(query))
            profile = Profile(**(found or {}))  # type: ignore[typeddict-item]
            known = self._known[user_id] = (time.monotonic() + KNOWN_SECONDS, profile)
            self._known.move_to_end(user_id)
            while len(self._known) > KNOWN_USERS:
                self._known.popitem(last=False)
        return known[1]

    async def put(self, user_id: str, profile: Profile) -> None:
        """Replace a user's profile.

        Raises:
            BadInput: There is no such time zone.
        """
        if (zone := profile.get("time_zone")) and zone not in await asyncio.to_thread(available_timezones):
            raise BadInput(reason=Words(f"{zone!r} is no IANA time zone", f"{zone!r} 不是 IANA 时区名"))
        kept = {name: value for name, value in profile.items() if value}

        def change(db: Connection) -> None:
            lock(db, f"profile {user_id}")
            here = profiles.c.user_id == user_id
            if not db.execute(update(profiles).where(here).values(profile=kept)).rowcount:
                db.execute(insert(profiles).values(user_id=user_id, profile=kept))

        await self._database.write(change)
        self._known.pop(user_id, None)

    async def export(self, user_id: str) -> AsyncIterator[tuple[str, Any]]:
        """Yield a user's profile; see `PersonalData`."""
        if profile := await self.get(user_id):
            yield "profile.json", dict(profile)

    async def forget(self, user_id: str) -> dict[str, int]:
        """Delete a user's profile; see `PersonalData`."""
        self._known.pop(user_id, None)
        statement = delete(profiles).where(profiles.c.user_id == user_id)
        return {"profile": await self._database.write(lambda db: db.execute(statement).rowcount)}
