"""The bundled voices and listener: real models, from text to sound and back."""

from __future__ import annotations

import asyncio
import io
import re
import time
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from domain.errors import BadInput, FileCorrupt, FileTooLarge, SpeechUnavailable
from models.speech.audio import HEARING_RATE, SAMPLE_RATE, Encoder, to_pcm, wav, with_length
from models.speech.bundled_stt import BundledListener
from models.speech.bundled_tts import BundledSpeaker
from models.speech.dashscope_stt import DashScopeListener
from models.speech.dashscope_tts import DashScopeSpeaker
from models.speech.hosted_stt import HostedListener, open_hosted
from models.speech.interface import AudioFormat
from models.speech.registry import open_listener, open_speaker
from settings import Settings
from tests.sounds import decode
from tests.standins.listening import Listening
from workers.sandbox import Sandbox

ENGLISH = "The train leaves the station at nine, and the children wave from the window."
CHINESE = "今天天气很好，我们一起去公园散步。"
FORMATS: tuple[AudioFormat, ...] = ("mp3", "wav", "opus")


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_dir=tmp_path_factory.mktemp("speech"), _env_file=None)


@pytest.fixture(scope="module")
async def speaker(lasting: Settings) -> AsyncIterator[BundledSpeaker]:
    speaker = BundledSpeaker(lasting)
    yield speaker
    await speaker.aclose()


@pytest.fixture(scope="module")
async def listener(lasting: Settings, sandbox: Sandbox) -> AsyncIterator[BundledListener]:
    listener = BundledListener(lasting, sandbox)
    yield listener
    await listener.aclose()


def _sine(seconds: float) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize("audio_format", FORMATS)
def test_pieces_make_one_stream_that_decodes(audio_format: AudioFormat) -> None:
    encoder = Encoder(audio_format)
    chunks = [encoder.encode(to_pcm(piece)) for piece in np.array_split(_sine(2), 7)]
    audio = with_length(b"".join([*chunks, encoder.finish()]), audio_format)
    samples = decode(audio, max_seconds=5)
    assert abs(len(samples) / HEARING_RATE - 2) < 0.1
    assert abs(np.argmax(np.abs(np.fft.rfft(samples))) * HEARING_RATE / len(samples) - 440) < 3
    assert sum(bool(chunk) for chunk in chunks) > 3


def test_a_complete_wav_tells_its_length() -> None:
    encoder = Encoder("wav")
    audio = encoder.encode(to_pcm(_sine(1))) + encoder.finish()
    with wave.open(io.BytesIO(with_length(audio, "wav"))) as file:
        assert (file.getnframes(), file.getframerate(), file.getnchannels()) == (SAMPLE_RATE, SAMPLE_RATE, 1)


@pytest.mark.parametrize(
    "audio", [b"", b"no audio at all" * 50, b"RIFF" + bytes(200), b"ID3" + b"\xff" * 500, b"OggS" * 99]
)
def test_what_is_not_audio_is_corrupt(audio: bytes) -> None:
    with pytest.raises(FileCorrupt):
        decode(audio, max_seconds=5)


def test_long_recordings_are_refused_while_decoding() -> None:
    with pytest.raises(FileTooLarge) as caught:
        decode(wav(bytes(2 * HEARING_RATE * 61), HEARING_RATE), max_seconds=60)
    assert "1 " in caught.value.body("zh")["message"]


@pytest.mark.parametrize("audio_format", FORMATS)
async def test_english_streams_sentence_by_sentence(speaker: BundledSpeaker, audio_format: AudioFormat) -> None:
    chunks = [chunk async for chunk in speaker.speak("**One.** Two is more. Three!", audio_format=audio_format)]
    assert len(chunks) >= 3
    samples = decode(b"".join(chunks), max_seconds=30)
    assert 1 < len(samples) / HEARING_RATE < 8 and np.abs(samples).max() > 0.05


async def test_speed(speaker: BundledSpeaker) -> None:
    lengths = [
        len(b"".join([c async for c in speaker.speak(ENGLISH, audio_format="wav", speed=speed)]))
        for speed in (0.7, 1, 1.6)
    ]
    assert lengths[0] > 1.2 * lengths[1] and lengths[1] > 1.2 * lengths[2]


async def test_unknown_voices_and_empty_texts(speaker: BundledSpeaker) -> None:
    with pytest.raises(BadInput) as caught:
        [chunk async for chunk in speaker.speak("Hi.", voice="nobody")]
    assert "heart" in caught.value.body("zh")["message"]
    for audio_format in FORMATS:
        assert not [chunk async for chunk in speaker.speak("😀 ---", audio_format=audio_format)]


async def test_the_event_loop_stays_free_while_speaking(speaker: BundledSpeaker) -> None:
    longest, stop = 0.0, asyncio.Event()

    async def beat() -> None:
        nonlocal longest
        while not stop.is_set():
            started = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - started)

    watcher = asyncio.create_task(beat())
    began = time.monotonic()
    [chunk async for chunk in speaker.speak(ENGLISH * 3)]
    took = time.monotonic() - began
    stop.set()
    await watcher
    assert longest < took / 3


