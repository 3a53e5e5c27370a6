"""Every command and code block of the README, in both languages, run as it stands against a running server."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import Server

README = Path(__file__).resolve().parents[2] / "README.md"
CHINESE = README.parent / "docs" / "README.zh.md"
BLOCKS, CHINESE_BLOCKS = (
    re.findall(r"```(bash|python)\n(.*?)```", page.read_text("utf-8"), re.S) for page in (README, CHINESE)
)
MAKE = re.compile(r"\s*make (\w+)\s*")


def title(block: tuple[str, str]) -> str:
    return block[0] + " " + next(line for line in block[1].splitlines() if line.strip())[:40]


@pytest.mark.parametrize("block", [b for b in BLOCKS + CHINESE_BLOCKS if not MAKE.fullmatch(b[1])], ids=title)
def test_block_runs_as_it_stands(block: tuple[str, str], server: Server, tmp_path: Path) -> None:
    language, text = block
    text = text.replace("http://127.0.0.1:8000", server.url).replace("curl -s", "curl --fail-with-body -s")
    command = [sys.executable, "-c", text] if language == "python" else ["bash", "-euo", "pipefail", "-c", text]
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, env=env, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.strip()


@pytest.mark.slow
def test_the_install_line_is_all_that_python_clients_need(server: Server, tmp_path: Path) -> None:
    (line,) = re.findall(r"`(pip install [^`]*langserve[^`]*)`", README.read_text("utf-8"))
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True, timeout=120)
    subprocess.run([str(python), "-m", *shlex.split(line), "--quiet"], check=True, timeout=400)
    for language, text in BLOCKS:
        if language == "python" and "RemoteRunnable" in text:
            code = text.replace("http://127.0.0.1:8000", server.url)
            run = subprocess.run(
                [str(python), "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False
            )
            assert run.returncode == 0, run.stdout + run.stderr


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (README.parent / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"make (\w+)", README.read_text("utf-8"))):
        assert re.search(rf"^{target}:", makefile, re.M), target
