"""Hosted listeners: any OpenAI-compatible transcription endpoint, and DashScope's Qwen ASR."""

from __future__ import annotations

import asyncio
import base64
from http import HTTPStatus

import openai

from domain.errors import FileCorrupt, SpeechUnavailable
from domain.words import Words
from models.speech.audio import HEARING_RATE, decode, to_pcm, wav
from models.speech.spoken_text import language_of
from settings import Settings

DASHSCOPE_MODEL = "qwen3-asr-flash"
_PART_SECONDS = 170
"""Qwen ASR takes 10 MB and 5 minutes: 170 s of 16 kHz PCM are 7.3 MB in base64."""
_SECONDS = 120.0
_NAMES = ((b"RIFF", "wav"), (b"OggS", "ogg"), (b"fLaC", "flac"), (b"\x1aE\xdf\xa3", "webm"), (b"ID3", "mp3"))


class HostedListener:
    """`/audio/transcriptions` of an OpenAI-compatible service."""

    def __init__(self, settings: Settings) -> None:
        """Prepare a client; nothing is sent."""
        key = settings.stt_api_key
        self.name = settings.stt_model or "whisper-1"
        self._client = openai.AsyncOpenAI(
            base_url=settings.stt_base_url or None,
            api_key=key.get_secret_value() if key else "none",
            timeout=_SECONDS,
            max_retries=1,
        )
        host, cause = self._client.base_url.host, "STT_BASE_URL" if settings.stt_base_url else "STT_API_KEY"
        self.detail = Words(
            f"{self.name} at {host}, because {cause} is set; change it with STT_BASE_URL, STT_API_KEY and STT_MODEL.",
            f"{host} 上的 {self.name}，因为设置了 {cause}；可通过 STT_BASE_URL、STT_API_KEY 和 STT_MODEL 更改。",
        )

    async def transcribe(self, audio: bytes, *, language: str | None = None) -> tuple[str, str]:
        """Return (text, language); see `Listener`."""
        try:
            answer = await self._client.audio.transcriptions.create(
                file=(f"audio.{_extension(audio)}", audio),
                model=self.name,
                language=language or openai.omit,
                response_format="json",
            )
        except openai.BadRequestError as exc:
            raise FileCorrupt(name="audio") from exc
        except openai.OpenAIError as exc:
            reason = Words("the transcription service failed.", "语音转写服务出错")
            raise SpeechUnavailable(reason=reason) from exc
        return answer.text.strip(), language or language_of(answer.text)

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.close()


class DashScopeListener:
    """Qwen ASR through the `dashscope` client: the recording goes as data, in parts of under three minutes."""

    name = DASHSCOPE_MODEL
    detail = Words(
        f"DashScope {DASHSCOPE_MODEL}, because DASHSCOPE_API_KEY is set; STT_BASE_URL names another service.",
        f"DashScope 的 {DASHSCOPE_MODEL}，因为设置了 DASHSCOPE_API_KEY；可通过 STT_BASE_URL 改用其他服务。",
    )

    def __init__(self, settings: Settings) -> None:
        """Keep the settings."""
        self._settings = settings

    async def transcribe(self, audio: bytes, *, language: str | None = None) -> tuple[str, str]:
        """Return (text, language); see `Listener`."""
        samples = await asyncio.to_thread(decode, audio, max_seconds=self._settings.stt_max_seconds)
        step = _PART_SECONDS * HEARING_RATE
        texts: list[str] = []
        for at in range(0, len(samples), step):
            part = wav(to_pcm(samples[at : at + step]), HEARING_RATE)
            try:
                async with asyncio.timeout(_SECONDS):
                    texts.append(await asyncio.to_thread(self._ask, part, language))
            except (TimeoutError, OSError, LookupError, TypeError, AttributeError) as exc:
                raise SpeechUnavailable(reason=Words("DashScope does not answer.", "DashScope 没有响应")) from exc
        spoken = language or language_of("".join(texts))
        return ("" if spoken == "zh" else " ").join(texts).strip(), spoken

    async def aclose(self) -> None:
        """Nothing is kept open."""

    def _ask(self, part: bytes, language: str | None) -> str:
        from dashscope import MultiModalConversation
        from dashscope.api_entities.dashscope_response import MultiModalConversationResponse

        key = self._settings.dashscope_api_key
        content = [{"audio": "data:audio/wav;base64," + base64.b64encode(part).decode()}]
        answer = MultiModalConversation.call(
            model=DASHSCOPE_MODEL,
            messages=[{"role": "user", "content": content}],
            api_key=key.get_secret_value() if key else "",
            base_address=self._settings.dashscope_http_url,
            result_format="message",
            request_timeout=int(_SECONDS),
            asr_options={"language": language} if language else {"enable_lid": True},
        )
        assert isinstance(answer, MultiModalConversationResponse)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise SpeechUnavailable(reason=Words("DashScope refuses the key.", "DashScope 拒绝了密钥"))
        if answer.status_code != HTTPStatus.OK:
            raise SpeechUnavailable(reason=Words("DashScope refuses the recording.", "DashScope 不接受这段录音"))
        parts = answer.output.choices[0].message.content
        return "".join(str(piece.get("text", "")) for piece in parts if isinstance(piece, dict)).strip()


def _extension(audio: bytes) -> str:
    """Name the container by its first bytes: services go by the file name."""
    if audio[4:8] == b"ftyp":
        return "m4a"
    return next((name for start, name in _NAMES if audio.startswith(start)), "mp3")
