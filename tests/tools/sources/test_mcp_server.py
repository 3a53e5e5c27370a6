"""One MCP server, held open: what it returns, and what happens when it dies, hangs or changes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest
import pytest_asyncio
from langchain_core.tools import ToolException

from domain.errors import DiskFull
from domain.owner import Owner
from net.client import GuardedHttp
from settings import Settings
from tests.tools.sources.conftest import ROOT, free_port, programs, stand_in, until
from tools.interface import Found, ToolContext, ToolResources
from tools.sources import mcp_server
from tools.sources.config import SourceConfig
from tools.sources.interface import SourceDown, ToolChanged
from tools.sources.mcp_server import McpServer


class Files:
    """Keeps files in memory; sound does not fit."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, data: bytes, *, name: str, owner: Owner) -> dict[str, Any]:
        if data.startswith(b"RIFF"):
            raise DiskFull()
        self.kept[name] = data
        return {"id": f"f{len(self.kept)}", "name": name, "media_type": "image/png", "size": len(data)}


@pytest.fixture
def context() -> ToolContext:
    class Documents:
        attachments = Files()

    resources = ToolResources.__new__(ToolResources)
    object.__setattr__(resources, "documents", Documents())
    return ToolContext(owner=Owner("mei", "t"), language="en", resources=resources)


def server(config: SourceConfig, **settings: Any) -> McpServer:
    return McpServer("x", config, GuardedHttp(Settings(_env_file=None, **settings)), lambda: None)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running() -> AsyncIterator[McpServer]:
    made = server(stand_in())
    made.start()
    await until(lambda: made.state == "ready")
    yield made
    await made.aclose()
    assert not programs()


async def call(server: McpServer, context: ToolContext, name: str, **arguments: Any) -> Found:
    return await server.call(name, server.listed[name].version, arguments, context)


async def test_results_of_every_kind(running: McpServer, context: ToolContext) -> None:
    assert (await call(running, context, "echo", text="茶", times=2)).text == "茶茶"
    found = await call(running, context, "everything")
    lines = found.text.split("\n\n")
    assert lines[0] == "first" and lines[1] == "[image image/png, 70 bytes, kept as file f1]"
    assert lines[2].startswith("[audio audio/wav, ") and "not kept: " in lines[2]
    assert lines[3] == "memo://one\na memo" and "not kept: it is not base64" in lines[4]
    assert lines[5] == "[link report ‹x›: http://10.0.0.1/report ]"
    assert found.data["files"] == [{"id": "f1", "name": "image.png", "media_type": "image/png", "size": 70}]
    weighed = await call(running, context, "weigh", item="tea")
    assert weighed.data["structured"] == {"tea": 1.5} and "1.5" in weighed.text
    with pytest.raises(ToolException, match="no paper in the printer"):
        await call(running, context, "fail")


async def test_what_a_tool_says_of_itself_is_its_definition(running: McpServer) -> None:
    claimed = {name: tool.claimed for name, tool in running.listed.items()}
    assert (claimed["echo"], claimed["wait"], claimed["pid"]) == ("read", "egress", "write")
    assert {"name", "description", "inputSchema", "annotations"} == running.listed["echo"].definition.keys()
    assert (SourceConfig(command="x").permission("echo", "read"), stand_in().permission("pid", "read")) == (
        "write", "write"
    )  # fmt: skip
    believed = SourceConfig(command="x", trusted=True, permissions={"p*": "read"})
    assert (believed.permission("echo", "read"), believed.permission("pid", "write")) == ("read", "read")


