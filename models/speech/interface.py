"""The interface of speech: reading aloud and transcription."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, Protocol

from domain.words import Words

AudioFormat = Literal["mp3", "wav", "opus"]


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

    async def aclose(self) -> None:
        """Give memory, threads and connections back."""
