"""Speech: text read aloud, and recordings written down."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.backend import BackendDep, UserDep
from api.edge.forms import read_upload
from api.edge.responses import ByteStream, json_response
from api.rest.openapi import recording_body
from api.runs.voice import begin_speech, listen
from api.schemas import ERRORS, SpeechBody, Transcription
from models.speech.audio import MEDIA_TYPES, with_length

router = APIRouter(prefix="/api/v1", tags=["speech"])

_SOUND: dict[str, Any] = {"content": {kind: {"schema": {"type": "string", "format": "binary"}}
                                      for kind in MEDIA_TYPES.values()}}  # fmt: skip


@router.post("/tts", response_class=Response, responses={**ERRORS, 200: _SOUND})
async def speak(body: SpeechBody, backend: BackendDep, user: UserDep) -> Response:
    """Read a text aloud: in pieces as they are made, or with `stream` off whole."""
    chunks = await begin_speech(backend.services, user, body.text, body.voice, body.format, body.speed)
    if not body.stream:
        audio = b"".join([chunk async for chunk in chunks])
        return Response(with_length(audio, body.format), media_type=MEDIA_TYPES[body.format])
    return ByteStream(chunks, media_type=MEDIA_TYPES[body.format])


@router.post("/stt", response_model=Transcription, responses=ERRORS, openapi_extra=recording_body("language"))
async def transcribe(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Write a recording down. Multipart: `file`, and `language` where it is known."""
    heard = await listen(await read_upload(request), backend.services, user)
    return json_response({"text": heard.text, "language": heard.language})
