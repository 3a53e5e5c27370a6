from __future__ import annotations

import asyncio

import pytest

from domain.errors import UnknownMemory
from stores.people.profiles import MOST_OF_A_FIELD, Profile, Profiles
from stores.sql.database import Database


def said(field: str, value: str, words: str = "I said so.") -> dict[str, str]:
    return {"field": field, "value": value, "said": words, "session_id": "s", "run_id": "r"}


async def test_what_is_set_wins_over_what_is_learned_and_what_is_forgotten_stays_away(database: Database) -> None:
    here, elsewhere = Profiles(database), Profiles(database)
    await here.put("ann", Profile(name="Ann", tone="formal"))
    new = await here.learn("ann", [said("name", "Annie"), said("length", "short"), said("length", "endless")])
    assert [(one["field"], one["value"]) for one in new] == [("name", "Annie"), ("length", "short")]
    assert await here.get("ann") == {"name": "Ann", "tone": "formal", "length": "short"}
    await elsewhere.put("ann", Profile())
    assert await elsewhere.get("ann") == {"name": "Annie", "length": "short"} and await elsewhere.own("ann") == {}
    await elsewhere.unlearn("ann", new[0]["id"])
    assert await elsewhere.learn("ann", [said("name", "annie", "Call me annie!")]) == []
    assert [one["value"] for one in await elsewhere.learn("ann", [said("name", "Anna")])] == ["Anna"]
    with pytest.raises(UnknownMemory):
        await elsewhere.unlearn("bob", new[1]["id"])
    assert await elsewhere.get("bob") == {}
    assert await elsewhere.forget("ann") == {"profile": 1} and await elsewhere.learned("ann") == []
    assert [one["value"] for one in await elsewhere.learn("ann", [said("name", "Annie")])] == ["Annie"]


async def test_several_hold_side_by_side_and_none_is_lost_to_another(database: Database) -> None:
    profiles = Profiles(database)
    await asyncio.gather(*(Profiles(database).learn("ann", [said("interests", f"topic {n}")]) for n in range(4)))
    assert len(await profiles.learned("ann")) == MOST_OF_A_FIELD
    await profiles.learn("ann", [said("interests", "x" * 70)])
    kept = await profiles.learned("ann")
    assert len(kept) == MOST_OF_A_FIELD and kept[-1]["value"] == "x" * 70
    assert (await profiles.get("ann"))["interests"].startswith("x" * 70) and len(
        (await profiles.get("ann"))["interests"]
    ) <= 80


async def test_the_zone_of_a_device_gives_way_to_what_the_user_said(database: Database) -> None:
    profiles = Profiles(database)
    assert await profiles.time_zone("ann", "Mars/Base") == ""
    await profiles.learn("ann", [said("time_zone", "Asia/Tokyo", "")])
    assert await profiles.time_zone("ann", "") == "Asia/Tokyo"
    assert await profiles.time_zone("ann", "Europe/Oslo") == "Europe/Oslo"
    await profiles.learn("ann", [said("time_zone", "Asia/Tokyo", "My time zone is Asia/Tokyo.")])
    await profiles.learn("ann", [said("time_zone", "Europe/Oslo", "")])
    assert await profiles.time_zone("ann", "Europe/Oslo") == "Asia/Tokyo"
    await profiles.put("ann", Profile(time_zone="Europe/Rome"))
    assert await profiles.time_zone("ann", "Europe/Oslo") == "Europe/Rome"
