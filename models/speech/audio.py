"""Samples to audio files and back through FFmpeg: mono, 16 bit, 24 kHz for speaking and 16 kHz for listening."""

from __future__ import annotations

import io
import itertools
import wave
from collections.abc import Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from domain.errors import FileCorrupt, FileTooLarge
from models.speech.interface import AudioFormat
from models.speech.texts import too_long

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream
    from av.container import InputContainer

    from workers.sandbox import Sandbox

Samples = NDArray[np.float32]
SAMPLE_RATE = 24_000
HEARING_RATE = 16_000
_PIECE_BYTES = 4 * 1024 * 1024
MEDIA_TYPES: dict[AudioFormat, str] = {
    "mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac",
    "pcm": "audio/pcm",
}  # fmt: skip
SELF_CONTAINED = {
    "format_whitelist": "wav,w64,mp3,ogg,flac,mov,matroska,aac,amr,aiff,au,caf,asf",
    "protocol_whitelist": "none",
}
"""FFmpeg's options for recordings of strangers: it also takes playlists and session descriptions for audio, and would
open the files, addresses and ports that these name."""


class _Codec(NamedTuple):
    container: str
    name: str
    bits_per_second: int | None
    options: dict[str, str]


_CODECS: dict[AudioFormat, _Codec] = {
    "mp3": _Codec("mp3", "libmp3lame", 64_000, {"write_xing": "0", "id3v2_version": "0"}),
    "wav": _Codec("wav", "pcm_s16le", None, {"fflags": "+bitexact"}),
    "opus": _Codec("ogg", "libopus", 32_000, {"page_duration": "200000"}),
    "aac": _Codec("adts", "aac", 64_000, {}),
    "flac": _Codec("flac", "flac", None, {}),
    "pcm": _Codec("s16le", "pcm_s16le", None, {}),
}


class Encoder:
    """Makes one audio stream out of pieces of PCM (signed 16 bit little endian, mono, `SAMPLE_RATE`).

    A streamed wav leaves its length open: see `with_length`.
    """

    def __init__(self, audio_format: AudioFormat) -> None:
        import av

        codec = _CODECS[audio_format]
        self._sink = _Sink()
        self._container = av.open(
            self._sink, mode="w", format=codec.container, options={"flush_packets": "1", **codec.options}
        )
        self._stream = cast("AudioStream", self._container.add_stream(codec.name, rate=SAMPLE_RATE, layout="mono"))
        if codec.bits_per_second:
            self._stream.bit_rate = codec.bits_per_second
        self._samples = 0

    def encode(self, pcm: bytes) -> bytes:
        """Return what can be sent so far; may be empty."""
        import av

        if pcm:
            samples = np.frombuffer(pcm, "<i2").reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE, self._samples
            self._samples += samples.shape[1]
            self._container.mux(self._stream.encode(frame))
        return self._sink.take()

    def finish(self) -> bytes:
        """Return the rest of the stream."""
        if self._samples:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._sink.take()


class _Sink:
    """Takes what FFmpeg writes; cannot seek, like a socket."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        data, self._data = bytes(self._data), bytearray()
        return data


def to_pcm(samples: Samples) -> bytes:
    """Turn float samples (-1 to 1, louder is clipped) into PCM."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()


def wav(pcm: bytes, rate: int) -> bytes:
    """Return a complete wav file of PCM at `rate` samples a second."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(pcm)
    return target.getvalue()


def with_length(audio: bytes, audio_format: AudioFormat) -> bytes:
    """Write the true length into the header of a complete streamed wav; other formats stay as they are."""
    if audio_format != "wav" or not audio:
        return audio
    with wave.open(io.BytesIO(audio)) as file:
        return wav(file.readframes(file.getnframes()), file.getframerate())


async def decode_apart(audio: bytes, sandbox: Sandbox, *, max_seconds: float) -> Samples:
    """Decode a recording to mono float samples at `HEARING_RATE`, in a process of its own: FFmpeg is native code.

    Raises:
        FileCorrupt: There is no audio in it.
        FileTooLarge: It is longer than `max_seconds`.
    """
    async with aclosing(sandbox.stream(decoded, audio, max_seconds, name="audio")) as pieces:
        heard = [np.frombuffer(piece, np.float32) async for piece in pieces]
    return np.concatenate(heard)


def decoded(audio: bytes, max_seconds: float) -> Iterator[bytes]:
    """Yield the float samples of a recording in pieces; for `decode_apart`, whose errors it raises."""
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=HEARING_RATE)
    pending = bytearray()
    length = 0
    try:
        with av.open(io.BytesIO(audio), mode="r", options=SELF_CONTAINED, metadata_errors="ignore") as container:
            for frame in itertools.chain(_frames(container), (None,)):
                for piece in resampler.resample(frame):
                    samples = piece.to_ndarray().reshape(-1).astype(np.float32, copy=False)
                    pending += samples.tobytes()
                    length += samples.size
                if length > max_seconds * HEARING_RATE:
                    raise FileTooLarge(name="audio", limit=too_long(max_seconds))
                if len(pending) >= _PIECE_BYTES:
                    yield bytes(pending)
                    pending.clear()
    except (av.FFmpegError, IndexError, ValueError) as exc:
        raise FileCorrupt(name="audio") from exc
    if not length:
        raise FileCorrupt(name="audio")
    yield bytes(pending)


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    """Frames of the first audio stream; broken packets inside are skipped, as players do."""
    import av

    for packet in container.demux(container.streams.audio[0]):
        try:
            yield from packet.decode()
        except av.InvalidDataError:
            continue
