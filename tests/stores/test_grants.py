from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from domain.owner import Owner
from settings import Settings
from stores.grants import Grants
from stores.sql.database import Database

RULE = {"tool": "builtin:fetch_url", "decision": "allow", "arguments": {"url": "https://example.org/*"}}
HERE, ELSEWHERE, OTHER = Owner("ann", "t1"), Owner("ann", "t2"), Owner("bob", "t1")


@pytest_asyncio.fixture
async def grants(settings: Settings) -> AsyncIterator[Grants]:
    database = await Database.open(settings)
    yield Grants(database)
    await database.aclose()


async def test_a_rule_holds_in_its_thread_or_everywhere_for_its_user(grants: Grants) -> None:
    await grants.add(HERE, RULE, lasting=False)
    await grants.add(HERE, RULE, lasting=False)
    await grants.add(HERE, {**RULE, "decision": "deny"}, lasting=True)
    assert [(rule["session_id"], rule["rule"]["decision"]) for rule in await grants.of(HERE)] == [
        ("t1", "allow"), ("", "deny"),
    ]  # fmt: skip
    assert [rule["rule"]["decision"] for rule in await grants.of(ELSEWHERE)] == ["deny"]
    assert await grants.of(OTHER) == []
    (lasting,) = await grants.of(ELSEWHERE)
    assert not await grants.remove("bob", lasting["id"])
    assert await grants.remove("ann", lasting["id"]) and await grants.of(ELSEWHERE) == []


async def test_rules_go_with_their_thread_and_their_user(grants: Grants) -> None:
    for owner in (HERE, OTHER):
        await grants.add(owner, RULE, lasting=False)
        await grants.add(owner, RULE, lasting=True)
    assert await grants.clear(HERE) == 1 and len(await grants.of(HERE)) == 1
    assert [(name, len(rules)) async for name, rules in grants.export("bob")] == [("permissions.json", 2)]
    assert await grants.forget("bob") == {"permissions": 2} and await grants.forget("bob") == {"permissions": 0}
    assert [name async for name, _ in grants.export("bob")] == [] and len(await grants.of(HERE)) == 1


async def test_the_oldest_rule_makes_room(grants: Grants, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stores.grants.MOST_GRANTS", 3)
    for number in range(5):
        await grants.add(HERE, {**RULE, "arguments": {"url": str(number)}}, lasting=True)
    kept = await grants.of(HERE)
    assert len(kept) == 3 and kept[0]["rule"]["arguments"] == {"url": "2"}
