"""Speech through the running server: hosted voices played by the DashScope stand-in, bundled ones for real."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
import pytest_asyncio

from models.speech.audio import HEARING_RATE, MEDIA_TYPES, SAMPLE_RATE, wav
from settings import Settings
from tests.api.conftest import events_of, said_to
from tests.live_server import LiveServer
from tests.sounds import decode
from tests.standins.dashscope_server import DashScopeServer
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall

TWO_SECONDS = wav(bytes(2 * HEARING_RATE * 2), HEARING_RATE)
ANSWER = "First sentence here. Then `code` and **bold** words [1]. Last one!"


def _settings(folder: Path, model: OpenAIServer, **values: Any) -> Settings:
    return Settings(
        data_dir=folder, llm_base_url=model.base_url, llm_api_key="key", llm_model="stand-in", llm_max_retries=0,
        ocr_engine="off", web_search="off", _env_file=None, **values,
    )  # fmt: skip


@pytest.fixture(scope="module")
def voice() -> Iterator[DashScopeServer]:
    with DashScopeServer() as server:
        yield server


@pytest.fixture(scope="module")
def speaking(
    voice: DashScopeServer, _model_server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    hosted = _settings(
        tmp_path_factory.mktemp("speaking"), _model_server, dashscope_api_key="good-key",
        dashscope_base_url=_model_server.base_url, dashscope_http_url=voice.http_url,
        dashscope_websocket_url=voice.websocket_url,
    )  # fmt: skip
    with LiveServer(hosted) as live:
        yield live.url


@pytest_asyncio.fixture(loop_scope="session")
async def loud(speaking: str, model: OpenAIServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=speaking, timeout=30) as http:
        yield http


async def heard(
    client: httpx.AsyncClient, body: dict[str, object], sounded: threading.Event | None = None
) -> tuple[list[str], dict[str, list[object]]]:
    """Names of the events in order, and their data by name; `sounded` is set at the first sound."""
    names: list[str] = []
    data: dict[str, list[object]] = {}
    async with client.stream("POST", "/api/v1/chat/stream", json={"speak": True, **body}) as response:
        async for _, name, value in events_of(response):
            names.append(name)
            if name == "audio" and sounded is not None:
                sounded.set()
            data.setdefault(name, []).append(value)
    return names, data


async def test_an_answer_is_spoken_while_it_is_written(loud: httpx.AsyncClient, model: OpenAIServer) -> None:
    sounded = threading.Event()
    model.script([Answer(ANSWER, hold=sounded)])  # its last words wait for the first sound
    names, data = await heard(loud, {"message": "Hi", "session_id": "spoken"}, sounded)
    spoken = [item["text"] for item in data["audio"]]  # type: ignore[index]
    assert spoken == ["First sentence here.", "Then code and bold words.", "Last one!"]
    assert names.index("audio") < len(names) - 1 - names[::-1].index("token"), "the first sound came after the text"
    assert names[-1] == "done" and names.count("done") == 1
    for item in data["audio"]:
        assert len(decode(base64.b64decode(item["data"]), max_seconds=60)) > HEARING_RATE // 4  # type: ignore[index]


async def test_what_is_said_on_the_way_to_a_tool_is_no_part_of_the_answer(
    loud: httpx.AsyncClient, model: OpenAIServer
) -> None:
    model.script([Answer("Let me", tool_calls=[ToolCall("calculate", {"expression": "2*3"})]), "It is six."])
    _, data = await heard(loud, {"message": "What is 2*3?"})
    assert [item["text"] for item in data["audio"]] == ["It is six."]  # type: ignore[index]


async def test_a_voice_that_fails_is_a_warning_and_the_answer_comes(
    speaking: str, voice: DashScopeServer, model: OpenAIServer, tmp_path: Path
) -> None:
    broken = _settings(tmp_path, model, dashscope_api_key="good-key", tts_voice="bad-voice",
                       dashscope_base_url=model.base_url, dashscope_http_url=voice.http_url,
                       dashscope_websocket_url=voice.websocket_url)  # fmt: skip
    with LiveServer(broken) as live:
        async with httpx.AsyncClient(base_url=live.url, timeout=30) as client:
            names, data = await heard(client, {"message": "Hi"})
            refused = await client.post("/api/v1/tts", json={"text": "Hello"})
    assert [item["code"] for item in data["warning"]] == ["speech_unavailable"]  # type: ignore[index]
    assert names[-1] == "done" and "audio" not in names
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "speech_unavailable")


async def test_without_an_engine_the_stream_says_so(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    names, data = await heard(client, {"message": "Hi"})
    assert [item["code"] for item in data["warning"]] == ["speech_unavailable"]  # type: ignore[index]
    assert names[-1] == "done"


@pytest.mark.parametrize("form", ["mp3", "wav", "opus"])
@pytest.mark.parametrize("stream", [True, False])
async def test_tts(loud: httpx.AsyncClient, form: str, stream: bool) -> None:
    body = {"text": "# Hello\nGood *morning*.", "format": form, "stream": stream}
    response = await loud.post("/api/v1/tts", json=body)
    assert response.status_code == 200
    assert response.headers["content-type"] == {"mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/ogg"}[form]
    assert ("content-length" in response.headers) is not stream
    assert 0.5 < len(decode(response.content, max_seconds=60)) / HEARING_RATE < 3
    if form == "wav" and not stream:
        with wave.open(io.BytesIO(response.content)) as file:
            assert 0.5 < file.getnframes() / file.getframerate() < 3


async def test_tts_of_nothing(loud: httpx.AsyncClient) -> None:
    assert (await loud.post("/api/v1/tts", json={"text": "***"})).status_code == 503
    assert (await loud.post("/api/v1/tts", json={"text": " "})).status_code == 422
    assert (await loud.post("/api/v1/tts", json={"text": "x", "format": "flac"})).status_code == 422


async def test_stt(loud: httpx.AsyncClient) -> None:
    response = await loud.post("/api/v1/stt", files={"file": ("a.wav", TWO_SECONDS)})
    assert response.json() == {"text": "heard 2.0 seconds", "language": "en"}
    broken = await loud.post("/api/v1/stt", files={"file": ("a.wav", b"no sound at all" * 99)})
    assert (broken.status_code, broken.json()["error"]["code"]) == (422, "file_corrupt")
    assert (await loud.post("/api/v1/stt", data={"language": "en"}, files={})).status_code == 422


async def test_a_recording_alone_is_what_the_user_said(loud: httpx.AsyncClient, model: OpenAIServer) -> None:
    answer = (await loud.post("/api/v1/chat_with_file", files={"file": ("say.wav", TWO_SECONDS)})).json()
    assert answer["answer"] == "You said: heard 2.0 seconds"
    part = {"type": "input_audio", "input_audio": {"data": base64.b64encode(TWO_SECONDS).decode(), "format": "wav"}}
    body = {"messages": [{"role": "user", "content": [part]}]}
    completion = (await loud.post("/v1/chat/completions", json=body)).json()
    assert completion["choices"][0]["message"]["content"] == "You said: heard 2.0 seconds"


async def test_a_recording_beside_text_can_be_asked_about(loud: httpx.AsyncClient, model: OpenAIServer) -> None:
    data = {"message": "How long is the recording?", "session_id": "recorded"}
    answer = (await loud.post("/api/v1/chat_with_file", data=data, files={"file": ("memo.wav", TWO_SECONDS)})).json()
    assert [(item["kind"], item["status"]) for item in answer["attachments"]] == [("audio", "ready")]
    assert any("heard 2.0 seconds" in text for text in said_to(model))
    await loud.post("/api/v1/chat", json={"message": "What was said in the memo?", "session_id": "recorded"})
    assert any("heard 2.0 seconds" in text for text in said_to(model))


async def test_openais_client_speaks_and_listens(speaking: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{speaking}/v1", api_key="none", max_retries=0) as api:
        sound = await api.audio.speech.create(model="tts-1", voice="alloy", input="Good morning.")
        assert len(decode(sound.content, max_seconds=60)) > HEARING_RATE // 4
        written = await api.audio.transcriptions.create(model="whisper-1", file=("a.wav", TWO_SECONDS))
        assert written.text == "heard 2.0 seconds"
        text = await api.audio.transcriptions.create(
            model="whisper-1", file=("a.wav", TWO_SECONDS), response_format="text"
        )
        assert text.strip() == "heard 2.0 seconds"


@pytest_asyncio.fixture(loop_scope="session")
async def voiced(speaking: str, model: OpenAIServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{speaking}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
async def test_openais_client_gets_every_format(voiced: openai.AsyncOpenAI, form: Any) -> None:
    sound = await voiced.audio.speech.create(model="m", voice="alloy", input="Good morning.", response_format=form)
    content = wav(sound.content, SAMPLE_RATE) if form == "pcm" else sound.content
    assert len(decode(content, max_seconds=60)) > HEARING_RATE // 4
    assert sound.response.headers["content-type"] == MEDIA_TYPES[form]


async def test_speech_as_events(voiced: openai.AsyncOpenAI) -> None:
    options: Any = {"model": "m", "voice": "alloy", "input": "Good morning.", "stream_format": "sse"}
    async with voiced.audio.speech.with_streaming_response.create(**options) as response:
        events = [json.loads(line[6:]) async for line in response.iter_lines() if line.startswith("data: ")]
    sound = b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")
    assert len(decode(sound, max_seconds=60)) > HEARING_RATE // 4
    assert events[-1]["type"] == "speech.audio.done" and events[-1]["usage"]["total_tokens"] > 0


@pytest.mark.filterwarnings("ignore:deprecated")
async def test_openais_client_gets_every_form_of_a_transcript(voiced: openai.AsyncOpenAI) -> None:
    async def written(**options: Any) -> Any:
        return await voiced.audio.transcriptions.create(model="m", file=("a.wav", TWO_SECONDS), **options)

    assert await written(response_format="srt") == "1\n00:00:00,000 --> 00:00:02,000\nheard 2.0 seconds\n"
    assert await written(response_format="vtt") == "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nheard 2.0 seconds\n"
    verbose = await written(response_format="verbose_json", timestamp_granularities=["word", "segment"])
    assert (verbose.duration, verbose.language, verbose.text) == (2.0, "en", "heard 2.0 seconds")
    assert [(part.start, part.end, part.text) for part in verbose.segments] == [(0.0, 2.0, "heard 2.0 seconds")]
    events = [event async for event in await written(stream=True)]
    assert [event.type for event in events] == ["transcript.text.delta", "transcript.text.done"]
    assert events[0].delta == events[1].text == "heard 2.0 seconds"
    for options in ({"response_format": "diarized_json"}, {"response_format": "xml"}):
        with pytest.raises(openai.BadRequestError):
            await written(**options)
    with pytest.raises(openai.BadRequestError, match="does not translate"):
        await voiced.audio.translations.create(model="m", file=("a.wav", TWO_SECONDS))


@pytest.mark.slow
async def test_the_bundled_engines_in_both_languages(_model_server: OpenAIServer, tmp_path: Path) -> None:
    _model_server.reset()
    _model_server.respond = lambda request: "收到，谢谢。" if "天气" in request.user_text else "Thank you. Good bye."
    with LiveServer(_settings(tmp_path, _model_server)) as live:
        async with httpx.AsyncClient(base_url=live.url, timeout=120) as client:
            for text, words in (
                ("The train leaves the station at nine.", ("train", "station")),
                ("今天天气很好，我们一起去公园散步。", ("天气", "公园")),
            ):
                sound = await client.post("/api/v1/tts", json={"text": text, "format": "opus"})
                files = {"file": ("say.opus", sound.content)}
                written = (await client.post("/api/v1/stt", files=files)).json()["text"].lower()
                assert all(word in written for word in words), written
                answer = (await client.post("/api/v1/chat_with_file", files=files)).json()
                assert answer["answer"] in ("收到，谢谢。", "Thank you. Good bye.")
                names, data = await heard(client, {"message": text})
                assert names[-1] == "done" and data["audio"]
        api = openai.AsyncOpenAI(base_url=f"{live.url}/v1", api_key="none", max_retries=0)
        async with api:
            sounds = [
                (await api.audio.speech.create(model="tts-1", voice=name, input="Hello there.")).content
                for name in ("alloy", "marin")
            ]
        assert all(np.abs(decode(sound, max_seconds=60)).max() > 0.05 for sound in sounds)


@pytest.mark.slow
async def test_the_first_sound_comes_before_the_last_word(_model_server: OpenAIServer, tmp_path: Path) -> None:
    _model_server.reset()
    with LiveServer(_settings(tmp_path, _model_server)) as live:
        async with httpx.AsyncClient(base_url=live.url, timeout=120) as client:
            await client.post("/api/v1/tts", json={"text": "Warm up."})
            _model_server.script([Answer("One short sentence. " + "And so on " * 20 + ".", pace=0.15)])
            began, sound, word = time.monotonic(), 0.0, 0.0
            async with client.stream("POST", "/api/v1/chat/stream", json={"message": "Hi", "speak": True}) as response:
                async for _, name, _data in events_of(response):
                    if name == "audio" and not sound:
                        sound = time.monotonic() - began
                    if name == "token":
                        word = time.monotonic() - began
    assert 0 < sound < word


async def test_reading_aloud_and_writing_down_count_as_calls(loud: httpx.AsyncClient) -> None:
    async def calls() -> int:
        days = (await loud.get("/api/v1/usage")).json()
        return int(days[0]["calls"]) if days else 0

    before = await calls()
    assert (await loud.post("/api/v1/tts", json={"text": "Hello.", "format": "wav"})).status_code == 200
    recording = {"file": ("two.wav", TWO_SECONDS, "audio/wav")}
    await loud.post("/v1/audio/transcriptions", files=recording)
    assert await calls() == before + 2
