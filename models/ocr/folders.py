"""Builds PP-OCR model folders from files that Python packages ship, so that no model hub is needed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import OcrUnavailable
from domain.packages import BUNDLED, package_dir
from domain.words import Words
from models.ocr.catalog import Config, Model, ModelSet


def shared_folder(data_dir: Path) -> Path:
    """Return the folder for models: beside the packages, or below `data_dir` where those are read-only."""
    if BUNDLED.is_dir() and os.access(BUNDLED, os.W_OK):
        return BUNDLED / "ocr-models"
    return data_dir.resolve() / "ocr-models"


def lay_out(models: ModelSet, destination: Path) -> dict[str, Path]:
    """Make every model folder of an engine below `destination`, unless it is there and intact.

    Safe when several processes do it at once, and after a kill in the middle: folders appear by rename.

    Returns:
        Folder of each model by PaddleX' name.

    Raises:
        OcrUnavailable: A package is not installed, or holds another file than the pinned one.
    """
    destination.mkdir(parents=True, exist_ok=True)
    with _locked(destination / ".lock"):
        for model in models.models:
            if not _intact(model, destination / model.folder):
                _make(model, destination)
    return {model.name: destination / model.folder for model in models.models}


def find_models(models: ModelSet, folder: Path) -> dict[str, Path]:
    """Return the model folders that an operator keeps in `folder` (named as in PaddleX' own cache).

    Raises:
        OcrUnavailable: One is not there.
    """
    found = {model.name: folder / model.folder for model in models.models}
    for path in found.values():
        if not (path / "inference.yml").is_file():
            file = f"{path.name}/inference.yml"
            raise OcrUnavailable(reason=Words(f"OCR_MODELS has no {file}", f"OCR_MODELS 中没有 {file}"))
    return found


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _intact(model: Model, folder: Path) -> bool:
    paths = [folder / weights.file for weights in model.weights]
    if not (folder / "inference.yml").is_file() or not all(path.is_file() for path in paths):
        return False
    return all(_sha256(folder / weights.file) == weights.sha256 for weights in model.weights)


def _make(model: Model, destination: Path) -> None:
    package = package_dir(model.module)
    if package is None:
        name = model.distribution
        raise OcrUnavailable(reason=Words(f"the package {name} is not installed", f"未安装 {name} 包"))
    for left_over in destination.glob(f".{model.folder}.*"):
        shutil.rmtree(left_over, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{model.folder}.", dir=destination))
    try:
        _fill(model, package, folder)
        shutil.rmtree(destination / model.folder, ignore_errors=True)
        folder.rename(destination / model.folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(model: Model, package: Path, folder: Path) -> None:
    for weights in model.weights:
        source = package / weights.packaged_as
        if not source.is_file() or _sha256(source) != weights.sha256:
            en = f"{source.name} is not the one of {model.distribution}"
            raise OcrUnavailable(reason=Words(en, f"{source.name} 与 {model.distribution} 中的文件不一致"))
        shutil.copyfile(source, folder / weights.file)
    if model.config is not None:
        _write_yaml(folder / "inference.yml", model.config(folder))
    folder.chmod(0o755)


def _write_yaml(path: Path, config: Config) -> None:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    path.write_text(yaml.dump(config, Dumper=dumper, allow_unicode=True), "utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
