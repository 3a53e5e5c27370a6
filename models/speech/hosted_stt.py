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
from models.speech.audio import HEARING_RATE, decode_apart
from models.speech.interface import Transcript
from models.speech.leaving import check_may_leave
from settings import Settings
from workers.sandbox import Sandbox

DEFAULTS = Defaults(openai="whisper-1", dashscope="qwen3-asr-flash", setting="STT_MODEL", elsewhere="whisper-1")
_SECONDS = 120.0
_NAMES = ((b"RIFF", "wav"), (b"OggS", "ogg"), (b"fLaC", "flac"), (b"\x1aE\xdf\xa3", "webm"), (b"ID3", "mp3"))


class HostedListener:
    """`/audio/transcriptions` of an OpenAI-compatible service."""

    def __init__(self, endpoint: Endpoint, detail: Words, sandbox: Sandbox, max_seconds: float) -> None:
        """Prepare a client; nothing is sent."""
        self._sandbox, self._max_seconds = sandbox, max_seconds
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
        return await self._ask(audio, language, translate=False)

    async def transcript(
        self, audio: bytes, *, language: str | None = None, translate: bool = False, words: bool = False
    ) -> Transcript:
        """Return the recording, with its length; the times of its parts are not asked for. See `Listener`."""
        samples = await decode_apart(audio, self._sandbox, max_seconds=self._max_seconds)
        text, spoken = await self._ask(audio, language, translate=translate)
        return Transcript.whole(text, spoken, len(samples) / HEARING_RATE)

    async def _ask(self, audio: bytes, language: str | None, *, translate: bool) -> tuple[str, str]:
        check_may_leave()
        kind = _extension(audio)
        file = (f"audio.{kind}", audio, f"audio/{kind}")  # a type to be guessed would be looked up in files
        try:
            if translate:
                text = (await self._client.audio.translations.create(file=file, model=self.name)).text.strip()
            else:
                answer = await self._client.audio.transcriptions.create(
                    file=file, model=self.name, language=language or openai.omit, response_format="json"
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


def open_hosted(settings: Settings, sandbox: Sandbox) -> HostedListener | None:
    """Return the listener that STT_BASE_URL or STT_API_KEY name, or None where neither is set."""
    if not (settings.stt_base_url or settings.stt_api_key):
        return None
    asked = Asked(settings.stt_base_url, settings.stt_api_key, settings.stt_model)
    endpoint = resolve(asked, settings, DEFAULTS)
    return (
        HostedListener(endpoint, endpoint_detail(endpoint, asked, "STT"), sandbox, settings.stt_max_seconds)
        if endpoint
        else None
    )


def _extension(audio: bytes) -> str:
    """Name the container by its first bytes: services go by the file name."""
    if audio[4:8] == b"ftyp":
        return "m4a"
    return next((name for start, name in _NAMES if audio.startswith(start)), "mp3")
