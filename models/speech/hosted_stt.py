"""The hosted listener: any OpenAI-compatible transcription endpoint."""

from __future__ import annotations

import openai

from domain.errors import FileCorrupt, SpeechUnavailable
from domain.language import written_language
from domain.words import Words
from models.endpoint import (
    FAILURES,
    Asked,
    Defaults,
    Endpoint,
    endpoint_detail,
    failure_reason,
    http_client,
    request_timeout,
    resolve,
)
from settings import Settings

DEFAULTS = Defaults(openai="whisper-1", dashscope="qwen3-asr-flash", setting="STT_MODEL", elsewhere="whisper-1")
_SECONDS = 120.0
_NAMES = ((b"RIFF", "wav"), (b"OggS", "ogg"), (b"fLaC", "flac"), (b"\x1aE\xdf\xa3", "webm"), (b"ID3", "mp3"))


class HostedListener:
    """`/audio/transcriptions` of an OpenAI-compatible service."""

    def __init__(self, endpoint: Endpoint, detail: Words) -> None:
        """Prepare a client; nothing is sent."""
        self.name = endpoint.model
        self.detail = detail
        self._client = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key,
            timeout=request_timeout(_SECONDS),
            http_client=http_client(_SECONDS),
            max_retries=1,
        )

    async def transcribe(self, audio: bytes, *, language: str | None = None) -> tuple[str, str]:
        """Return (text, language); see `Listener`."""
        kind = _extension(audio)
        try:
            answer = await self._client.audio.transcriptions.create(
                file=(f"audio.{kind}", audio, f"audio/{kind}"),  # a type to be guessed would be looked up in files
                model=self.name,
                language=language or openai.omit,
                response_format="json",
            )
            text = answer.text.strip()
        except openai.BadRequestError as exc:
            raise FileCorrupt(name="audio") from exc
        except FAILURES as exc:
            raise SpeechUnavailable(reason=failure_reason(exc)) from exc
        return text, language or written_language(text)

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.close()


def open_hosted(settings: Settings) -> HostedListener | None:
    """Return the listener that STT_BASE_URL or STT_API_KEY name, or None where neither is set."""
    if not (settings.stt_base_url or settings.stt_api_key):
        return None
    asked = Asked(settings.stt_base_url, settings.stt_api_key, settings.stt_model)
    endpoint = resolve(asked, settings, DEFAULTS)
    return HostedListener(endpoint, endpoint_detail(endpoint, asked, "STT")) if endpoint else None


def _extension(audio: bytes) -> str:
    """Name the container by its first bytes: services go by the file name."""
    if audio[4:8] == b"ftyp":
        return "m4a"
    return next((name for start, name in _NAMES if audio.startswith(start)), "mp3")
