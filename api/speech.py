"""Speech: text read aloud, recordings written down, and answers spoken while they are being written."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response

from api.backend import BackendDep
from api.run_log import TERMINAL, Event
from api.schemas import ERRORS, SpeechBody, Transcription
from api.sse import ByteStream
from api.turn_bodies import Upload, read_upload
from api.wire import json_response
from errors import AppError, BadInput, SpeechUnavailable, Words
from models.speech.interface import AudioFormat, Listener, Speaker

router = APIRouter(prefix="/api/v1", tags=["speech"])

MEDIA_TYPES: dict[AudioFormat, str] = {"mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/ogg"}
_SENTENCE = re.compile(r".*?(?:[。！？；\n]+|[.!?;:]+(?=\s))", re.S)
_OFF = Words("no speech engine is set up", "未配置语音引擎")


@router.post("/tts", response_class=Response, responses={**ERRORS, 200: {"content": {"audio/mpeg": {}}}})
async def speak(body: SpeechBody, backend: BackendDep) -> Response:
    """Read a text aloud; the sound starts before all of it is made."""
    chunks = await begin_speech(backend.services.speaker, body.text, body.voice, body.format, body.speed)
    return ByteStream(chunks, media_type=MEDIA_TYPES[body.format])


@router.post("/stt", response_model=Transcription, responses=ERRORS)
async def transcribe(request: Request, backend: BackendDep) -> Response:
    """Write a recording down. Multipart: `file`, and `language` where it is known."""
    text, language = await listen(await read_upload(request), backend.services.listener)
    return json_response({"text": text, "language": language})


async def listen(upload: Upload, listener: Listener | None) -> tuple[str, str]:
    """Return text and language of the one recording of an upload.

    Raises:
        BadInput: There is not exactly one file.
        SpeechUnavailable: There is no engine, or it failed.
        FileCorrupt: It is no recording.
    """
    if len(upload.files) != 1:
        raise BadInput(reason=Words("send one recording as `file`", "请以 `file` 发送一个录音"))
    if listener is None:
        raise SpeechUnavailable(reason=_OFF)
    return await listener.transcribe(await upload.files[0].read(), language=upload.fields.get("language"))


async def begin_speech(
    speaker: Speaker | None, text: str, voice: str | None, audio_format: AudioFormat, speed: float
) -> AsyncIterator[bytes]:
    """Return the chunks of speech, once the first one is there: what fails before it is an error, not a broken stream.

    Raises:
        SpeechUnavailable: There is no engine, or it failed.
    """
    if speaker is None:
        raise SpeechUnavailable(reason=_OFF)
    chunks = aiter(speaker.speak(text, voice=voice, audio_format=audio_format, speed=speed))
    try:
        first = await anext(chunks)
    except StopAsyncIteration as exc:
        raise SpeechUnavailable(reason=Words("there is nothing to say", "没有可朗读的内容")) from exc

    async def all_chunks() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    return all_chunks()


async def spoken_batches(batches: AsyncIterator[list[Event]], speaker: Speaker) -> AsyncIterator[list[Event]]:
    """Add `audio` events to the events of a run: MP3, sentence by sentence, while the answer is being written.

    The terminal event comes last: after the sound. `audio` events have no id; a resumed stream goes on without them.
    """
    out: asyncio.Queue[list[Event] | None] = asyncio.Queue()
    sentences: asyncio.Queue[str | None] = asyncio.Queue()
    tasks = [
        asyncio.create_task(_split(batches, out, sentences)),
        asyncio.create_task(_voice(sentences, speaker, out)),
    ]
    last: list[Event] = []
    try:
        while (batch := await out.get()) is not None:
            last += [event for event in batch if event[1] in TERMINAL]
            yield [event for event in batch if event[1] not in TERMINAL]
        yield last
    finally:
        for task in tasks:
            task.cancel()


async def _split(
    batches: AsyncIterator[list[Event]], out: asyncio.Queue[list[Event] | None], sentences: asyncio.Queue[str | None]
) -> None:
    pending = ""
    async for batch in batches:
        out.put_nowait(batch)
        for _, name, data in batch:
            if name == "node" and isinstance(data, dict) and data.get("name") == "run_tools":
                pending = ""
            if name == "token" and isinstance(data, dict):
                pending += str(data["text"])
        while match := _SENTENCE.match(pending):
            sentences.put_nowait(match[0])
            pending = pending[match.end() :]
    sentences.put_nowait(pending)
    sentences.put_nowait(None)


async def _voice(
    sentences: asyncio.Queue[str | None], speaker: Speaker, out: asyncio.Queue[list[Event] | None]
) -> None:
    number = 0
    try:
        while (sentence := await sentences.get()) is not None:
            if not sentence.strip():
                continue
            audio = b"".join([chunk async for chunk in speaker.speak(sentence, audio_format="mp3")])
            number += 1
            data = {"number": number, "format": "mp3", "text": sentence, "data": base64.b64encode(audio).decode()}
            out.put_nowait([(0, "audio", data)])
    except AppError as exc:
        out.put_nowait([(0, "warning", {"code": exc.code, "message": exc.body()["message"]})])
        while await sentences.get() is not None:
            pass
    out.put_nowait(None)
