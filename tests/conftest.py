"""Fixtures of every test: a clean environment, settings in a temporary folder, the corpus where it is."""

from __future__ import annotations

import gc
import json
import os
import signal
import traceback
from collections.abc import Iterator
from pathlib import Path

import blockbuster
import pytest

from settings import Settings
from tests.ocr_fixture import ocr_pool, zygote  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
CORPUS = Path(os.environ.get("CORPUS_DIR", ROOT.parent / "shared" / "corpus"))


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Shells start background jobs with Ctrl-C ignored, and every process started by a test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


SLOW = tuple(ROOT / "tests" / room for room in ("integration", "web", "clients"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, so that no worker of xdist is left with it at the end."""
    items.sort(key=lambda item: not any(room in item.path.parents for room in SLOW))


def pytest_collection_finish() -> None:
    """What is imported lives until the end: full collections need not walk through it each time."""
    gc.collect()
    gc.freeze()


MAY_BLOCK = {
    # Once in a process, when a part is opened
    "/server.py": {"open_backend", "create_app"},
    "/stores/redis/server.py": {"open_redis"},
    "/stores/redis/process.py": {"find_programs", "socket_path"},
    "/domain/packages.py": {"package_dir"},
    "/domain/tokens.py": {"_load"},
    "/models/endpoint.py": {"http_client"},
    "/httpcore2/_ssl.py": {"default_ssl_context"},
    "/models/ocr/pool.py": {"open_ocr"},
    "/models/speech/bundled_stt.py": {"installed"},
    "/api/edge/static.py": {"open_paths"},
    # Finalizers, which the garbage collector runs wherever it happens to start
    "/weakref.py": {"__call__"},
    # A few bytes to a process that does nothing but wait for them
    "/workers/process.py": {"kill"},
    # Others' code: a log line, redis-py's own version for each connection, the source of a route that failed
    "/logging/__init__.py": {"emit"},
    "/redis/utils.py": {"get_lib_version"},
    "/fastapi/routing.py": {"_extract_endpoint_context"},
    "/langserve/playground.py": {"serve_playground"},
    # A command of its own process
    "/stores/sql/migrate.py": {"main"},
    # A test's own
    "/tests/library.py": {"read"},
}
"""Functions, by the end of their file's name, that may block the event loop, and why."""


@pytest.fixture(autouse=True, scope="session")
def _blocking_calls() -> Iterator[list[str]]:
    """Blocking calls of our rooms on an event loop: each raises, and is noted in case that somebody catches it."""
    found: list[str] = []

    class Noted(blockbuster.BlockingError):
        def __init__(self, function: str) -> None:
            super().__init__(function)
            found.append(f"{self}\n{''.join(traceback.format_stack()[-12:-2])}")

    rooms = [path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"]
    with pytest.MonkeyPatch.context() as patch, blockbuster.blockbuster_ctx([*rooms, "server", "services"]) as blocking:
        patch.setattr("blockbuster.blockbuster.BlockingError", Noted)
        for function in blocking.functions.values():
            for file, names in MAY_BLOCK.items():
                function.can_block_in(file, names)
        yield found


@pytest.fixture(autouse=True)
def _nothing_blocks_the_event_loop(_blocking_calls: list[str]) -> Iterator[None]:
    """Fail the test in which code of ours blocked an event loop (that of the test, or of a server in a thread)."""
    _blocking_calls.clear()
    yield
    assert not _blocking_calls, "\n".join(_blocking_calls)


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> Iterator[None]:
    """Tests see no key, URL or folder of the machine they run on."""
    names = {name.upper() for name in Settings.model_fields} | {"VISION_MODEL_API_KEY", "LC_ALL", "SSL_CERT_FILE"}
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.upper() in names}
    # No model is asked beside the turn that a test scripts; the browser reads file names by its locale.
    os.environ.update(OMP_NUM_THREADS="1", MODEL_TITLES="no", MEMORY_EXTRACTION="rules", LANG="C.UTF-8")
    os.environ["SSL_CERT_DIR"] = "/etc/ssl/certs"  # looked into when needed; a file is read for each client
    yield
    os.environ.update(kept)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Defaults, with everything kept below a temporary folder."""
    return Settings(data_dir=tmp_path / "data", _env_file=None)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Folder of the shared corpus; skips where it is not there."""
    if not (CORPUS / "manifest.json").is_file():
        pytest.skip("the shared corpus is not on this machine")
    return CORPUS


@pytest.fixture(scope="session")
def manifest(corpus: Path) -> dict[str, dict[str, object]]:
    """Corpus entries by file name."""
    return {row["file"]: row for row in json.loads((corpus / "manifest.json").read_text("utf-8"))["files"]}
