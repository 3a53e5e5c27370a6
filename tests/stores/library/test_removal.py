"""Deleting leaves nothing: receipts, raw files of every store, a kill in the middle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from domain.errors import UnknownDocument
from domain.owner import Owner
from settings import Settings
from stores.sql.tables import documents, tombstones
from tests.library import ANN, ANN_LATER, ANN_LIBRARY, BOB, BagEmbedder, Library, open_library

MARKERS = [b"ZebraMarker", "独角兽标记".encode(), b"SecretName", b"zebramarker"]
TEXT = "\f".join(f"# Title SecretName\n\nZebraMarker{n} walks. 独角兽标记{n} 在走。 " * 4 for n in range(25))
ROOT = Path(__file__).resolve().parents[3]


def traces(settings: Settings) -> list[str]:
    """Files below the data folder that hold a marker."""
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    return [path.name for path in files if any(marker in path.read_bytes() for marker in MARKERS)]


async def plant(library: Library, owner: Owner = ANN) -> str:
    document = await library.add(TEXT, owner, name="SecretName.txt")
    await library.documents.cache.put(f"{document['sha256']}/picture/x", b"ZebraMarker in a cache")
    return document["id"]


async def test_receipt_counts_every_store_and_no_raw_file_holds_a_trace(library: Library) -> None:
    await library.add("\f".join(f"Innocent page {n} stays. " * 20 for n in range(20)), BOB, name="stays.txt")
    document_id = await plant(library)
    assert traces(library.settings)
    receipt = await library.documents.delete(document_id, ANN)
    assert set(receipt) == {"documents", "attachments", "pages", "chunks", "keywords", "vectors", "files"}
    assert all(count["before"] > 0 and count["after"] == 0 for count in receipt.values())
    assert receipt["pages"]["before"] == 25
    assert traces(library.settings) == []
    for mode in ("hybrid", "dense", "keyword"):
        assert not await library.documents.search("ZebraMarker3 walks", ANN, mode=mode)
    assert len(await library.documents.search("innocent", BOB, mode="keyword")) > 0
    with pytest.raises(UnknownDocument):
        await library.documents.delete(document_id, ANN)


async def test_traces_stay_gone_in_a_store_that_grows_and_shrinks(library: Library) -> None:
    for turn in range(4):
        await library.add("\f".join(f"Filler {turn} {n} words here. " * 30 for n in range(40)), BOB, name=f"{turn}.txt")
        document_id = await plant(library)
        await library.add("\f".join(f"After {turn} {n} words here. " * 30 for n in range(10)), BOB, name=f"b{turn}.txt")
        await library.documents.delete(document_id, ANN)
        assert traces(library.settings) == []


async def test_shared_content_stays_for_its_other_owner(library: Library) -> None:
    mine, theirs = await plant(library), await plant(library, BOB)
    receipt = await library.documents.delete(mine, ANN)
    assert receipt["pages"] == {"before": 25, "after": 0}
    assert receipt["files"] == {"before": 1, "after": 0}
    assert len(await library.documents.pages(theirs, BOB)) == 25
    assert len(await library.documents.search("ZebraMarker3", BOB, mode="dense")) > 0
    await library.documents.delete(theirs, BOB)
    assert traces(library.settings) == []


async def test_thread_and_user_are_deleted_whole(library: Library) -> None:
    for owner in (ANN, ANN_LATER, ANN_LIBRARY, BOB):
        await library.add(f"Belongs to {owner.user_id} {owner.thread_id}.", owner)
    receipt = await library.documents.delete_owner(ANN)
    assert receipt["documents"] == {"before": 1, "after": 0}
    assert len(await library.documents.list(ANN_LATER)) == 2
    assert (await library.documents.delete_owner(ANN_LIBRARY))["documents"] == {"before": 2, "after": 0}
    assert not await library.documents.list(ANN_LATER)
    assert len(await library.documents.list(BOB)) == 1
    assert (await library.documents.delete_owner(ANN))["documents"] == {"before": 0, "after": 0}


async def test_another_user_cannot_delete(library: Library) -> None:
    document_id = await plant(library)
    with pytest.raises(UnknownDocument):
        await library.documents.delete(document_id, BOB)
    assert (await library.documents.get(document_id, ANN))["status"] == "ready"


@pytest.mark.parametrize("step", ["vectors", "files", "log"])
async def test_kill_in_the_middle_is_finished_on_the_next_start(settings: Settings, step: str) -> None:
    async with open_library(settings) as library:
        document_id = await plant(library)
        content = await library.database.read(lambda db: list(db.scalars(select(documents.c.content_id))))
    worker = [
        sys.executable,
        str(ROOT / "tests/stores/library/removal_worker.py"),
        str(settings.data_dir),
        document_id,
        step,
    ]
    if settings.database_url:
        worker.append(settings.database_url.get_secret_value())
    assert subprocess.run(worker, env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}, check=False).returncode == -9
    async with open_library(settings, BagEmbedder()) as library:
        assert traces(settings) == []
        assert not await library.documents.list(ANN)
        assert library.documents.vectors is not None
        assert await library.documents.vectors.count(dict.fromkeys(content, 100)) == 0
        assert await library.database.read(lambda db: db.scalar(select(func.count()).select_from(tombstones))) == 0
