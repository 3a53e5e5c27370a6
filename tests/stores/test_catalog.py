"""One writer, snapshots for readers, roll-back, and a log that can be emptied."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from stores.library.cache import ResultCache
from stores.library.catalog import Catalog
from tests.library import ANN, Library


async def test_writes_from_many_tasks_and_two_processes_worth_of_catalogs(tmp_path: Path) -> None:
    first, second = Catalog(tmp_path / "c.sqlite3"), Catalog(tmp_path / "c.sqlite3")

    def add(db: sqlite3.Connection) -> None:
        count = db.execute("SELECT count(*) FROM cache").fetchone()[0]
        db.execute("INSERT INTO cache VALUES (?, ?)", (str(count), b"x"))

    await asyncio.gather(*(catalog.write(add) for catalog in (first, second) * 20))
    assert await first.read(lambda db: db.execute("SELECT count(*) FROM cache").fetchone()[0]) == 40
    assert await first.uid() == await second.uid()
    await first.aclose()
    await second.aclose()


async def test_failed_write_changes_nothing(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "c.sqlite3")

    def fail(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO cache VALUES ('a', x'00')")
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        await catalog.write(fail)
    assert await catalog.read(lambda db: db.execute("SELECT * FROM cache").fetchall()) == []
    await catalog.aclose()


async def test_scrub_empties_the_log(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "c.sqlite3")
    await catalog.write(lambda db: db.execute("INSERT INTO cache VALUES ('a', ?)", (b"SECRET" * 50,)))
    await catalog.write(lambda db: db.execute("DELETE FROM cache"))
    assert b"SECRET" in (tmp_path / "c.sqlite3-wal").read_bytes()
    await catalog.scrub()
    assert not any(b"SECRET" in path.read_bytes() for path in tmp_path.iterdir())
    await catalog.aclose()


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
