"""Hosted voices of DashScope: CosyVoice over a websocket, Qwen TTS over HTTP, both through the `dashscope` client.

The client blocks: one thread runs it and hands the audio over. It is asked for plain text (no SSML, so `<` and `&` are
read as they are) and for PCM, which is encoded here. Every wait has an end: the client waits for ever otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator

import httpx
from dashscope import Client
from dashscope.v2.errors import APIStatusError, AuthenticationError, DashScopeError, RateLimitError
from websocket import WebSocketException

from domain.errors import SpeechUnavailable
from domain.language import written_language
from models.speech import texts
from models.speech.audio import SAMPLE_RATE, Encoder
from models.speech.interface import AudioFormat
from models.speech.leaving import check_may_leave
from models.speech.spoken_text import spoken_sentences
from models.speech.tempo import change_tempo
from settings import Settings

logger = logging.getLogger(__name__)
Audio = Iterator[bytes]
CLIENT_ERRORS = (DashScopeError, WebSocketException, httpx.HTTPError, OSError, RuntimeError, ValueError)
"""What the client and the libraries below it raise."""
_QWEN = re.compile(r"qwen\d*-tts")
_LANGUAGES = {"zh": "Chinese", "en": "English"}
_MARGIN = 5.0
"""Seconds that the client waits longer than we do; it only ends abandoned threads."""
_PIECE_CHARS = 9_000
"""Text of one websocket message: the limit is 20,000, a Han character counts 2."""
_TASK_CHARS = 90_000
"""Text of one task: the limit is 200,000."""


class DashScopeSpeaker:
    """CosyVoice or Qwen TTS, as `tts_model` says."""

    voices: tuple[str, ...] = ()

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is opened before the first sentence."""
        self._settings = settings
        self.name = settings.tts_model
        self.detail = texts.speaker_dashscope(self.name)

    async def speak(
        self, text: str, *, voice: str | None = None, audio_format: AudioFormat = "mp3", speed: float = 1.0
    ) -> AsyncIterator[bytes]:
        """Yield audio as it arrives; see `Speaker`."""
        if not (sentences := spoken_sentences(text)):
            return
        check_may_leave()
        encoder = await asyncio.to_thread(Encoder, audio_format)  # the first one loads FFmpeg
        voice, speed = voice or self._settings.tts_voice, min(2.0, max(0.5, speed))
        for part in _tasks(sentences):
            async with contextlib.aclosing(self._pcm(part, voice, speed)) as pieces:
                async for pcm in pieces:
                    if chunk := encoder.encode(pcm):
                        yield chunk
        if end := encoder.finish():
            yield end

    async def aclose(self) -> None:
        """Nothing is kept open."""

    async def _pcm(self, sentences: list[str], voice: str, speed: float) -> AsyncGenerator[bytes, None]:
        """Run the client in a thread; each wait for its next piece ends after `tts_timeout`."""
        task = _Task(self._qwen if _QWEN.match(self.name) else self._cosyvoice, sentences, voice, speed)
        thread = asyncio.create_task(asyncio.to_thread(task.run))
        thread.add_done_callback(lambda done: done.cancelled() or done.exception())
        odd = b""
        try:
            while True:
                async with asyncio.timeout(self._settings.tts_timeout):
                    piece = await task.pieces.get()
                if piece is None:
                    break
                whole = odd + piece
                odd = whole[len(whole) & ~1 :]
                yield whole[: len(whole) & ~1]
            await thread
        except TimeoutError as exc:
            raise SpeechUnavailable(reason=texts.DASHSCOPE_SLOW) from exc
        except CLIENT_ERRORS as exc:
            raise _failure(exc) from exc
        finally:
            task.stop()

    def _client(self) -> Client:
        key = self._settings.dashscope_api_key
        return Client(
            api_key=key.get_secret_value() if key else "",
            base_url=self._settings.dashscope_http_url,
            timeout=self._settings.tts_timeout + _MARGIN,
            max_retries=1,
        )

    def _cosyvoice(self, task: _Task, sentences: list[str], voice: str, speed: float) -> Audio:
        client = task.closers.enter_context(self._client())
        session = task.closers.enter_context(
            client.audio.tts.connect(
                model=self.name,
                voice=voice,
                format="pcm",
                sample_rate=SAMPLE_RATE,
                rate=speed,
                ws_url=self._settings.dashscope_websocket_url,
                timeout=self._settings.tts_timeout + _MARGIN,
            )
        )
        task.hang_up = session.close
        for sentence in sentences:
            session.send_text(sentence + " ")
        session.stop()
        yield from session.audio_chunks()

    def _qwen(self, task: _Task, sentences: list[str], voice: str, speed: float) -> Audio:
        client = task.closers.enter_context(self._client())
        for sentence in sentences:
            stream = client.audio.tts.http.stream(
                sentence, model=self.name, voice=voice, language_type=_LANGUAGES[written_language(sentence)]
            )
            with contextlib.closing(stream):
                yield from change_tempo((chunk.audio for chunk in stream if chunk.audio), speed)


class _Task:
    """One run of the blocking client: pieces go to the event loop; `stop` closes its connection."""

    def __init__(self, make: Callable[..., Audio], sentences: list[str], voice: str, speed: float) -> None:
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._make = make
        self._arguments = (sentences, voice, speed)
        self._stopped = threading.Event()
        self.closers = contextlib.ExitStack()
        self.hang_up: Callable[[], object] | None = None

    def run(self) -> None:
        try:
            with self.closers:
                for piece in self._make(self, *self._arguments):
                    if self._stopped.is_set():
                        return
                    self._put(piece)
        finally:
            self._put(None)

    def stop(self) -> None:
        """Let the thread end: between two pieces, or by taking its connection away."""
        self._stopped.set()
        if self.hang_up is not None:
            self._loop.run_in_executor(None, self.hang_up)

    def _put(self, piece: bytes | None) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.pieces.put_nowait, piece)


def _tasks(sentences: Iterable[str]) -> Iterator[list[str]]:
    """Group sentences into tasks within the service's limits."""
    task: list[str] = []
    for sentence in sentences:
        if sum(map(len, task)) + len(sentence) > _TASK_CHARS:
            yield task
            task = []
        task.extend(sentence[at : at + _PIECE_CHARS] for at in range(0, len(sentence), _PIECE_CHARS))
    if task:
        yield task


def _failure(error: Exception) -> SpeechUnavailable:
    """Name the client's exception by its class alone: its text may hold ids and addresses."""
    logger.warning("DashScope speech failed: %s", type(error).__name__)
    if isinstance(error, AuthenticationError) or _refused_handshake(error):
        return SpeechUnavailable(reason=texts.DASHSCOPE_KEY)
    if isinstance(error, RateLimitError):
        return SpeechUnavailable(reason=texts.DASHSCOPE_BUSY)
    if isinstance(error, APIStatusError):
        return SpeechUnavailable(reason=texts.DASHSCOPE_TEXT)
    return SpeechUnavailable(reason=texts.DASHSCOPE_BROKE_OFF)


def _refused_handshake(error: BaseException | None) -> bool:
    """Whether a websocket was refused for its key: the client wraps that error."""
    while error is not None:
        if getattr(error, "status_code", None) in (401, 403):
            return True
        error = error.__cause__ or error.__context__
    return False
