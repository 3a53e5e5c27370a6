"""JavaScript clients, installed from the lock file next to this, and a real server for them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import _model_server, _receiver, api_settings, model, server  # noqa: F401  # fixtures
from tests.live_server import LiveServer

HERE = Path(__file__).parent
NODE_FROM = 20
Call = Callable[..., Any]


def _run(command: list[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("LANGSMITH", "LANGCHAIN"))}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=seconds, check=False)


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clients and the scripts that use them."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not installed")
    version = _run([node, "--version"], HERE, 30).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < NODE_FROM:
        pytest.skip(f"node is {version}, the clients need {NODE_FROM}")
    folder = tmp_path_factory.mktemp("clients")
    for name in ("package.json", "package-lock.json", *(path.name for path in HERE.glob("*.mjs"))):
        shutil.copy(HERE / name, folder)
    install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    try:
        done = _run(install, folder, 90)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not install the clients in time")
    if done.returncode:
        pytest.skip(f"npm could not install the clients: {done.stderr.strip().splitlines()[-1:]}")
    return folder


@pytest.fixture
def javascript(clients: Path, server: LiveServer) -> Call:  # noqa: F811  # the fixture
    """Call a case of a script; returns what it found."""

    def call(script: str, case: str, **given: Any) -> Any:
        done = _run(["node", script, server.url, case, json.dumps(given)], clients, 60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call
