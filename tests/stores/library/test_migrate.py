"""Moving an installation: every row arrives, a full target and a lost row are refused, the words are the user's."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from settings import Settings
from stores.sql import migrate, transfer
from tests.library import ANN, BOB, BagEmbedder, open_library
from tests.postgresql import PostgresServer


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The source is SQLite."""
    return Settings(data_dir=tmp_path / "data", lang="zh_CN.UTF-8", _env_file=None)


async def plant(settings: Settings) -> str:
    async with open_library(settings) as library:
        await library.add("Wolves in the north.\f救生艇可以坐四十人。", ANN, name="wolves.txt")
        await library.add("A NUL\0in the text.", BOB, name="nul.txt")
        return await library.database.uid()


@pytest.mark.parametrize("keys", [(), ("k" * 40,)], ids=["plain", "encrypted"])
async def test_everything_is_found_in_the_new_database(
    settings: Settings, postgresql: PostgresServer, capsys: pytest.CaptureFixture[str], keys: tuple[str, ...]
) -> None:
    settings = settings.model_copy(update={"encryption_key": tuple(map(SecretStr, keys))})
    uid = await plant(settings)
    other = settings.data_dir / "other.sqlite3"
    assert migrate.main(["--to", f"sqlite:///{other}"], settings) == 0
    for file in (other, settings.data_dir / "catalog.sqlite3"):
        assert (b"Wolves in the north" in file.read_bytes()) is not bool(keys)
    with postgresql.database() as url:
        assert migrate.main(["--to", url], settings) == 0
        shown = capsys.readouterr().out
        assert shown.count("迁移完成") == 2 and "attachments              2 行" in shown
        moved = settings.model_copy(update={"database_url": SecretStr(url)})
        async with open_library(moved, BagEmbedder()) as library:
            assert await library.database.uid() == uid
            assert [d["indexed"] for d in await library.documents.list(ANN)] == [1.0]
            for mode in ("keyword", "dense", "hybrid"):
                assert (await library.documents.search("wolves", ANN, mode=mode))[0]["name"] == "wolves.txt"
            later = await library.add("A document after the move.", ANN, name="later.txt")
            assert later["status"] == "ready"
        assert migrate.main(["--to", url], settings) == 1
        assert "目标数据库中已有数据" in capsys.readouterr().err


async def test_a_row_that_is_lost_on_the_way_is_noticed_and_nothing_is_kept(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await plant(settings)
    whole = transfer.content

    def one_less(db, table):  # type: ignore[no-untyped-def]
        held = whole(db, table)
        lost = table.name == "pages" and str(tmp_path / "other") in str(db.engine.url)
        return transfer.Content(held.rows - 1, held.sha256) if lost else held

    monkeypatch.setattr(transfer, "content", one_less)
    target = f"sqlite:///{tmp_path / 'other' / 'c.sqlite3'}"
    assert migrate.main(["--to", target], settings) == 1
    assert "表 pages" in capsys.readouterr().err
    monkeypatch.undo()
    assert migrate.main(["--to", target], settings) == 0


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_a_database_that_cannot_hold_every_text_is_refused(
    settings: Settings, postgresql: PostgresServer, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    with postgresql.database(encoding) as url:
        assert migrate.main(["--to", url], settings) == 1
    assert encoding in (shown := capsys.readouterr().err) and "UTF8" in shown


async def test_what_a_database_refuses_is_shown_in_its_own_words(
    settings: Settings, postgresql: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    postgresql.sql("CREATE ROLE reader LOGIN")
    with postgresql.database() as url:
        assert migrate.main(["--to", url.replace("tester@", "reader@")], settings) == 1
    postgresql.sql("DROP ROLE reader")
    first, second = capsys.readouterr().err.splitlines()
    assert "拒绝" in first and "permission denied" in second


async def test_a_target_that_is_the_source_or_no_database(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.sql.database.BUSY_SECONDS", 0.1)
    await plant(settings)
    source = settings.data_dir / "catalog.sqlite3"
    assert migrate.main(["--to", f"sqlite:///{source}"], settings) == 1
    other = settings.data_dir / "notes.txt"
    other.write_text("This is no database, whatever its name. " * 40, "utf-8")
    assert migrate.main(["--to", f"sqlite:///{other}"], settings) == 1
    assert "没有响应" in (shown := capsys.readouterr().err) and "not a database" in shown and "Traceback" not in shown


@pytest.mark.parametrize("url", ["mysql://a/b", "nonsense", "sqlite://", "sqlite:///:memory:"])
async def test_another_kind_of_address_is_refused(
    settings: Settings, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert migrate.main(["--to", url], settings) == 1
    assert "PostgreSQL" in capsys.readouterr().err


async def test_a_database_that_does_not_answer(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert migrate.main(["--to", "postgresql://nobody@127.0.0.1:9/x"], settings) == 1
    assert "没有响应" in capsys.readouterr().err
