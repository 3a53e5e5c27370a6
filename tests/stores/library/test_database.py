"""Transactions, snapshots, processes that write side by side, and a log that can be emptied."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import Connection, delete, func, insert, select

from settings import Settings
from stores.library.cache import ResultCache
from stores.sql.database import Database, among, lock
from stores.sql.tables import attachments, cache
from tests.library import ANN, Library


def count(db: Connection) -> int:
    return int(db.scalar(select(func.count()).select_from(cache)) or 0)


async def test_writes_from_many_tasks_and_two_processes_worth_of_connections(settings: Settings) -> None:
    first, second = await asyncio.gather(Database.open(settings), Database.open(settings))

    def add(db: Connection) -> None:
        lock(db, "the next key")
        db.execute(insert(cache), {"key": str(count(db)), "value": b"x"})

    await asyncio.gather(*(database.write(add) for database in (first, second) * 20))
    assert await first.read(count) == 40
    assert await first.uid() == await second.uid()
    await first.aclose()
    await second.aclose()


async def test_a_change_that_collides_runs_again(database: Database) -> None:
    tries: list[str] = []

    def take(db: Connection) -> None:
        tries.append("x")
        if not count(db):
            time.sleep(0.2)
            db.execute(insert(cache), {"key": "only", "value": b"x"})

    await asyncio.gather(*(database.write(take) for _ in range(3)))
    assert await database.read(count) == 1
    assert len(tries) >= 3


async def test_failed_write_changes_nothing(database: Database) -> None:
    def fail(db: Connection) -> None:
        db.execute(insert(cache), {"key": "a", "value": b"x"})
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        await database.write(fail)
    assert await database.read(count) == 0


async def test_a_read_sees_one_snapshot(database: Database) -> None:
    counts: list[int] = []
    begun, written = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def look(db: Connection) -> None:
        counts.append(count(db))
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(written.wait(), loop).result(10)
        counts.append(count(db))

    reading = asyncio.create_task(database.read(look))
    await begun.wait()
    await database.write(lambda db: db.execute(insert(cache), {"key": "a", "value": b"x"}))
    written.set()
    await reading
    assert counts == [0, 0] and await database.read(count) == 1


async def test_a_list_is_one_parameter_however_long(database: Database) -> None:
    keys = [f"key {number}" for number in range(70_000)]
    await database.write(lambda db: db.execute(insert(cache), {"key": keys[-1], "value": b"x"}))
    assert await database.read(lambda db: db.scalars(select(cache.c.key).where(among(cache.c.key, keys))).all()) == [
        keys[-1]
    ]
    assert not await database.read(lambda db: db.scalars(select(cache.c.key).where(among(cache.c.key, []))).all())
    sizes = select(attachments.c.size).where(among(attachments.c.size, [2**40]))
    assert not await database.read(lambda db: db.scalars(sizes).all())


async def test_scrub_empties_the_log(settings: Settings, database: Database) -> None:
    await database.write(lambda db: db.execute(insert(cache), {"key": "a", "value": b"SECRET" * 50}))
    await database.write(lambda db: db.execute(delete(cache)))
    if settings.database_url is None:
        assert b"SECRET" in (settings.data_dir / "catalog.sqlite3-wal").read_bytes()
    await database.scrub()
    assert not any(b"SECRET" in path.read_bytes() for path in settings.data_dir.rglob("*") if path.is_file())


async def test_results_are_kept_while_their_file_is_owned(library: Library) -> None:
    cache: ResultCache = library.documents.cache
    document = await library.add("Owned.")
    key = f"{document['sha256']}/picture/text"
    await cache.put(key, b"kept")
    await cache.put("0" * 64 + "/picture/text", b"nobody's")
    assert await cache.get(key) == b"kept"
    assert await cache.get("0" * 64 + "/picture/text") is None
    await library.documents.delete(document["id"], ANN)
    assert await cache.get(key) is None
    await cache.put(key, b"too late")
    assert await cache.get(key) is None
