"""The voice of the service: text read aloud, recordings written down, answers spoken while they are written."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from api.edge.forms import Upload
from api.runs.progress import begins_answer
from domain.errors import AppError, BadInput, SpeechUnavailable
from domain.runs import RESTS, Event
from domain.words import Words
from models.speech.interface import AudioFormat, Speaker, Transcript
from models.speech.spoken_text import SentenceSplitter

if TYPE_CHECKING:
    from turn.context import Services

_OFF = Words("no speech engine is set up", "未配置语音引擎")


async def listen(
    upload: Upload, services: Services, user_id: str, *, translate: bool = False, words: bool = False
) -> Transcript:
    """Return the one recording of an upload, written down; `translate` and `words` as in `Listener.transcript`.

    Raises:
        BadInput: There is not exactly one file, or its language is not known.
        DailyQuotaSpent: The user's day is used up, or that of the key.
        SpeechUnavailable: There is no engine, or it failed.
        FileCorrupt: It is no recording.
    """
    if len(upload.files) != 1:
        raise BadInput(reason=Words("send one recording as `file`", "请以 `file` 发送一个录音"))
    listener = services.listener
    if listener is None:
        raise SpeechUnavailable(reason=_OFF)
    await services.usage.count_call(user_id)
    language = upload.fields.get("language")
    return await listener.transcript(await upload.files[0].read(), language=language, translate=translate, words=words)


async def begin_speech(
    services: Services, user_id: str, text: str, voice: str | None, audio_format: AudioFormat, speed: float
) -> AsyncIterator[bytes]:
    """Return the chunks of speech, once the first one is there: what fails before it is an error, not a broken stream.

    Raises:
        DailyQuotaSpent: The user's day is used up, or that of the key.
        SpeechUnavailable: There is no engine, or it failed.
    """
    speaker = services.speaker
    if speaker is None:
        raise SpeechUnavailable(reason=_OFF)
    await services.usage.count_call(user_id)
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
            last += [event for event in batch if event.name in RESTS]
            if more := [event for event in batch if event.name not in RESTS]:
                yield more
        yield last
    finally:
        for task in tasks:
            task.cancel()


async def _split(
    batches: AsyncIterator[list[Event]], out: asyncio.Queue[list[Event] | None], sentences: asyncio.Queue[str | None]
) -> None:
    splitter, said = SentenceSplitter(), False
    try:
        async for batch in batches:
            out.put_nowait(batch)
            for event in batch:
                _, name, data = event
                if begins_answer(event):
                    splitter, said = SentenceSplitter(), False
                if name in RESTS and (name == "error" or data["state"] != "done"):
                    _drop(sentences)
                    return
                text = _spoken_of(name, data, said=said)
                said = said or bool(text)
                for sentence in splitter.feed(text):
                    sentences.put_nowait(sentence)
        for sentence in splitter.flush():
            sentences.put_nowait(sentence)
    finally:
        sentences.put_nowait(None)


def _spoken_of(name: str, data: Any, *, said: bool) -> str:
    """Text of an event: a piece of the answer, or all of it from a model that does not stream."""
    if name == "token":
        return str(data["text"])
    return str(data["answer"]) if name == "done" and not said else ""


def _drop(sentences: asyncio.Queue[str | None]) -> None:
    while not sentences.empty():
        sentences.get_nowait()


async def _voice(
    sentences: asyncio.Queue[str | None], speaker: Speaker, out: asyncio.Queue[list[Event] | None]
) -> None:
    number = 0
    try:
        while (sentence := await sentences.get()) is not None:
            audio = b"".join([chunk async for chunk in speaker.speak(sentence, audio_format="mp3")])
            if not audio:
                continue
            number += 1
            data = {"number": number, "format": "mp3", "text": sentence, "data": base64.b64encode(audio).decode()}
            out.put_nowait([Event(0, "audio", data)])
    except AppError as exc:
        out.put_nowait([_silence(exc)])
        while await sentences.get() is not None:
            pass
    finally:
        out.put_nowait(None)


async def unspoken_batches(batches: AsyncIterator[list[Event]]) -> AsyncIterator[list[Event]]:
    """Add a warning to the events of a run: they cannot be spoken, no engine is set up."""
    yield [_silence(SpeechUnavailable(reason=_OFF))]
    async for batch in batches:
        yield batch


def _silence(error: AppError) -> Event:
    return Event(0, "warning", {"code": error.code, "message": error.body()["message"]})
