"""A catalog of the last version without revisions is brought up to date, once, and nothing in it is lost."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from domain.owner import Owner
from settings import Settings
from stores.sql.database import Database
from stores.sql.tables import contents, embedded_files
from stores.sql.upgrade import head, revision
from tests.library import Library, open_library

DUMP = Path(__file__).with_name("data") / "before_revisions.sql"
ROOT = Path(__file__).resolve().parents[3]
ANN, LASTING, BOB = Owner("ann", "t1"), Owner("ann", None), Owner("bob", "t1")


def restore(settings: Settings) -> None:
    """Put the dumped catalog below DATA_DIR."""
    settings.data_dir.mkdir(parents=True)
    with sqlite3.connect(settings.data_dir / "catalog.sqlite3") as db:
        db.executescript(DUMP.read_text("utf-8"))
    db.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The dump is SQLite's."""
    return Settings(data_dir=tmp_path / "data", _env_file=None)


@pytest_asyncio.fixture
async def upgraded(settings: Settings) -> AsyncIterator[Library]:
    """The dumped catalog, opened by this version."""
    restore(settings)
    async with open_library(settings) as library:
        yield library


async def test_documents_pages_and_hits_are_found_as_before(upgraded: Library) -> None:
    documents = upgraded.documents
    listed = {document["name"]: document for document in await documents.list(ANN)}
    assert set(listed) == {"rules.txt", "船舶手册.txt", "sign.png", "broken.pdf"}
    rules, ship, broken = listed["rules.txt"], listed["船舶手册.txt"], listed["broken.pdf"]
    assert (rules["status"], rules["pages_done"], rules["language"]) == ("ready", 2, "en")
    assert rules["coverage"]["skipped"][0]["page"] == 3 and rules["warnings"] == ["Only the first 2 pages were read."]
    assert (broken["status"], broken["error"]["message"]) == ("failed", "已损坏。")
    pages = await documents.pages(ship["id"], ANN)
    assert [page["markdown"] for page in pages] == ["船长负责航行安全。", "救生艇可以坐四十人。"]
    assert [page["ocr"] for page in pages] == [False, True] and pages[1]["confidence"] == 0.9
    for query, owner, name in (("gate opens", ANN, "rules.txt"), ("gate opens", BOB, "copy.txt"),
                               ("救生艇坐几人", LASTING, "船舶手册.txt")):  # fmt: skip
        hits = await documents.search(query, owner, mode="keyword")
        assert (hits[0]["name"], hits[0]["heading"]) == (name, "Rules")
    picture = await documents.get(listed["sign.png"]["id"], ANN)
    assert picture["facts"] == "PNG picture, 8 x 8 pixels."
    assert await documents.cache.get(f"{picture['sha256']}/picture/text/x") == b'{"kept": true}'
    assert [deletion.target for deletion in await documents.deletions.under_way()] == ["s9"]


async def test_files_inside_a_file_keep_their_order(upgraded: Library) -> None:
    content_id = await upgraded.database.read(lambda db: db.scalar(select(func.min(embedded_files.c.content_id))))
    carried = await upgraded.documents.contents.embedded_files(int(content_id or 0))
    assert [file["name"] for file in carried] == ["second.txt", "first.txt"]


async def test_processes_that_start_at_once_upgrade_once(settings: Settings) -> None:
    restore(settings)
    opened = await asyncio.gather(*(Database.open(settings) for _ in range(4)))
    uids = {await database.uid() for database in opened}
    assert len(uids) == 1
    assert await opened[0].read(revision) == await asyncio.to_thread(head)
    assert await opened[0].read(lambda db: db.scalar(select(func.count()).select_from(contents))) == 4
    for database in opened:
        await database.aclose()


async def test_an_upgrade_that_fails_changes_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    restore(settings)
    before = (settings.data_dir / "catalog.sqlite3").read_bytes()
    monkeypatch.setattr("alembic.operations.Operations.drop_table", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await Database.open(settings)
    with sqlite3.connect(settings.data_dir / "catalog.sqlite3") as db:
        names = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
    db.close()
    assert "embedded_files" in names and not names & {"alembic_version", "embedded_files_without_id"}
    assert len(before) > 0


START = """
import asyncio, sys
from pathlib import Path
from settings import Settings
from stores.sql.database import Database, open_engine
print("imported", flush=True)
sys.stdin.readline()
async def main():
    database = await Database.open(Settings(_env_file=None, data_dir=Path(sys.argv[1])))
    print(await database.uid())
    await database.aclose()
asyncio.run(main())
"""


@pytest.mark.parametrize("old", [False, True], ids=["fresh", "old"])
def test_two_processes_start_at_once(settings: Settings, old: bool) -> None:
    if old:
        restore(settings)
    command = [sys.executable, "-c", START, str(settings.data_dir)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for process in processes:
        assert process.stdout.readline() == "imported\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    assert len({out for out, _ in told}) == 1 and len(told[0][0].strip()) == 32


async def test_files_are_read_where_the_version_before_put_them(settings: Settings) -> None:
    restore(settings)
    with sqlite3.connect(settings.data_dir / "catalog.sqlite3") as db:
        number, sha256, user, thread = db.execute("SELECT id, sha256, user_id, thread_id FROM attachments").fetchone()
    db.close()
    path = settings.data_dir / "attachments" / sha256[:2] / sha256
    path.parent.mkdir(parents=True)
    path.write_bytes(b"bytes of the version before")
    async with open_library(settings) as library:
        ref = await library.documents.attachments.get(number, Owner(user, thread))
        assert await library.documents.attachments.read(ref) == b"bytes of the version before"
