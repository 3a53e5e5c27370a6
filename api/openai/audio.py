"""Speech, transcription and translation as OpenAI's clients ask for them."""

from __future__ import annotations

import base64
import math
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response

from api.backend import BackendDep, UserDep
from api.edge.forms import Upload, read_upload
from api.edge.responses import ByteStream, EventStream, json_bytes, json_response
from api.openai.schemas import AudioSpeechBody
from api.runs.voice import begin_speech, listen
from domain.errors import BadInput
from domain.tokens import count_tokens
from domain.words import Words
from models.speech.audio import MEDIA_TYPES
from models.speech.interface import Segment, Transcript

router = APIRouter(prefix="/v1", tags=["openai"])

_VOICES = frozenset({"alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse",
                     "marin", "cedar"})  # fmt: skip
"""OpenAI's own voices: asked for by clients that must name one; the engine's default is used."""
_FORMATS = ("json", "text", "srt", "vtt", "verbose_json")
_GRANULARITIES = "timestamp_granularities[]"


@router.post("/audio/speech", response_class=Response)
async def speak(body: AudioSpeechBody, backend: BackendDep, user: UserDep) -> Response:
    """Read a text aloud: as sound, or with `stream_format` `sse` as events."""
    voice = None if body.voice_name in _VOICES else body.voice_name
    speed = min(max(body.speed, 0.5), 2.0)
    chunks = await begin_speech(backend.services, user, body.input, voice, body.response_format, speed)
    if body.stream_format == "sse":
        return EventStream(_speech_events(chunks, body.input))
    return ByteStream(chunks, media_type=MEDIA_TYPES[body.response_format])


@router.post("/audio/transcriptions")
async def transcribe(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Write a recording down.

    Multipart: `file`, `language`, `response_format`, `timestamp_granularities[]`, `stream`.
    """
    upload = await read_upload(request, lists=(_GRANULARITIES,))
    form, words = _format(upload), "word" in upload.fields.get(_GRANULARITIES, ())
    heard = await listen(upload, backend.services, user, words=words)
    if str(upload.fields.get("stream", "")).lower() == "true":
        return EventStream(_transcript_events(heard))
    return _written(heard, form, task="transcribe", words=words)


@router.post("/audio/translations")
async def translate(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Write a recording down in English. Multipart: `file`, `response_format`."""
    upload = await read_upload(request)
    form = _format(upload)
    return _written(await listen(upload, backend.services, user, translate=True), form, task="translate")


def _format(upload: Upload) -> str:
    form = str(upload.fields.get("response_format", "json"))
    if form not in _FORMATS:
        names = ", ".join(_FORMATS)
        raise BadInput(reason=Words(f"response_format is one of {names}", f"response_format 可为 {names}"))
    return form


def _written(heard: Transcript, form: str, *, task: str, words: bool = False) -> Response:
    """Return a recording that was written down, in the form that is asked for."""
    if form == "text":
        return Response(heard.text + "\n", media_type="text/plain; charset=utf-8")
    if form in ("srt", "vtt"):
        kind = "application/x-subrip" if form == "srt" else "text/vtt"
        return Response(subtitles(heard.segments, form), media_type=f"{kind}; charset=utf-8")
    usage = {"type": "duration", "seconds": math.ceil(heard.seconds)}
    if form == "json":
        return json_response({"text": heard.text, "usage": usage})
    segments = [{"id": number, "seek": 0, "temperature": 0.0, **part} for number, part in enumerate(heard.segments)]
    whole = {"task": task, "language": heard.language, "duration": heard.seconds, "text": heard.text}
    return json_response({**whole, "segments": segments, **({"words": heard.words} if words else {}), "usage": usage})


def subtitles(segments: Any, form: str) -> str:
    r"""Return stretches of a recording as subtitles, `srt` or `vtt`.

    >>> subtitles([{"start": 0.0, "end": 3661.5, "text": "Hello."}], "srt")
    '1\n00:00:00,000 --> 01:01:01,500\nHello.\n'
    """
    mark = "," if form == "srt" else "."
    blocks = [
        (f"{number}\n" if form == "srt" else "") + f"{_clock(part['start'], mark)} --> {_clock(part['end'], mark)}\n"
        f"{part['text']}\n"
        for number, part in enumerate(segments, 1)
    ]
    return "\n".join(blocks if form == "srt" else ["WEBVTT\n", *blocks])


def _clock(seconds: float, mark: str) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{mark}{rest % 1000:03}"


async def _transcript_events(heard: Transcript) -> AsyncIterator[bytes]:
    between = "" if heard.language in ("zh", "ja") else " "
    parts: list[Segment] = list(heard.segments)
    for number, part in enumerate(parts):
        yield _event("transcript.text.delta", delta=(between if number else "") + part["text"])
    yield _event("transcript.text.done", text=heard.text)


async def _speech_events(chunks: AsyncIterator[bytes], text: str) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield _event("speech.audio.delta", audio=base64.b64encode(chunk).decode())
    tokens = count_tokens(text)
    usage = {"input_tokens": tokens, "output_tokens": 0, "total_tokens": tokens}
    yield _event("speech.audio.done", usage=usage)


def _event(name: str, **data: Any) -> bytes:
    return f"event: {name}\ndata: ".encode() + json_bytes({"type": name, **data}) + b"\n\n"
