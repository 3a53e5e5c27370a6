"""Model folders made from packages: complete, checked, repaired, and safe to make twice at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from domain.errors import OcrUnavailable
from models.ocr import folders
from models.ocr.catalog import MODEL_SETS
from models.ocr.folders import find_models, lay_out, shared_folder

ROOT = Path(__file__).resolve().parents[2]
SMALL = MODEL_SETS["onnxruntime"]


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that two processes laid out at the same time."""
    folder = tmp_path_factory.mktemp("ocr-models")
    code = (
        "import sys; from pathlib import Path; from models.ocr.folders import lay_out;"
        "from models.ocr.catalog import MODEL_SETS; lay_out(MODEL_SETS['onnxruntime'], Path(sys.argv[1]))"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(folder)], cwd=ROOT) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    return folder


def test_every_folder_has_its_files_and_a_configuration_of_its_name(laid_out: Path) -> None:
    folders = lay_out(SMALL, laid_out)
    assert set(folders) == {
        "PP-OCRv6_small_det", "PP-OCRv6_small_rec", "PP-LCNet_x1_0_doc_ori", "PP-LCNet_x1_0_textline_ori",
    }  # fmt: skip
    for name, folder in folders.items():
        config = yaml.safe_load((folder / "inference.yml").read_text("utf-8"))
        assert config["Global"]["model_name"] == name
        assert (folder / "inference.onnx").stat().st_size > 1_000_000
    assert sorted(path.name for path in laid_out.iterdir()) == sorted([".lock", *(f.name for f in folders.values())])


def test_the_dictionary_is_whole(laid_out: Path) -> None:
    config = yaml.safe_load((laid_out / "PP-OCRv6_small_rec_onnx" / "inference.yml").read_text("utf-8"))
    characters = config["PostProcess"]["character_dict"]
    assert len(characters) == 18_708
    assert all(isinstance(character, str) for character in characters)
    assert {"中", "A", "7", "￥", "'", ":"} <= set(characters)


def test_what_is_intact_is_left_alone_and_what_is_damaged_is_made_anew(laid_out: Path, tmp_path: Path) -> None:
    copy = tmp_path / "models"
    shutil.copytree(laid_out, copy)
    intact, damaged = (copy / f"{name}_onnx" for name in ("PP-OCRv6_small_rec", "PP-LCNet_x1_0_doc_ori"))
    before = intact.stat().st_ino
    (damaged / "inference.onnx").write_bytes(b"cut off")
    lay_out(SMALL, copy)
    assert (damaged / "inference.onnx").stat().st_size > 1_000_000
    assert intact.stat().st_ino == before


def test_a_package_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "package_dir", lambda module: None)
    with pytest.raises(OcrUnavailable, match="rapidocr==3.10.0"):
        lay_out(SMALL, tmp_path)


def test_other_weights_than_the_pinned_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "rapidocr"
    (package / "models").mkdir(parents=True)
    (package / "models" / "PP-OCRv6_det_small.onnx").write_bytes(b"something else")
    monkeypatch.setattr(folders, "package_dir", lambda module: package)
    with pytest.raises(OcrUnavailable, match="PP-OCRv6_det_small.onnx"):
        lay_out(SMALL, tmp_path / "models")
    assert not list((tmp_path / "models").glob("*PP-OCR*"))


def test_an_operators_own_folder_is_used_or_what_it_lacks_is_named(laid_out: Path, tmp_path: Path) -> None:
    assert find_models(SMALL, laid_out)["PP-OCRv6_small_det"] == laid_out / "PP-OCRv6_small_det_onnx"
    with pytest.raises(OcrUnavailable, match="PP-OCRv6_small_det_onnx"):
        find_models(SMALL, tmp_path)


def test_without_a_writable_package_folder_models_go_below_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "BUNDLED", tmp_path / "not there")
    assert shared_folder(tmp_path / "data") == tmp_path / "data" / "ocr-models"
