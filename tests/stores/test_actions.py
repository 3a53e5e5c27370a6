"""The action log: a chain over many writers, what an audit finds, what is kept of texts, and how it forgets."""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import delete, insert, select, update

from domain.errors import Unavailable
from domain.owner import Owner
from domain.words import Words
from settings import Settings
from stores.sql import audit
from stores.sql.action_chain import Chain, Fault, Verdict
from stores.sql.actions import DAY, ActionLog, _Action
from stores.sql.database import Database
from stores.sql.tables import actions
from tests.postgresql import PostgresServer, postgresql

__all__ = ["postgresql"]
ANN = Owner("ann", "my divorce")


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Settings]:
    if request.param == "sqlite":
        yield settings
        return
    server: PostgresServer = request.getfixturevalue("postgresql")
    with server.database() as url:
        yield settings.model_copy(update={"database_url": SecretStr(url)})


@pytest_asyncio.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = await Database.open(settings)
    yield opened
    await opened.aclose()


async def filled(settings: Settings, database: Database, count: int = 20) -> None:
    log = await ActionLog.open(settings, database)
    for number in range(count):
        log.append("call", ANN, tool="send_mail", number=number)
    await log.aclose()


async def verdict(settings: Settings, database: Database) -> Verdict:
    return await database.read((await asyncio.to_thread(Chain, settings.data_dir)).verify)


async def test_many_writers_make_one_chain(settings: Settings, database: Database) -> None:
    """Each log has connections of its own, as the processes of an installation do."""
    others = [await Database.open(settings) for _ in range(2)]
    logs = [await ActionLog.open(settings, opened) for opened in (database, *others)]
    await asyncio.gather(*(log.record("call", ANN, log=n, i=i) for i in range(8) for n, log in enumerate(logs)))
    for number, log in enumerate(logs):
        log.append("call", ANN, log=number)
        await log.aclose()
    for opened in others:
        await opened.aclose()
    found = await verdict(settings, database)
    assert found.fault is None and found.entries == 27 and found.end_known and found.first <= found.last


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (update(actions).where(actions.c.id == 7).values(facts={"tool": "harmless"}), Fault("altered", 7)),
        (update(actions).where(actions.c.id == 7).values(user_id="bob"), Fault("altered", 7)),
        (update(actions).where(actions.c.id == 7).values(at=1.0), Fault("altered", 7)),
        (delete(actions).where(actions.c.id == 7), Fault("missing", 7)),
        (update(actions).where(actions.c.id == 7).values(hash="0" * 64), Fault("altered", 7)),
        (delete(actions).where(actions.c.id < 7), Fault("missing", 1)),
        (delete(actions).where(actions.c.id > 18), Fault("missing", 19)),
        (delete(actions), Fault("missing", 1)),
    ],
)
async def test_an_audit_names_the_first_entry_that_is_not_whole(
    settings: Settings, database: Database, change: object, fault: Fault
) -> None:
    await filled(settings, database)
    assert (await verdict(settings, database)).fault is None
    await database.write(lambda db: db.execute(change))  # type: ignore[call-overload]
    assert (await verdict(settings, database)).fault == fault
    await filled(settings, database, 30)  # going on hides nothing; of a cut end the record tells the last entry
    later = (await verdict(settings, database)).fault
    assert later == fault or later == Fault("altered", 20)


async def test_without_the_secret_nothing_is_forged(settings: Settings, database: Database, tmp_path: Path) -> None:
    await filled(settings, database, 3)
    forger = await asyncio.to_thread(Chain, tmp_path / "elsewhere")

    def forge(db):  # type: ignore[no-untyped-def]
        last = db.execute(select(actions).order_by(actions.c.id.desc()).limit(1)).one()
        entry = {"id": 4, "at": time.time(), "kind": "policy", "user_id": "ann", "facts": {}}
        db.execute(insert(actions), entry | {"hash": forger.seal(last.hash, list(entry.values()))})

    await database.write(forge)
    assert (await verdict(settings, database)).fault == Fault("altered", 4)
    secret = settings.data_dir / "actions.key"
    assert stat.S_IMODE(secret.stat().st_mode) == stat.S_IMODE((settings.data_dir / "actions.head").stat().st_mode)
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


