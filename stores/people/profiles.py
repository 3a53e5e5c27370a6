"""How users want to be answered: what they set, and what was learned of what they said. What they set wins.

What is learned lies beside what is set, each item with the words it was learned from. What a user has forgotten of it
is not learned again: only a keyed hash of it stays.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import Annotated, Any, Final, Literal, get_args
from zoneinfo import available_timezones

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy import Connection, delete, insert, select, update
from typing_extensions import TypedDict

from domain.errors import BadInput, UnknownMemory
from domain.words import Words
from stores.people.brief_cache import BriefCache
from stores.sql.database import Database, lock
from stores.sql.tables import profiles

KNOWN_SECONDS: Final = 10.0
KNOWN_USERS: Final = 1024
MOST_OF_A_FIELD: Final = 4
MOST_FORGOTTEN: Final = 200

ProfileField = Literal["name", "language", "tone", "length", "format", "expertise", "interests", "time_zone"]
FIELDS: Final[tuple[ProfileField, ...]] = get_args(ProfileField)
SEVERAL: Final = frozenset({"expertise", "interests"})
"""Of these several hold side by side."""


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
    pii: Annotated[
        Literal["", "mask", "block"],
        Field(description="Personal data on its way to hosted services, of every request; never less than PII says."),
    ]


class Learned(TypedDict):
    """Something that was learned: of which words, said when (Unix time) and where.

    A time zone without words is that of the user's browser.
    """

    id: str
    field: ProfileField
    value: str
    said: str
    session_id: str
    run_id: str
    created: float


class _Row(TypedDict):
    profile: Profile
    learned: list[Learned]
    forgotten: list[str]


_PROFILE: Final = TypeAdapter(Profile)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


async def is_zone(name: str) -> bool:
    """Tell whether a name is one of an IANA time zone."""
    if not name:
        return False
    return name in (_zones() if _zones.cache_info().currsize else await asyncio.to_thread(_zones))


class Profiles:
    """The profiles of all users; a process reads one at most once in `KNOWN_SECONDS`."""

    def __init__(self, database: Database) -> None:
        """Keep the database, which its owner closes."""
        self._database = database
        self._known = BriefCache[_Row](KNOWN_SECONDS, KNOWN_USERS)

    async def get(self, user_id: str) -> Profile:
        """Return how a user wants to be answered: what they set, and where they set nothing what was learned."""
        row = await self._row(user_id)
        return Profile(**{**_together(row["learned"]), **row["profile"]})  # type: ignore[typeddict-item]

    async def own(self, user_id: str) -> Profile:
        """Return what a user has set; empty without anything."""
        return (await self._row(user_id))["profile"]

    async def time_zone(self, user_id: str, device: str) -> str:
        """Return the IANA name of a user's time zone; empty for unknown.

        Args:
            user_id: Whose.
            device: Zone of the device that they use now; what they set or said themselves comes before it.
        """
        row = await self._row(user_id)
        said = [one["value"] for one in row["learned"] if one["field"] == "time_zone" and one["said"]]
        zone = (
            row["profile"].get("time_zone") or (said[-1] if said else "") or (device if await is_zone(device) else "")
        )
        return zone or _together(row["learned"]).get("time_zone", "")

    async def learned(self, user_id: str) -> list[Learned]:
        """Return what was learned of a user, oldest first."""
        return (await self._row(user_id))["learned"]

    async def put(self, user_id: str, profile: Profile) -> None:
        """Replace what a user has set.

        Raises:
            BadInput: There is no such time zone.
        """
        if (zone := profile.get("time_zone")) and not await is_zone(zone):
            raise BadInput(reason=Words(f"{zone!r} is no IANA time zone", f"{zone!r} 不是 IANA 时区名"))
        kept = {name: value for name, value in profile.items() if value}
        await self._change(user_id, lambda row: row.update(profile=kept))  # type: ignore[call-arg]

    async def learn(self, user_id: str, found: Sequence[Mapping[str, str]]) -> list[Learned]:
        """Keep what was found; return what is new of it. What was forgotten, or cannot be a value, is not kept.

        Args:
            user_id: Whose.
            found: `field`, `value`, `said`, `session_id`, `run_id` of each.
        """
        sound = [Learned(**one, id=uuid.uuid4().hex[:20], created=time.time()) for one in found if _fits(one)]  # type: ignore[typeddict-item]
        new: list[Learned] = []

        def change(row: _Row) -> None:
            new.clear()
            for one in sound:
                before = [item for item in row["learned"] if item["field"] == one["field"]]
                better = [item for item in before if item["said"] or not one["said"]]
                guess = one["field"] == "time_zone" and not one["said"] and any(item["said"] for item in before)
                known = any(item["value"].lower() == one["value"].lower() for item in better)
                if guess or known or _mark(user_id, one) in row["forgotten"]:
                    continue
                stay = before[1 - MOST_OF_A_FIELD :] if one["field"] in SEVERAL else []
                others = [item for item in row["learned"] if item["field"] != one["field"]]
                row["learned"] = [*others, *stay, one]
                new.append(one)

        change({**(await self._row(user_id))})  # most turns bring nothing new, and write nothing
        if new:
            await self._change(user_id, change)
        return new

    async def unlearn(self, user_id: str, identity: str) -> None:
        """Forget something that was learned, for good.

        Raises:
            UnknownMemory: Nothing of this id was learned of this user.
        """

        def change(row: _Row) -> None:
            item = next((one for one in row["learned"] if one["id"] == identity), None)
            if item is None:
                raise UnknownMemory(id=identity)
            row["learned"] = [one for one in row["learned"] if one["id"] != identity]
            row["forgotten"] = [*row["forgotten"], _mark(user_id, item)][-MOST_FORGOTTEN:]

        await self._change(user_id, change)

    async def export(self, user_id: str) -> AsyncIterator[tuple[str, Any]]:
        """Yield what a user has set and what was learned of them; see `PersonalData`."""
        row = await self._row(user_id)
        if row["profile"]:
            yield "profile.json", dict(row["profile"])
        if row["learned"]:
            yield "profile_learned.json", row["learned"]

    async def forget(self, user_id: str) -> dict[str, int]:
        """Delete a user's profile; see `PersonalData`."""
        statement = delete(profiles).where(profiles.c.user_id == user_id)
        gone = await self._database.write(lambda db: db.execute(statement).rowcount)
        self._known.drop(user_id)
        return {"profile": gone}

    async def _row(self, user_id: str) -> _Row:
        return await self._known.get(user_id, lambda: self._database.read(lambda db: _read(db, user_id)))

    async def _change(self, user_id: str, change: Callable[[_Row], object]) -> None:
        def write(db: Connection) -> None:
            lock(db, f"profile {user_id}")
            row = _read(db, user_id)
            change(row)
            if not db.execute(update(profiles).where(profiles.c.user_id == user_id).values(**row)).rowcount:
                db.execute(insert(profiles).values(user_id=user_id, **row))

        await self._database.write(write)
        self._known.drop(user_id)


