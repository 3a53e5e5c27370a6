"""DashScope's listener: Qwen ASR through the `dashscope` client."""

from __future__ import annotations

import asyncio
import base64
from http import HTTPStatus

from dashscope import MultiModalConversation
from dashscope.api_entities.dashscope_response import MultiModalConversationResponse

from domain.errors import BadInput, SpeechUnavailable
from domain.language import written_language
from models.speech import texts
from models.speech.audio import HEARING_RATE, decode_apart, to_pcm, wav
from models.speech.interface import Transcript
from models.speech.leaving import check_may_leave
from settings import Settings
from workers.sandbox import Sandbox

DASHSCOPE_MODEL = "qwen3-asr-flash"
_PART_SECONDS = 170
"""Qwen ASR takes 10 MB and 5 minutes: 170 s of 16 kHz PCM are 7.3 MB in base64."""
_SECONDS = 120.0


class DashScopeListener:
    """Qwen ASR through the `dashscope` client: the recording goes as data, in parts of under three minutes."""

    name = DASHSCOPE_MODEL
    detail = texts.listener_dashscope(DASHSCOPE_MODEL)

    def __init__(self, settings: Settings, sandbox: Sandbox) -> None:
        """Keep the settings; recordings are decoded in `sandbox`."""
        self._settings, self._sandbox = settings, sandbox

    async def transcribe(self, audio: bytes, *, language: str | None = None) -> tuple[str, str]:
        """Return (text, language); see `Listener`."""
        heard = await self.transcript(audio, language=language)
        return heard.text, heard.language

    async def transcript(
        self, audio: bytes, *, language: str | None = None, translate: bool = False, words: bool = False
    ) -> Transcript:
        """Return the recording; the service tells no times. See `Listener`."""
        if translate:
            raise BadInput(reason=texts.NO_TRANSLATION)
        check_may_leave()
        samples = await decode_apart(audio, self._sandbox, max_seconds=self._settings.stt_max_seconds)
        step = _PART_SECONDS * HEARING_RATE
        heard: list[str] = []
        for at in range(0, len(samples), step):
            part = wav(to_pcm(samples[at : at + step]), HEARING_RATE)
            try:
                async with asyncio.timeout(_SECONDS):
                    heard.append(await asyncio.to_thread(self._ask, part, language))
            except (TimeoutError, OSError, LookupError, TypeError, AttributeError) as exc:
                raise SpeechUnavailable(reason=texts.DASHSCOPE_SILENT) from exc
        spoken = language or written_language("".join(heard))
        text = ("" if spoken == "zh" else " ").join(heard).strip()
        return Transcript.whole(text, spoken, len(samples) / HEARING_RATE)

    async def aclose(self) -> None:
        """Nothing is kept open."""

    def _ask(self, part: bytes, language: str | None) -> str:
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
            raise SpeechUnavailable(reason=texts.DASHSCOPE_KEY)
        if answer.status_code != HTTPStatus.OK:
            raise SpeechUnavailable(reason=texts.DASHSCOPE_RECORDING)
        parts = answer.output.choices[0].message.content
        return "".join(str(piece.get("text", "")) for piece in parts if isinstance(piece, dict)).strip()
