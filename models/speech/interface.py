"""The door to speech."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, Protocol

AudioFormat = Literal["mp3", "wav", "opus"]


class Speaker(Protocol):
    """Text to speech."""

    name: str

    def speak(
        self, text: str, *, voice: str | None = None, audio_format: AudioFormat = "mp3", speed: float = 1.0
    ) -> AsyncIterator[bytes]:
        """Yield chunks of one audio stream in `audio_format`, sentence by sentence.

        Raises:
            SpeechUnavailable: No engine for this text, or the service failed.
        """


class Listener(Protocol):
    """Speech to text."""

    name: str

    async def transcribe(self, audio: bytes, *, language: str | None = None) -> tuple[str, str]:
        """Return (text, detected language).

        Raises:
            SpeechUnavailable: No engine, or the service failed.
            FileCorrupt: The bytes are not audio.
        """