def _read(db: Connection, user_id: str) -> _Row:
    columns = [profiles.c.profile, profiles.c.learned, profiles.c.forgotten]
    row = db.execute(select(*columns).where(profiles.c.user_id == user_id)).first()
    found = row._mapping if row else {}
    return _Row(
        profile=Profile(**(found.get("profile") or {})),  # type: ignore[typeddict-item]
        learned=list(found.get("learned") or []),
        forgotten=list(found.get("forgotten") or []),
    )


def _together(learned: Sequence[Learned]) -> dict[str, str]:
    """Return the value of each field: the newest of several first, as many as there is room for."""
    found: dict[str, str] = {}
    for one in reversed(learned):
        field, value = one["field"], one["value"]
        if field not in found:
            found[field] = value
        elif _fits({"field": field, "value": joined} if (joined := f"{found[field]}, {value}") else {}):
            found[field] = joined
    return found


def _fits(one: Mapping[str, str]) -> bool:
    try:
        _PROFILE.validate_python({one["field"]: one["value"]})
    except ValidationError:
        return False
    return bool(one["value"].strip())


def _mark(user_id: str, one: Learned) -> str:
    said = f"{one['field']}\0{one['value'].lower()}"
    return blake2b(said.encode("utf-8", "replace"), key=user_id.encode()[:64], digest_size=16).hexdigest()
