from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from langchain_core.messages import AIMessage
from sqlalchemy import insert

from domain.errors import DailyQuotaSpent
from domain.limits import Spent
from settings import Settings
from stores.people.usage import UsageBook
from stores.people.users import Users, calling_user
from stores.sql.database import Database
from stores.sql.tables import usage


def spent(tokens: int, calls: int = 1) -> Spent:
    return Spent(tokens=tokens, seconds=0.1, calls=calls, money=0.5, agents=0)


async def test_what_two_processes_count_is_one_day(settings: Settings, database: Database) -> None:
    here, elsewhere = (UsageBook(settings, database, Users(database)) for _ in range(2))
    here.add("ann", spent(10))
    elsewhere.add("ann", spent(5))
    elsewhere.add("ann", spent(0, calls=0))
    await elsewhere.flush()
    today = await here.today("ann")
    assert (today["turns"], today["tokens"], today["calls"], today["money"]) == (2, 15, 2, 1.0)
    await here.flush()
    assert (await elsewhere.everyone())["ann"]["tokens"] == 15 and await here.days("bob") == []
    assert await here.forget("ann") == {"usage": 1} and await here.days("ann") == []


async def test_an_answer_beside_a_turn_counts_for_whom_it_was_made(settings: Settings, database: Database) -> None:
    priced = settings.model_copy(update={"model_prices": {"small": (1.0, 4.0)}})
    book = UsageBook(priced, database, Users(database))
    said = AIMessage("So.", usage_metadata={"input_tokens": 1000, "output_tokens": 250, "total_tokens": 1250})
    book.add_answer(said, "small")
    assert await book.everyone() == {}, "nobody asked: the server's own work"
    calling_user.set("ann")
    book.add_answer(said, "small")
    (today,) = await book.days("ann", 1)
    assert (today["turns"], today["tokens"], today["calls"], today["money"]) == (0, 1250, 1, 0.002)
    nothing = AIMessage("So.", usage_metadata={"input_tokens": -5000, "output_tokens": -1, "total_tokens": -5001})
    book.add_answer(nothing, "small")
    assert (await book.today("ann"))["tokens"] == 1250, "a provider that counts backwards gives nothing back"


async def test_a_quota_counts_what_is_written_and_what_waits(settings: Settings, database: Database) -> None:
    users = Users(database)
    book = UsageBook(settings.model_copy(update={"daily_tokens": 20}), database, users)
    rich = await users.add("Rich", quota={})
    for user in ("ann", rich.id):
        book.add(user, spent(12))
        await book.flush()
        book.add(user, spent(8))
    with pytest.raises(DailyQuotaSpent):
        await book.begin("ann", "1")
    await book.begin(rich.id, "2")
    await book.begin("bob", "3")
    await book.aclose()


async def test_many_turns_at_once_are_no_way_around_a_quota(settings: Settings, database: Database) -> None:
    book = UsageBook(settings.model_copy(update={"daily_calls": 6, "daily_tokens": 100}), database, Users(database))

    async def begin(user: str, *runs: str) -> int:
        done = await asyncio.gather(*(book.begin(user, run) for run in runs), return_exceptions=True)
        assert all(result is None or isinstance(result, DailyQuotaSpent) for result in done), done
        return done.count(None)

    assert await begin("ann", *"abcdefghij") == 6 and await begin("bob", "k") == 1, "each is one call at least"
    for run in "abcdef":
        book.end(run)
    book.add("ann", spent(40, calls=1))
    assert await begin("ann", *"lmnop") == 2, "each is what one used on average: 40, 80, 120 tokens"
    await book.aclose()


async def test_what_is_being_written_is_counted_once(settings: Settings, database: Database) -> None:
    book = UsageBook(settings, database, Users(database))
    for number in range(20):
        book.add("ann", spent(1))
        _, day = await asyncio.gather(book.flush(), book.today("ann"))
        assert day["tokens"] == number + 1
        day, _ = await asyncio.gather(book.today("ann"), book.flush())
        assert day["tokens"] == number + 1


async def test_a_day_of_ten_times_the_usual_is_unusual_and_a_large_one_of_a_newcomer_is_not(
    settings: Settings, database: Database
) -> None:
    book, now = UsageBook(settings, database, Users(database)), datetime.now(UTC)
    for user, tokens in (("light", 40_000), ("heavy", 400_000)):
        rows = [
            {"user_id": user, "key_id": "", "day": (now - timedelta(days=ago)).date().isoformat(), "turns": 1,
             "tokens": tokens, "calls": 1, "money": 0.0}
            for ago in (1, 2, 4)
        ]  # fmt: skip
        await database.write(lambda db, rows=rows: db.execute(insert(usage), rows))  # type: ignore[misc]
    for user in ("light", "heavy", "new"):
        book.add(user, spent(30_000))
        assert not book.is_due(user) and not await book.is_unusual(user)
        book.add(user, spent(500_000))
        assert book.is_due(user) and not book.is_due(user)
        assert await book.is_unusual(user) == (user == "light")
    await book.aclose()