async def test_what_is_past_its_time_goes_and_the_rest_stays_evident(settings: Settings, database: Database) -> None:
    await filled(settings, database, 10)
    border = time.time()
    await filled(settings, database, 5)
    log = await ActionLog.open(settings, database)
    assert await log.trim(border) == 10 and await log.trim(border) == 0
    found = await verdict(settings, database)
    assert found.fault is None and found.entries == 6 and found.first > border
    await database.write(lambda db: db.execute(delete(actions).where(actions.c.id == 11)))
    assert (await verdict(settings, database)).fault == Fault("missing", 11)


async def test_old_entries_go_by_themselves(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("stores.sql.actions._Action", partial(_Action, at=time.time() - 2 * DAY))
        await filled(settings, database, 4)
    log = await ActionLog.open(settings.model_copy(update={"action_log_days": 1.0}), database)
    log.append("call", ANN)
    await log.aclose()
    found = await verdict(settings, database)
    assert found.fault is None and found.entries == 2


async def test_texts_are_kept_as_sizes_and_hashes(settings: Settings, database: Database) -> None:
    log = await ActionLog.open(settings, database)
    for thread in ("my divorce", "my divorce", "other"):
        log.append("call", Owner("ann", thread), content={"arguments": {"to": "王先生", "text": "secret"}}, tool="mail")
    await log.aclose()
    rows = await database.read(lambda db: db.execute(select(actions).order_by(actions.c.id)).all())
    shown = repr(rows)
    assert not [word for word in ("divorce", "secret", "王先生", "other") if word in shown]
    facts = [row.facts for row in rows]
    assert facts[0] == facts[1] and facts[0]["thread"] != facts[2]["thread"] and facts[0]["tool"] == "mail"
    assert facts[0]["arguments"]["chars"] > 20 and facts[0]["arguments"]["hash"] == facts[2]["arguments"]["hash"]
    loud = await ActionLog.open(settings.model_copy(update={"log_content": True}), database)
    await loud.record("answer", ANN, content={"text": "yes, send it"})
    await loud.record("answer", Owner("ann", "gone", temporary=True), content={"text": "of a temporary thread"})
    await loud.aclose()
    newest = select(actions.c.facts).order_by(actions.c.id.desc()).limit(2)
    gone, kept = await database.read(lambda db: db.scalars(newest).all())
    assert kept["text"]["text"] == "yes, send it" and "text" not in gone


async def test_a_database_that_is_away_is_waited_for(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await ActionLog.open(settings, database)
    write = database.write

    async def fails(change: object) -> None:
        raise Unavailable(reason=Words("away", "不在"))

    monkeypatch.setattr("stores.sql.actions.RETRY_SECONDS", 0.05)
    monkeypatch.setattr(database, "write", fails)
    log.append("call", ANN, number=1)
    with pytest.raises(Unavailable):
        await log.record("call", ANN, number=2)
    monkeypatch.setattr(database, "write", write)
    await log.record("call", ANN, number=3)
    await log.aclose()
    rows = await database.read(lambda db: db.scalars(select(actions.c.facts).order_by(actions.c.id)).all())
    assert [row["number"] for row in rows] == [1, 3]
    assert (await verdict(settings, database)).fault is None


async def test_the_command_says_it_in_words(
    settings: Settings, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    chinese = settings.model_copy(update={"lang": "zh_CN.UTF-8"})
    assert await asyncio.to_thread(audit.main, chinese) == 0 and capsys.readouterr().out == "操作日志为空。\n"
    await filled(settings, database, 3)
    assert await asyncio.to_thread(audit.main, settings) == 0 and "whole: 3 entries" in capsys.readouterr().out
    (settings.data_dir / "actions.head").unlink()
    assert await asyncio.to_thread(audit.main, settings) == 0 and "a cut end is not seen" in capsys.readouterr().out
    await database.write(lambda db: db.execute(delete(actions).where(actions.c.id == 2)))
    assert await asyncio.to_thread(audit.main, chinese) == 1 and capsys.readouterr().err == "操作日志缺少第 2 条。\n"
