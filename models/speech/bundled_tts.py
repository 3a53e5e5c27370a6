"""The bundled voices: hibari for English, Kokoro for Chinese, chosen sentence by sentence, in one worker thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from domain.errors import BadInput, SpeechUnavailable
from domain.packages import package_dir
from domain.text import has_han
from models.speech import kokoro
from models.speech.audio import SAMPLE_RATE, Encoder, Samples, to_pcm
from models.speech.interface import AudioFormat
from models.speech.spoken_text import spoken_sentences
from models.speech.texts import SPEAKER_BOTH, SPEAKER_ENGLISH, VOICE_FAILED, VOICE_SLOW, no_voice
from settings import Settings

if TYPE_CHECKING:
    from hibari import Hibari  # type: ignore[import-untyped]

T = TypeVar("T")
ENGLISH_VOICE = "heart"
_PAUSE = np.zeros(SAMPLE_RATE // 5, np.float32)


def installed() -> bool:
    """Whether at least one language can be spoken."""
    return package_dir("onnxruntime") is not None and (package_dir("hibari") is not None or kokoro.installed())


class BundledSpeaker:
    """Speaks without any service. Models are loaded when their language is first spoken."""

    name = "bundled"

    def __init__(self, settings: Settings) -> None:
        """Load nothing yet."""
        self._settings = settings
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="speech")
        self._english: Hibari | None = None
        self._chinese: kokoro.Kokoro | None = None
        self.voices = (ENGLISH_VOICE, *(kokoro.VOICES if kokoro.installed() else ()))
        self.detail = SPEAKER_BOTH if kokoro.installed() else SPEAKER_ENGLISH

    async def speak(
        self, text: str, *, voice: str | None = None, audio_format: AudioFormat = "mp3", speed: float = 1.0
    ) -> AsyncIterator[bytes]:
        """Yield audio as each clause is ready; see `Speaker`."""
        if voice is not None and voice not in self.voices:
            raise BadInput(reason=no_voice(voice, self.voices))
        if not (sentences := spoken_sentences(text)):
            return
        encoder = await asyncio.to_thread(Encoder, audio_format)  # the first one loads FFmpeg
        speed = min(2.0, max(0.5, speed))
        for sentence in sentences:
            saying = await self._run(lambda: self._say(sentence, voice, speed))  # noqa: B023
            while (chunk := await self._run(lambda: _encoded(saying, encoder))) is not None:  # noqa: B023
                if chunk:
                    yield chunk
        if end := await self._run(encoder.finish):
            yield end

    async def aclose(self) -> None:
        """Drop the models."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        self._english = self._chinese = None

    async def _run(self, work: Callable[[], T]) -> T:
        """Run a step of work in the worker thread, which serves all speakers of the process in turn.

        Raises:
            SpeechUnavailable: It failed, or took longer than `tts_timeout`.
        """
        try:
            async with asyncio.timeout(self._settings.tts_timeout):
                return await asyncio.get_running_loop().run_in_executor(self._worker, work)
        except TimeoutError as exc:
            raise SpeechUnavailable(reason=VOICE_SLOW) from exc
        except (ImportError, OSError, RuntimeError, ValueError, LookupError) as exc:
            raise SpeechUnavailable(reason=VOICE_FAILED) from exc

    def _say(self, sentence: str, voice: str | None, speed: float) -> Iterator[Samples]:
        """Load what the sentence needs; return its audio, still to be made piece by piece."""
        if has_han(sentence):  # only the Chinese voice says both languages
            engine, name = self._load_chinese(), voice if voice in kokoro.VOICES else kokoro.VOICES[0]
            pieces = engine.pieces(sentence)
            return _with_pause(engine.say(piece, name, speed) for piece in pieces)
        english = self._load_english()
        return _with_pause(np.asarray(piece, np.float32) for piece in english.stream(sentence, speed))

    def _load_english(self) -> Hibari:
        if self._english is None:
            from hibari import Hibari

            self._english = Hibari(voice=ENGLISH_VOICE, threads=1)
        return self._english

    def _load_chinese(self) -> kokoro.Kokoro:
        if self._chinese is None:
            self._chinese = kokoro.Kokoro(self._settings.data_dir / "cache", self._phonemes)
        return self._chinese

    def _phonemes(self, english: str) -> str:
        return "".join(self._load_english().phonemize(english))


def _encoded(samples: Iterator[Samples], encoder: Encoder) -> bytes | None:
    """Make and encode the next piece; None at the end."""
    piece = next(samples, None)
    return None if piece is None else encoder.encode(to_pcm(piece))


def _with_pause(pieces: Iterator[Samples]) -> Iterator[Samples]:
    yield from pieces
    yield _PAUSE
