"""The object tagger: real weights, numpy only."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from models.vision import tagger as tagger_module
from models.vision.image_classes import CHINESE, GROUPS
from models.vision.tagger import Tagger
from models.vision.torch_weights import read_weights
from tests.drawn_pictures import drawn, encoded


def clock() -> Image.Image:
    image = Image.new("RGB", (400, 400), (225, 220, 210))
    brush = ImageDraw.Draw(image)
    brush.ellipse((40, 40, 360, 360), fill="white", outline="black", width=14)
    for hour in range(12):
        x, y = math.sin(hour * math.pi / 6), -math.cos(hour * math.pi / 6)
        brush.line((200 + 130 * x, 200 + 130 * y, 200 + 148 * x, 200 + 148 * y), fill="black", width=6)
    brush.line((200, 200, 200, 90), fill="black", width=8)
    brush.line((200, 200, 270, 240), fill="black", width=10)
    return image


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    found = Tagger()
    if not found.available:
        pytest.skip("the packages of the object tagger are not installed")
    return found


def test_an_object_is_named_with_its_probability(tagger: Tagger) -> None:
    ((word, share),) = tagger.tags(encoded(clock(), "JPEG"))
    assert word == "analog clock" and 0.5 <= share <= 1


def test_what_is_not_likely_gets_no_tag(tagger: Tagger) -> None:
    assert tagger.tags(encoded(drawn(paper="grey", size=(300, 300)))) == []


@pytest.mark.parametrize("data", [b"", b"not a picture", encoded(clock())[:500]])
def test_what_is_no_picture_gets_no_tag(tagger: Tagger, data: bytes) -> None:
    assert tagger.tags(data) == []


def test_without_the_packages_there_are_no_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagger_module, "package_dir", lambda module: None)
    bare = Tagger()
    assert not bare.available and bare.tags(encoded(clock())) == []


def test_a_weight_file_cannot_run_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (exec, ("raise SystemExit",))

    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(pickle.UnpicklingError, match="exec"):
        read_weights(path)


def test_a_tensor_cannot_reach_beyond_its_storage() -> None:
    from models.vision.torch_weights import _as_array, _Tensor  # the guard against forged offsets

    storage = tagger_module.np.zeros(4, "<f4")
    with pytest.raises(pickle.UnpicklingError, match="beyond"):
        _as_array(_Tensor(("FloatStorage", "0"), 2, (3,), (1,)), storage)
    assert _as_array(_Tensor(("FloatStorage", "0"), 1, (3,), (1,)), storage).shape == (3,)


def test_groups_hold_each_class_once_and_have_chinese_names() -> None:
    classes = [number for group in GROUPS for number in group.classes]
    assert len(classes) == len(set(classes)) and max(classes) < 1000
    assert all(not name.isascii() for name in CHINESE.values())


def test_near_synonyms_are_summed(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    shares = tagger_module.np.zeros(1000, "f4")
    shares[[281, 282, 285]] = 0.2, 0.25, 0.3

    loaded = tagger._load()
    assert loaded is not None
    monkeypatch.setattr(loaded[0], "classify", lambda pixels: shares)
    assert tagger.tags(encoded(Image.new("RGB", (9, 9)))) == [("cat", 0.75)]
