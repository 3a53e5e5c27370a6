"""The interface of speech: reading aloud and transcription."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from typing_extensions import TypedDict

from domain.words import Words

AudioFormat = Literal["mp3", "wav", "opus", "aac", "flac", "pcm"]


class Segment(TypedDict):
    """A stretch of a recording; times in seconds from its start. What an engine does not tell is 0."""

    start: float
    end: float
    text: str
    tokens: list[int]
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


class Word(TypedDict):
    """A word of a recording; times in seconds from its start."""

    start: float
    end: float
    word: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """A recording, written down.

    Attributes:
        text: All that is said.
        language: ISO 639-1 code of what is spoken.
        seconds: Length of the recording.
        segments: Its stretches in order; one for all of it where the engine tells no times.
        words: Its words, where they were asked for and the engine tells them.
    """

    text: str
    language: str
    seconds: float
    segments: Sequence[Segment]
    words: Sequence[Word] = ()

    @classmethod
    def whole(cls, text: str, language: str, seconds: float) -> Transcript:
        """Return what an engine wrote that tells no times."""
        segment = Segment(
            start=0.0, end=seconds, text=text, tokens=[], avg_logprob=0.0, compression_ratio=0.0, no_speech_prob=0.0
        )
        return cls(text, language, seconds, [segment] if text else [])


class Speaker(Protocol):
    """Text to speech.

    Attributes:
        name: Engine or model name.
        detail: One plain sentence: what it is, why it was chosen, how to change it.
        voices: Names that `voice` may have; empty: the service decides.
    """

    name: str
    detail: Words
    voices: tuple[str, ...]

    def speak(
        self, text: str, *, voice: str | None = None, audio_format: AudioFormat = "mp3", speed: float = 1.0
    ) -> AsyncIterator[bytes]:
        """Yield chunks of one audio stream in `audio_format`, sentence by sentence; nothing for a text without words.

        Args:
            text: Plain text or Markdown; only what a person would read aloud is spoken.
            voice: One of `voices`; None: the default one.
            audio_format: Container and codec. A streamed wav has no length in its header: see `audio.with_length`.
            speed: 0.5 (slow) to 2.0 (fast); others are taken as the nearest of these.

        Raises:
            BadInput: The engine has no such voice.
            SpeechUnavailable: No engine for this text, or the service failed.
        """

    async def aclose(self) -> None:
        """Give memory, threads and connections back."""


class Listener(Protocol):
    """Speech to text.

    Attributes:
        name: Engine or model name.
        detail: One plain sentence: what it is, why it was chosen, how to change it.
    """

    name: str
    detail: Words

    async def transcribe(self, audio: bytes, *, language: str | None = None) -> tuple[str, str]:
        """Return (text, language) of a recording in any usual container.

        Args:
            audio: The file's bytes.
            language: `zh`, `en` or another ISO 639-1 code; None: found out.

        Raises:
            SpeechUnavailable: No engine, or the service failed.
            FileCorrupt: The bytes are not audio.
            FileTooLarge: The recording is longer than `stt_max_seconds`.
        """

    async def transcript(
        self, audio: bytes, *, language: str | None = None, translate: bool = False, words: bool = False
    ) -> Transcript:
        """Return a recording with the times of its parts.

        Args:
            audio: The file's bytes.
            language: As in `transcribe`.
            translate: Write it down in English, whatever is spoken.
            words: Tell the time of every word.

        Raises:
            BadInput: The engine does not know the language, or does not translate.
            SpeechUnavailable: No engine, or the service failed.
            FileCorrupt: The bytes are not audio.
            FileTooLarge: The recording is longer than `stt_max_seconds`.
        """

    async def aclose(self) -> None:
        """Give memory, threads and connections back."""