async def test_a_program_inherits_no_secrets(
    running: McpServer, context: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = set((await call(running, context, "environment")).text.split())
    assert names <= {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "PYTHONPATH", "SHELL", "TERM", "TMPDIR",
                     "TZ", "USER"}  # fmt: skip
    assert len(os.environ) > len(names)


async def test_a_call_is_of_the_approved_definition(running: McpServer, context: ToolContext) -> None:
    with pytest.raises(ToolChanged):
        await running.call("echo", "another", {"text": "x"}, context)
    with pytest.raises(ToolChanged):
        await running.call("nothing", "", {}, context)


async def test_a_call_that_takes_too_long_leaves_the_session(running: McpServer, context: ToolContext) -> None:
    number = (await call(running, context, "pid")).text
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await call(running, context, "wait", seconds=20)
    waits = [call(running, context, "wait", seconds=0.5) for _ in range(8)]
    started = time.perf_counter()
    assert {found.text for found in await asyncio.gather(*waits)} == {"waited"}
    assert time.perf_counter() - started < 8 * 0.5
    assert (await call(running, context, "pid")).text == number


async def test_a_killed_program_is_started_again(running: McpServer, context: ToolContext) -> None:
    number = int((await call(running, context, "pid")).text)
    pending = asyncio.create_task(call(running, context, "wait", seconds=20))
    await asyncio.sleep(0.05)
    started = time.perf_counter()
    os.kill(number, signal.SIGKILL)
    with pytest.raises(SourceDown, match="connection ended"):
        await pending
    assert time.perf_counter() - started < 20
    assert (await call(running, context, "echo", text="back")).text == "back"
    assert [program.pid for program in programs()] == [int((await call(running, context, "pid")).text)] != [number]


async def test_a_program_that_hangs_is_replaced(
    running: McpServer, context: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_server, "PING_SECONDS", 0.3)
    monkeypatch.setattr("mcp.client.stdio.PROCESS_TERMINATION_TIMEOUT", 0.3)
    number = int((await call(running, context, "pid")).text)
    os.kill(number, signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await call(running, context, "echo", text="x")
    await until(lambda: running.state == "ready" and not psutil.pid_exists(number))
    assert (await call(running, context, "echo", text="back")).text == "back"


async def test_a_changed_list_is_read_again(running: McpServer, context: ToolContext) -> None:
    before = running.listed
    assert "late" not in before
    assert (await call(running, context, "change")).text == "changed"
    await until(lambda: "late" in running.listed)
    assert running.listed["echo"] == before["echo"]


async def test_over_http_a_server_may_die_and_come_back(context: ToolContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_server, "BACKOFF", (0.1,))
    port = free_port()
    command = [sys.executable, "-m", "tests.standins.mcp_server", str(port)]

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(*command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})

    config = SourceConfig(url=f"http://127.0.0.1:{port}/mcp", headers={"X-Key": "${HTTP_TOKEN}"})
    reached = server(config, fetch_allow_hosts=f"127.0.0.1:{port}")
    refused = server(config)
    for made in (reached, refused):
        made.start()
    await until(lambda: "HTTP_TOKEN" in reached.failure.en)
    monkeypatch.setenv("HTTP_TOKEN", "t")
    program = await start()
    try:
        await until(lambda: reached.state == "ready")
        assert (await call(reached, context, "echo", text="茶")).text == "茶"
        await until(lambda: refused.state == "failed" and "public internet" in refused.failure.en)
        program.kill()
        await program.wait()
        with pytest.raises(SourceDown):
            await call(reached, context, "echo", text="x")
        await until(lambda: reached.state == "failed" and reached.failure.zh == "没有响应")
        program = await start()
        await until(lambda: reached.state == "ready")
        assert (await call(reached, context, "echo", text="back")).text == "back"
    finally:
        await asyncio.gather(reached.aclose(), refused.aclose())
        program.kill()
        await program.wait()


@pytest.mark.parametrize(
    ("program", "reason", "detail"),
    [
        (["/no/such/program"], "its program cannot be started", "FileNotFoundError"),
        (["sh", "-c", "echo 404 no such package >&2"], "its connection ended", "404 no such package"),
        (["sh", "-c", "echo nonsense; cat >/dev/null"], "it does not answer", "TimeoutError"),
    ],
)
async def test_a_program_that_is_no_server_says_why(
    program: list[str], reason: str, detail: str, monkeypatch: pytest.MonkeyPatch, context: ToolContext
) -> None:
    monkeypatch.setattr(mcp_server, "START_SECONDS", 0.5)
    made = server(SourceConfig(command=program[0], args=tuple(program[1:])))
    made.start()
    await until(lambda: made.state == "failed")
    assert made.failure.en == reason and detail in made.detail
    with pytest.raises(SourceDown, match=reason):
        await made.call("echo", "", {}, context)
    await made.aclose()
