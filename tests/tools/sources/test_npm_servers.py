"""Three servers that others wrote, from npm: started as an operator names them, called, killed and hung."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from settings import Settings
from tests.tools.conftest import resolve_test_names
from tests.tools.sources.conftest import CALLER, Opener, until
from tools.sources.config import SourceConfig
from tools.sources.remote_tool import MOST_NAME

__all__ = ["resolve_test_names"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
VERSION = "2026.8.31"
SERVERS = ("everything", "filesystem", "memory")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the programs of the three packages, or a skip that says why not."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("npm")
    names = [f"@modelcontextprotocol/server-{name}@{VERSION}" for name in SERVERS]
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *names]
    installed = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if installed.returncode:
        pytest.skip(f"npm cannot install the servers: {installed.stderr.strip()[:200]}")
    yield folder / "node_modules" / ".bin"


@pytest.fixture
def settings(tmp_path: Path, tools_file: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", tools_file=tools_file, _env_file=None)


def nodes() -> list[psutil.Process]:
    """Node programs that this process has started."""
    return [child for child in psutil.Process().children(recursive=True) if "mcp-server-" in " ".join(_command(child))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return [] if process.status() == psutil.STATUS_ZOMBIE else process.cmdline()
    except psutil.NoSuchProcess:
        return []


async def test_three_servers_live_together(opened: Opener, packages: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "tea.txt").write_text("绿茶 and black tea")
    one = await opened()
    arguments: dict[str, Any] = {
        "everything": {},
        "filesystem": {"args": (str(shared),)},
        "memory": {"env": {"MEMORY_FILE_PATH": str(tmp_path / "memory.jsonl")}},
    }
    for name in SERVERS:
        config = SourceConfig(command=str(packages / f"mcp-server-{name}"), timeout=15, **arguments[name])
        await one.sources.put(name, config, "operator")
    await until(lambda: all(one.state(name) == "ready" and one.rows(name) for name in SERVERS), 60)
    foreign = [spec for spec in one.registry.specs() if spec.source.startswith("mcp:")]
    assert len(foreign) > 25 and max(len(spec.name) for spec in foreign) <= MOST_NAME
    assert len({spec.name for spec in foreign}) == len(foreign) and {spec.permission for spec in foreign} == {"write"}

    assert "hi" in await one.say("everything__echo", message="hi")
    assert (await one.say("everything__get-sum", a="x", b=2)).startswith("bad_arguments")
    outside = await one.registry.call("filesystem__read_text_file", {"path": "/etc/passwd"}, CALLER)
    assert outside.code and "root:" not in outside.text
    assert "绿茶" in await one.say("filesystem__read_text_file", path=str(shared / "tea.txt"))
    entity = {"name": "Mei", "entityType": "person", "observations": ["lives in Xiamen"]}
    assert "Mei" in await one.say("memory__create_entities", entities=[entity])
    assert "Xiamen" in await one.say("memory__read_graph")

    [victim] = [node for node in nodes() if "mcp-server-everything" in " ".join(_command(node))]
    os.kill(victim.pid, signal.SIGKILL)
    await until(
        lambda: one.state("everything") == "ready" and "mcp-server-everything" in str(list(map(_command, nodes()))), 60
    )
    assert "back" in await one.say("everything__echo", message="back")
    [hung] = [node for node in nodes() if "mcp-server-memory" in " ".join(_command(node))]
    os.kill(hung.pid, signal.SIGSTOP)
    assert (await one.say("memory__read_graph")).split()[0] in ("timeout", "tool_source_down", "outcome_unknown")
    await until(lambda: one.state("memory") == "ready" and not hung.is_running(), 60)
    assert "Xiamen" in await one.say("memory__read_graph"), "the new one has the same memory"
    assert "绿茶" in await one.say("filesystem__read_text_file", path=str(shared / "tea.txt"))
    await one.sources.aclose()
    assert not nodes()
