from __future__ import annotations

import asyncio
import time

import pytest

from domain.errors import UnknownKey, UnknownUser
from stores.people.users import KNOWN_SECONDS, Users
from stores.sql.database import Database


async def test_a_key_works_until_it_expires_or_is_revoked_anywhere(database: Database) -> None:
    here, elsewhere = Users(database), Users(database)
    ann = await here.add("Ann")
    _, brief = await here.add_key(ann.id, "brief", seconds=0.05)
    lasting, key = await here.add_key(ann.id, "lasting")
    await asyncio.sleep(0.1)
    assert await here.of_key(brief) is None
    assert await here.of_key(key) == await elsewhere.of_key(key) == (ann, lasting)
    with pytest.raises(UnknownKey):
        await here.revoke("another", lasting.id)
    await elsewhere.revoke(ann.id, lasting.id)
    assert await elsewhere.of_key(key) is None
    await asyncio.sleep(KNOWN_SECONDS + 0.05)
    assert await here.of_key(key) is None


async def test_a_disabled_user_is_nobody_and_a_removed_one_is_unknown(database: Database) -> None:
    users = Users(database)
    ann = await users.add("Ann", quota={"tokens": 5})
    _, key = await users.add_key(ann.id, "first")
    assert await users.quota(ann.id) == {"tokens": 5} and await users.quota("another") is None
    await users.change(ann.id, disabled=True)
    assert await users.of_key(key) is None
    await users.change(ann.id, disabled=False)
    await users.remove(ann.id)
    assert await users.of_key(key) is None and await users.keys(ann.id) == []
    with pytest.raises(UnknownUser):
        await users.change(ann.id, name="x")


async def test_a_further_key_of_somebody_whom_the_settings_name_is_listed(database: Database) -> None:
    users = Users(database)
    _, key = await users.add_key("key-1", "laptop")
    found = await users.of_key(key)
    assert found is not None and (found[0].id, found[0].role) == ("key-1", "user")
    assert await users.with_keys_alone() == ["key-1"]
    await users.adopt("key-1")
    assert await users.with_keys_alone() == [] and (await users.get("key-1")).name == ""


async def test_a_session_is_no_key_ends_everywhere_and_goes_with_its_user(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, elsewhere = Users(database), Users(database)
    first, second = [await here.sign_in("oidc-1", "Ann", role, 60) for role in ("admin", None)]
    found = await elsewhere.of_session(first)
    assert found is not None and (found.id, found.name, found.role) == ("oidc-1", "Ann", "admin")
    assert await here.of_key(first) is None and await here.keys("oidc-1") == []
    await here.sign_out(first)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + KNOWN_SECONDS + 0.1)
    assert await elsewhere.of_session(first) is None and await elsewhere.of_session(second) is not None
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert await elsewhere.of_session(second) is None
    third = await here.sign_in("oidc-1", "Other", "user", 60)
    found = await here.of_session(third)
    assert found is not None and (found.name, found.role) == ("Ann", "user")
    await here.remove("oidc-1")
    assert await here.of_session(third) is None
    await here.sign_in("oidc-1", "Ann", None, 60)
    await here.change("oidc-1", disabled=True)
    assert await here.sign_in("oidc-1", "Ann", None, 60) == ""
