"""A Redis and a disk that take nothing new: what is asked is refused for that reason, and deleting works."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from domain.errors import DiskFull
from stores import disk
from stores.disk import Reserve, is_disk_full
from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer


@pytest_asyncio.fixture(loop_scope="session")
async def full_redis(server: LiveServer) -> AsyncIterator[Redis]:
    """The server's Redis, which has no memory left."""
    client = server.app.state.backend.redis.client
    redis = Redis(unix_socket_path=client.connection_pool.connection_kwargs["path"])
    await redis.config_set("maxmemory", "1mb")
    yield redis
    await redis.config_set("maxmemory", "0")
    await redis.aclose()


async def test_a_full_redis_is_told_and_takes_no_runs(
    client: httpx.AsyncClient, full_redis: Redis, model: OpenAIServer
) -> None:
    health = await client.get("/api/v1/health")
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    part = health.json()["parts"]["redis"]
    assert part["state"] == "full" and "maxmemory" in part["detail"]
    for path in ("/api/v1/runs", "/api/v1/chat"):
        refused = await client.post(path, json={"message": "Hi", "session_id": "full"})
        assert refused.status_code == 503, refused.text
        assert refused.json()["error"]["code"] == "memory_full", path
    stream = await client.post("/api/v1/chat/stream", json={"message": "Hi", "session_id": "full"})
    assert stream.text.count("event: error") == 1 and '"memory_full"' in stream.text
    await full_redis.config_set("maxmemory", "0")
    assert (await client.get("/api/v1/health")).json()["parts"]["redis"]["state"] == "ready"
    assert (await client.post("/api/v1/chat", json={"message": "Hi", "session_id": "full"})).status_code == 200


async def test_a_full_disk_is_told(
    client: httpx.AsyncClient, server: LiveServer, monkeypatch: pytest.MonkeyPatch, model: OpenAIServer
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("stores.library.attachments._append", full)
    monkeypatch.setattr("api.rest.health.is_out_of_room", lambda _: True)
    form = {"session_id": "full-disk"}
    answer = await client.post("/api/v1/documents", data=form, files={"file": ("a.txt", b"words")})
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "disk_full")
    sent = await client.post("/api/v1/chat_with_file", data=form, files={"file": ("a.txt", b"words")})
    assert (sent.status_code, sent.json()["error"]["code"]) == (507, "disk_full")
    health = (await client.get("/api/v1/health")).json()
    assert health["status"] == "degraded" and "DATA_DIR" in health["parts"]["database"]["detail"]
    assert not list((server.settings.data_dir / "attachments" / "incoming").iterdir())


def test_a_full_disk_is_known_by_its_cause() -> None:
    try:
        try:
            raise OSError(errno.EDQUOT, "quota")
        except OSError as exc:
            raise RuntimeError("wrapped") from exc
    except RuntimeError as exc:
        assert is_disk_full(exc)
    assert is_disk_full(ValueError("(code: 13) database or disk is full"))
    assert not is_disk_full(OSError(errno.EACCES, "no")) and not is_disk_full(None)


async def test_room_that_was_kept_is_spent_on_a_deletion_and_kept_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "REDIS_SECONDS", 0)
    reserve, kept = Reserve(tmp_path), tmp_path / "reserve"
    await asyncio.to_thread(reserve.prepare)
    assert (await asyncio.to_thread(kept.stat)).st_blocks * 512 >= disk.RESERVE_BYTES

    async def delete() -> str:
        if await asyncio.to_thread(kept.exists):
            raise DiskFull
        return "deleted"

    assert await reserve.spend(delete) == "deleted"
    assert await asyncio.to_thread(kept.is_file), "there is room again"
    monkeypatch.setattr(disk, "RESERVE_BYTES", 1 << 60)
    await asyncio.to_thread(reserve.prepare)
    assert not await asyncio.to_thread(kept.exists), "a start on a full disk finds some room"
    with pytest.raises(DiskFull):
        await reserve.spend(_in_vain)


async def _in_vain() -> None:
    raise DiskFull
