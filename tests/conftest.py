"""Fixtures of every test: a clean environment, settings in a temporary folder, the corpus where it is."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import Settings
from tests.ocr_fixture import ocr_pool, zygote  # noqa: F401

CORPUS = Path(os.environ.get("CORPUS_DIR", Path(__file__).resolve().parents[2] / "shared" / "corpus"))


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Shells start background jobs with Ctrl-C ignored, and every process started by a test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> Iterator[None]:
    """Tests see no key, URL or folder of the machine they run on."""
    names = {name.upper() for name in Settings.model_fields} | {"VISION_MODEL_API_KEY", "LC_ALL"}
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.upper() in names}
    os.environ.update(OMP_NUM_THREADS="1", LANG="C.UTF-8")  # the browser reads file names by its locale
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
