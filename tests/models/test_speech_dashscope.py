"""DashScope's speech through the real client against its protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.errors import SpeechUnavailable
from models.speech.audio import HEARING_RATE, wav
from models.speech.dashscope_stt import DashScopeListener
from models.speech.dashscope_tts import DashScopeSpeaker
from models.speech.interface import AudioFormat
from settings import Settings
from tests.sounds import decode
from tests.standins.dashscope_server import SECONDS_A_CHARACTER, DashScopeServer
from workers.sandbox import Sandbox

TEXT = "您好，这是第一句话。Here is **the** second one [1]."
SPOKEN = ["您好，这是第一句话。", "Here is the second one."]
MODELS = ("cosyvoice-v3-flash", "qwen3-tts-flash")


@pytest.fixture
def server() -> Iterator[DashScopeServer]:
    with DashScopeServer() as server:
        yield server


def _settings(server: DashScopeServer, tmp_path: Path, **values: Any) -> Settings:
    given: dict[str, Any] = {
        "data_dir": tmp_path,
        "dashscope_api_key": "sk-test",
        "dashscope_http_url": server.http_url,
        "dashscope_websocket_url": server.websocket_url,
        "tts_timeout": 2,
        **values,
    }
    return Settings(_env_file=None, **given)


async def _speak(
    settings: Settings, text: str = TEXT, voice: str | None = None, audio_format: AudioFormat = "mp3", speed: float = 1
) -> bytes:
    speaker = DashScopeSpeaker(settings)
    chunks = [c async for c in speaker.speak(text, voice=voice, audio_format=audio_format, speed=speed)]
    await speaker.aclose()
    return b"".join(chunks)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("audio_format", ["mp3", "wav", "opus"])
async def test_both_protocols_and_all_formats(
    server: DashScopeServer, tmp_path: Path, model: str, audio_format: AudioFormat
) -> None:
    audio = await _speak(_settings(server, tmp_path, tts_model=model), audio_format=audio_format)
    samples = decode(audio, max_seconds=60)
    expected = SECONDS_A_CHARACTER * sum(map(len, SPOKEN))
    assert abs(len(samples) / HEARING_RATE - expected) < 0.15
    spectrum = np.abs(np.fft.rfft(samples))
    assert abs(np.argmax(spectrum) * HEARING_RATE / len(samples) - 440) < 5


async def test_what_goes_over_the_websocket(server: DashScopeServer, tmp_path: Path) -> None:
    await _speak(_settings(server, tmp_path), "1 < 2 & 3.", speed=1.5)
    assert server.actions() == ["run-task", "continue-task", "finish-task"]
    parameters = server.messages[0]["payload"]["parameters"]
    assert parameters["voice"] == "longanyang" and parameters["rate"] == 1.5 and parameters["format"] == "pcm"
    assert parameters["text_type"] == "PlainText" and not parameters.get("enable_ssml")
    assert server.messages[1]["payload"]["input"]["text"].strip() == "1 < 2 and 3."


async def test_qwen_gets_one_sentence_a_call_in_its_language(server: DashScopeServer, tmp_path: Path) -> None:
    await _speak(_settings(server, tmp_path, tts_model="qwen3-tts-flash", tts_voice="Cherry"))
    inputs = [message["input"] for message in server.messages]
    assert [row["text"] for row in inputs] == SPOKEN
    assert [row["language_type"] for row in inputs] == ["Chinese", "English"]
    assert {row["voice"] for row in inputs} == {"Cherry"}


@pytest.mark.parametrize("model", MODELS)
async def test_speed(server: DashScopeServer, tmp_path: Path, model: str) -> None:
    settings = _settings(server, tmp_path, tts_model=model)
    lengths = [len(decode(await _speak(settings, "x" * 40, speed=speed), max_seconds=60)) for speed in (0.5, 1, 2)]
    assert abs(lengths[0] / lengths[1] - 2) < 0.15 and abs(lengths[1] / lengths[2] - 2) < 0.15


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("voice", "words"), [("bad-voice", "refuses"), ("drop", "broke off"), ("silent", "too long")])
async def test_faults_end_in_a_named_error(
    server: DashScopeServer, tmp_path: Path, model: str, voice: str, words: str
) -> None:
    started = time.monotonic()
    with pytest.raises(SpeechUnavailable) as caught:
        await _speak(_settings(server, tmp_path, tts_model=model), voice=voice)
    assert time.monotonic() - started < 20
    assert words in caught.value.body("en")["message"]


@pytest.mark.parametrize("model", MODELS)
async def test_a_bad_key_is_named(server: DashScopeServer, tmp_path: Path, model: str) -> None:
    with pytest.raises(SpeechUnavailable) as caught:
        await _speak(_settings(server, tmp_path, tts_model=model, dashscope_api_key="bad-key"))
    assert "key" in caught.value.body("en")["message"] and "bad-key" not in str(caught.value)


async def test_throttling_is_named(server: DashScopeServer, tmp_path: Path) -> None:
    with pytest.raises(SpeechUnavailable) as caught:
        await _speak(_settings(server, tmp_path, tts_model="qwen3-tts-flash"), voice="throttled")
    assert "rate limit" in caught.value.body("en")["message"]


async def test_nobody_there(server: DashScopeServer, tmp_path: Path) -> None:
    settings = _settings(server, tmp_path, dashscope_websocket_url="ws://127.0.0.1:9/api-ws/v1/inference")
    with pytest.raises(SpeechUnavailable):
        await _speak(settings)


async def test_stopping_early_hangs_up(server: DashScopeServer, tmp_path: Path) -> None:
    speaker = DashScopeSpeaker(_settings(server, tmp_path))
    stream = speaker.speak(TEXT, voice="silent")
    task = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(10):
        while not server.hung_up:
            await asyncio.sleep(0.02)


async def test_nothing_to_say_asks_nobody(server: DashScopeServer, tmp_path: Path) -> None:
    assert await _speak(_settings(server, tmp_path), "--- 😀 ---") == b"" and not server.messages


async def test_listening(server: DashScopeServer, tmp_path: Path, sandbox: Sandbox) -> None:
    listener = DashScopeListener(_settings(server, tmp_path), sandbox)
    audio = wav(bytes(2 * HEARING_RATE * 3), HEARING_RATE)
    assert await listener.transcribe(audio) == ("heard 3.0 seconds", "en")
    assert server.messages[-1]["parameters"]["asr_options"] == {"enable_lid": True}
    await listener.transcribe(audio, language="zh")
    assert server.messages[-1]["parameters"]["asr_options"] == {"language": "zh"}


async def test_long_recordings_go_in_parts(server: DashScopeServer, tmp_path: Path, sandbox: Sandbox) -> None:
    listener = DashScopeListener(_settings(server, tmp_path), sandbox)
    text, _ = await listener.transcribe(wav(bytes(2 * HEARING_RATE * 200), HEARING_RATE))
    assert text == "heard 170.0 seconds heard 30.0 seconds"


async def test_listening_with_a_bad_key(server: DashScopeServer, tmp_path: Path, sandbox: Sandbox) -> None:
    listener = DashScopeListener(_settings(server, tmp_path, dashscope_api_key="bad-key"), sandbox)
    with pytest.raises(SpeechUnavailable) as caught:
        await listener.transcribe(wav(bytes(2 * HEARING_RATE), HEARING_RATE))
    assert "key" in caught.value.body("en")["message"]
