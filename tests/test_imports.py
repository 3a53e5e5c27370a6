"""Every module of ours can be imported first, and importing opens no connection and writes no file."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_architecture import ROOMS, ROOT, modules

FORKED = """
import gc, importlib, os, socket, sys, traceback
root, others, ours = sys.argv[1:]
sys.path.insert(0, root)
socket.socket.connect = None
for name in others.split():
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        pass  # an optional package
gc.freeze()
failed = 0
for name in ours.split():
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException:
            print(name, traceback.format_exc(), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    failed += os.waitpid(child, 0)[1] != 0
sys.exit(failed > 0 or os.listdir(".") != [])
"""
"""Imports what is not ours once, then forks for each module of ours, so that each finds none of the others loaded."""


@pytest.mark.timeout(600)
@pytest.mark.slow  # `make check` runs it
def test_each_module_imports_alone_and_opens_nothing(tmp_path: Path) -> None:
    others: set[str] = set()
    for path in modules().values():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ImportFrom):
                others.add(node.module or "")
            elif isinstance(node, ast.Import):
                others |= {name.name for name in node.names}
    others = {name for name in others if name.split(".")[0] not in ROOMS}
    ours = [name for name in modules() if not name.endswith("__init__")]
    command = [sys.executable, "-c", FORKED, str(ROOT), " ".join(sorted(others)), " ".join(ours)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("module", ["readers.pdf.reader", "readers.pdf.tables", "readers.pdf.view"])
def test_layout_models_that_nothing_uses_stay_out(module: str) -> None:
    told = f"import {module}, sys; sys.exit(sys.modules['pymupdf'] is None or bool(sys.modules['pymupdf.layout']))"
    assert subprocess.run([sys.executable, "-c", told], cwd=ROOT, check=False).returncode == 0


def test_the_server_loads_nothing_that_its_children_alone_need() -> None:
    told = "import server, sys; print({'pymupdf', 'lxml', 'trafilatura', 'onnxruntime', 'duckdb'} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n", run.stdout