@pytest.mark.slow
@pytest.mark.parametrize(("text", "language"), [(ENGLISH, "en"), (CHINESE, "zh")])
async def test_text_to_speech_to_text(
    speaker: BundledSpeaker, listener: BundledListener, text: str, language: str
) -> None:
    audio = b"".join([chunk async for chunk in speaker.speak(text, audio_format="opus")])
    heard = await listener.transcript(audio, words=True)
    assert heard.language == language
    expected, found = _units(text), _units(heard.text)
    assert _distance(expected, found) <= 0.2 * len(expected), heard.text
    assert heard.seconds > 1 and heard.segments[-1]["end"] <= heard.seconds + 1
    starts = [word["start"] for word in heard.words]
    assert len(starts) > 3 and starts == sorted(starts)
    english = await listener.transcript(audio, translate=True)
    assert not re.search("[\u4e00-\u9fff]", english.text) and english.text


def _units(text: str) -> list[str]:
    return re.findall(r"[a-z]+|[\u3400-\u9fff]", text.lower())


def _distance(a: list[str], b: list[str]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, last = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (x != y)))
    return row[-1]


async def test_a_language_that_nobody_speaks(listener: BundledListener) -> None:
    with pytest.raises(BadInput, match="'xx' is not known"):
        await listener.transcript(wav(bytes(HEARING_RATE), HEARING_RATE), language="xx")


async def test_bytes_that_are_no_audio(listener: BundledListener) -> None:
    with pytest.raises(FileCorrupt):
        await listener.transcribe(b"not audio" * 100)


@pytest.fixture
def transcriber() -> Iterator[tuple[Listening, list[dict[str, str]]]]:
    seen: list[dict[str, str]] = []

    async def transcribe(request: Request) -> JSONResponse:
        async with request.form() as form:
            file = form["file"]
            seen.append({**{k: str(v) for k, v in form.items() if k != "file"}, "name": str(file.filename)})  # type: ignore[union-attr]
        if request.headers["authorization"] == "Bearer bad-key":
            return JSONResponse({"error": {"message": "bad key", "code": "invalid_api_key"}}, status_code=401)
        return JSONResponse({"text": " 你好，世界。 "})

    paths = ("/v1/audio/transcriptions", "/v1/audio/translations")
    with Listening(Starlette(routes=[Route(path, transcribe, methods=["POST"]) for path in paths])) as server:
        yield server, seen


@pytest.mark.filterwarnings("ignore:deprecated")
async def test_an_openai_compatible_listener(
    transcriber: tuple[Listening, list[dict[str, str]]], tmp_path: Path, sandbox: Sandbox
) -> None:
    server, seen = transcriber
    url = f"http://{server.address}/v1"
    settings = Settings(data_dir=tmp_path, stt_base_url=url, stt_api_key="k", stt_model="m", _env_file=None)
    hosted = open_hosted(settings, sandbox)
    assert hosted is not None
    assert await hosted.transcribe(wav(bytes(3200), HEARING_RATE)) == ("你好，世界。", "zh")
    await hosted.transcribe(b"OggS...", language="en")
    assert [(row["name"], row.get("language")) for row in seen] == [("audio.wav", None), ("audio.ogg", "en")]
    assert seen[0]["model"] == "m" and server.address.split(":")[0] in hosted.detail.en
    heard = await hosted.transcript(wav(bytes(3200), HEARING_RATE), translate=True)
    assert (heard.text, heard.seconds, heard.segments[0]["end"]) == ("你好，世界。", 0.1, 0.1)
    await hosted.aclose()
    refused = open_hosted(
        settings.model_copy(update={"stt_api_key": Settings(stt_api_key="bad-key").stt_api_key}), sandbox
    )
    assert refused is not None
    with pytest.raises(SpeechUnavailable):
        await refused.transcribe(b"RIFF")
    await refused.aclose()


def test_who_speaks_and_listens(tmp_path: Path, sandbox: Sandbox) -> None:
    def given(**values: Any) -> Settings:
        return Settings(data_dir=tmp_path, _env_file=None, **values)

    assert isinstance(open_speaker(given()), BundledSpeaker)
    assert isinstance(open_speaker(given(dashscope_api_key="k")), DashScopeSpeaker)
    assert isinstance(open_speaker(given(dashscope_api_key="k", tts_engine="bundled")), BundledSpeaker)
    assert open_speaker(given(tts_engine="off")) is None and open_speaker(given(tts_engine="dashscope")) is None
    assert isinstance(open_listener(given(), sandbox), BundledListener)
    assert isinstance(open_listener(given(dashscope_api_key="k"), sandbox), DashScopeListener)
    chosen = open_listener(given(dashscope_api_key="k", stt_base_url="http://stt.example/v1"), sandbox)
    assert isinstance(chosen, HostedListener) and "stt.example" in chosen.detail.en


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile tests/x.wav\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9.0,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n",
    ],
)
def test_playlists_and_session_descriptions_open_nothing(text: str) -> None:
    with pytest.raises(FileCorrupt) as refused:
        decode(text.encode(), max_seconds=60)
    assert not isinstance(refused.value.__cause__, OSError), "FFmpeg went to look for a file or a port"
