"""Speech and transcription as OpenAI's clients ask for them."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response

from api.backend import BackendDep
from api.edge.forms import read_upload
from api.edge.responses import ByteStream, json_response
from api.openai.schemas import AudioSpeechBody
from api.runs.voice import begin_speech, listen
from models.speech.audio import MEDIA_TYPES

router = APIRouter(prefix="/v1", tags=["openai"])

_VOICES = frozenset({"alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse",
                     "marin", "cedar"})  # fmt: skip
"""OpenAI's own voices: asked for by clients that must name one; the engine's default is used."""


@router.post("/audio/speech", response_class=Response)
async def speak(body: AudioSpeechBody, backend: BackendDep) -> Response:
    """Read a text aloud."""
    voice = None if body.voice in _VOICES else body.voice
    speed = min(max(body.speed, 0.5), 2.0)
    chunks = await begin_speech(backend.services.speaker, body.input, voice, body.response_format, speed)
    return ByteStream(chunks, media_type=MEDIA_TYPES[body.response_format])


@router.post("/audio/transcriptions")
async def transcribe(request: Request, backend: BackendDep) -> Response:
    """Write a recording down."""
    upload = await read_upload(request)
    started = time.monotonic()
    text, language = await listen(upload, backend.services.listener)
    form = upload.fields.get("response_format", "json")
    if form == "text":
        return Response(text + "\n", media_type="text/plain; charset=utf-8")
    if form == "verbose_json":
        return json_response(
            {
                "task": "transcribe",
                "language": language,
                "duration": time.monotonic() - started,
                "text": text,
                "segments": [],
            }
        )
    return json_response({"text": text})
