"""Uploads are streamed, bounded, named safely, stored once, and seen by their owner only."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.errors import FileEmpty, FileTooLarge, QuotaExceeded, UnknownAttachment
from domain.owner import Owner
from settings import Settings
from stores.library.attachments import Attachments, display_name
from stores.sql.database import Database
from tests.library import ANN, ANN_LATER, BOB, Library


def files(settings: Settings) -> list[Path]:
    return [path for path in (settings.data_dir / "attachments").rglob("*") if path.is_file()]


async def test_put_get_read(library: Library) -> None:
    ref = await library.documents.attachments.put(b"%PDF-1.4\nrest", name="report.txt", owner=ANN)
    assert (ref["kind"], ref["media_type"], ref["size"]) == ("document", "application/pdf", 13)
    assert await library.documents.attachments.get(ref["id"], ANN_LATER) == ref
    assert await library.documents.attachments.read(ref) == b"%PDF-1.4\nrest"
    with pytest.raises(UnknownAttachment):
        await library.documents.attachments.get(ref["id"], BOB)
    with pytest.raises(UnknownAttachment):
        await library.documents.attachments.get("nothing", ANN)


async def test_a_file_is_renamed_by_its_owner_alone(library: Library) -> None:
    ref = await library.documents.attachments.put(b"same", name="a.txt", owner=ANN)
    with pytest.raises(UnknownAttachment):
        await library.documents.attachments.rename(ref["id"], "mine.txt", BOB)
    assert (await library.documents.attachments.rename(ref["id"], "lease.txt", ANN))["name"] == "lease.txt"
    assert await library.documents.attachments.get(ref["id"], ANN_LATER) == {**ref, "name": "lease.txt"}


async def test_same_bytes_are_stored_once(library: Library) -> None:
    first = await library.documents.attachments.put(b"same", name="a.txt", owner=ANN)
    second = await library.documents.attachments.put(b"same", name="b.txt", owner=BOB)
    assert first["id"] != second["id"]
    assert len(files(library.settings)) == 1
    await library.documents.delete(first["id"], ANN)
    assert await library.documents.attachments.read(second) == b"same"
    await library.documents.delete(second["id"], BOB)
    assert not files(library.settings)


async def test_too_large_stops_while_it_streams_in_and_leaves_nothing(settings: Settings, database: Database) -> None:
    attachments = Attachments(settings.data_dir / "attachments", database, max_file_bytes=2048)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1024
            yield b"x" * 1024

    with pytest.raises(FileTooLarge):
        await attachments.put(endless(), name="big.bin", owner=ANN)
    assert sent == 3072
    assert not files(settings)


async def test_empty_file_is_refused(library: Library) -> None:
    with pytest.raises(FileEmpty):
        await library.documents.attachments.put(b"", name="empty.txt", owner=Owner())
    assert not files(library.settings)


async def test_left_overs_of_a_killed_upload_are_removed(library: Library) -> None:
    kept = await library.documents.attachments.put(b"kept", name="k.txt", owner=ANN)
    folder = library.settings.data_dir / "attachments"
    for path, age in ((folder / "incoming" / "old", 7200), (folder / "ab" / "abcd", 7200), (folder / "ab" / "new", 0)):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age, time.time() - age))
    os.utime(library.documents.attachments.path(kept["sha256"]), (0, 0))
    await library.documents.attachments.tidy()
    assert {path.name for path in files(library.settings)} == {kept["sha256"], "new"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\报告.pdf", "报告.pdf"),
        ("evil\u202efdp.exe", "evilfdp.exe"),
        ("a\x00b\n.txt", "ab.txt"),
        ("", "file"),
        ("..", "file"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
    ],
)
def test_names_are_safe_to_show(given: str, shown: str) -> None:
    assert display_name(given) == shown


async def test_a_user_stores_so_much_and_others_are_not_concerned(settings: Settings, database: Database) -> None:
    store = Attachments(settings.data_dir / "attachments", database, 1000, user_bytes=250, user_files=3)
    kept = [await store.put(bytes([65 + number]) * 100, name=f"{number}.txt", owner=ANN) for number in range(2)]
    with pytest.raises(QuotaExceeded, match=r"big\.txt was not stored"):
        await store.put(b"x" * 100, name="big.txt", owner=ANN)
    assert len(files(settings)) == len(kept)
    await store.put(b"y" * 10, name="c.txt", owner=ANN)
    with pytest.raises(QuotaExceeded, match="3 files"):
        await store.put(b"z", name="d.txt", owner=ANN)
    assert (await store.put(b"x" * 100, name="his.txt", owner=BOB))["size"] == 100
