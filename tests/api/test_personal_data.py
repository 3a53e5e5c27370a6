from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx

from api.runs.deletion import delete_user
from api.runs.personal_data import personal_archive
from api.runs.retention import EMPTY_SECONDS, delete_old
from domain.owner import Owner
from server import open_backend
from settings import Settings
from stores.conversations.entries import Listing, Wish
from tests.api.test_sessions import say
from tests.standins.openai_server import OpenAIServer

LEASE = b"The notice period is six weeks."


async def test_everything_is_handed_out_with_a_receipt(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    form = {"message": "通知期限是多久？", "session_id": "mine"}
    await client.post("/api/v1/chat_with_file", data=form, files={"file": ("../租约.txt", LEASE)})
    await say(client, "mine", "Thanks")
    response = await client.get("/api/v1/user/export")
    assert response.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.testzip() is None
    names = archive.namelist()
    manifest = json.loads(archive.read(names[-1]))["files"]
    assert names[-1] == "manifest.json" and set(manifest) == set(names[:-1])
    for name, entry in manifest.items():
        content = archive.read(name)
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["bytes"], entry["sha256"]), name
    talk = next(name for name in names if name.startswith("conversations/") and name.endswith("期限是多久？.json"))
    assert (await client.post("/api/v1/sessions/import", json=json.loads(archive.read(talk)))).json()["messages"] == 4
    assert LEASE in {archive.read(name) for name in names if name.startswith("files/") and "租约.txt" in name}


class Notes:
    """Another kind of data, kept in a list."""

    def __init__(self) -> None:
        self.kept = {"ann": ["likes tea"], "bob": ["likes coffee"]}

    async def export(self, user_id: str) -> AsyncIterator[tuple[str, Any]]:
        yield "notes.json", self.kept.get(user_id, [])

    async def forget(self, user_id: str) -> dict[str, int]:
        return {"notes": len(self.kept.pop(user_id, []))}


async def test_old_empty_and_forgotten_conversations_go_with_what_other_parts_keep(settings: Settings) -> None:
    settings = settings.model_copy(update={"transcript_ttl": 60, "ocr_engine": "off", "tts_engine": "off"})
    async with open_backend(settings) as backend:
        notes = Notes()
        object.__setattr__(backend.services, "personal_data", (notes,))
        conversations, files = backend.services.conversations, backend.services.attachments
        for name, ago in (("old", 120), ("new", 0), ("pinned", 120)):
            owner = Owner("ann", name)
            await conversations.append(
                owner, await conversations.spot(owner, Wish()), [{"role": "user", "text": name, "run_id": name}]
            )
            await files.put(name.encode(), name=f"{name}.txt", owner=owner)
            await _age(backend, name, ago)
        await conversations.change(Owner("ann", "pinned"), pinned=True)
        await conversations.begin(Owner("ann", "empty"), "gone.txt")
        await _age(backend, "empty", EMPTY_SECONDS + 60)
        assert await delete_old(backend) == 2
        listed, total, _ = await conversations.find("ann", Listing())
        assert ([item["thread_id"] for item in listed], total) == (["pinned", "new"], 2)
        assert {ref["name"] for ref in await files.all_of("ann")} == {"pinned.txt", "new.txt"}
        blocks = [block async for block in personal_archive(backend.services, "ann", "en")]
        with zipfile.ZipFile(io.BytesIO(b"".join(blocks))) as archive:
            assert json.loads(archive.read("notes.json")) == ["likes tea"]
        counts = await delete_user(backend, "ann")
        assert counts["notes"] == {"before": 1, "after": 0} and notes.kept == {"bob": ["likes coffee"]}
        assert (counts["conversations"]["before"], counts["attachments"]["before"]) == (2, 2)
        assert await conversations.threads("ann") == [] and await files.all_of("ann") == []


async def _age(backend: Any, thread_id: str, seconds: float) -> None:
    from sqlalchemy import update

    from stores.sql.tables import conversations

    aged = update(conversations).where(conversations.c.thread_id == thread_id).values(active=time.time() - seconds)
    await backend.services.database.write(lambda db: db.execute(aged))
