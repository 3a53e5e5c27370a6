"""Samples to audio files and back: mono, 16 bit, 24 kHz for speaking and 16 kHz for listening."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.errors import FileCorrupt, FileTooLarge
from domain.words import Words
from models.speech.interface import AudioFormat

if TYPE_CHECKING:
    from av import AudioFrame
    from av.container import InputContainer

Samples = NDArray[np.float32]
SAMPLE_RATE = 24_000
HEARING_RATE = 16_000
MEDIA_TYPES: dict[AudioFormat, str] = {"mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/ogg"}
SELF_CONTAINED = {
    "format_whitelist": "wav,w64,mp3,ogg,flac,mov,matroska,aac,amr,aiff,au,caf,asf",
    "protocol_whitelist": "none",
}
"""FFmpeg's options for recordings of strangers: it also takes playlists and session descriptions for audio, and would
open the files, addresses and ports that these name."""
_MP3_KBPS = 64
_OPUS_BPS = 32_000
_UNKNOWN_LENGTH = 0xFFFFFFFF
_WAV_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


class Encoder(Protocol):
    """Makes one audio stream out of pieces of PCM (signed 16 bit little endian, mono, `SAMPLE_RATE`)."""

    def encode(self, pcm: bytes) -> bytes:
        """Return what can be sent so far; may be empty."""

    def finish(self) -> bytes:
        """Return the rest of the stream."""


def to_pcm(samples: Samples) -> bytes:
    """Turn float samples (-1 to 1, louder is clipped) into PCM."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()


def open_encoder(audio_format: AudioFormat) -> Encoder:
    """Return a new encoder."""
    return _ENCODERS[audio_format]()


def with_length(audio: bytes, audio_format: AudioFormat) -> bytes:
    """Write the true length into the header of a complete streamed wav; other formats stay as they are."""
    if audio_format != "wav" or len(audio) < _WAV_HEADER.size:
        return audio
    return _wav_header(len(audio) - _WAV_HEADER.size) + audio[_WAV_HEADER.size :]


def wav(pcm: bytes, rate: int) -> bytes:
    """Return a complete wav file."""
    return _wav_header(len(pcm), rate) + pcm


def decode(audio: bytes, *, max_seconds: float) -> Samples:
    """Decode a recording to mono float samples at `HEARING_RATE`.

    Raises:
        FileCorrupt: There is no audio in it.
        FileTooLarge: It is longer than `max_seconds`.
    """
    import av

    resampler = av.AudioResampler(format="s16", layout="mono", rate=HEARING_RATE)
    pieces: list[NDArray[np.int16]] = []
    length = 0
    try:
        with av.open(io.BytesIO(audio), mode="r", options=SELF_CONTAINED, metadata_errors="ignore") as container:
            for frame in _frames(container):
                for piece in resampler.resample(frame):
                    pieces.append(_flat(piece))
                    length += pieces[-1].size
                if length > max_seconds * HEARING_RATE:
                    raise FileTooLarge(name="audio", limit=_too_long(max_seconds))
            pieces.extend(_flat(piece) for piece in resampler.resample(None))
    except (av.FFmpegError, IndexError, ValueError) as exc:
        raise FileCorrupt(name="audio") from exc
    if not pieces:
        raise FileCorrupt(name="audio")
    return np.concatenate(pieces).astype(np.float32) / 32768.0


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    """Frames of the first audio stream; broken packets inside are skipped, as players do."""
    import av

    for packet in container.demux(container.streams.audio[0]):
        try:
            yield from packet.decode()
        except av.InvalidDataError:
            continue


def _flat(frame: AudioFrame) -> NDArray[np.int16]:
    return frame.to_ndarray().reshape(-1).astype(np.int16, copy=False)


def _too_long(seconds: float) -> Words:
    return Words(f"at most {seconds / 60:g} minutes of sound", f"录音最长 {seconds / 60:g} 分钟")


def _wav_header(length: int, rate: int = SAMPLE_RATE) -> bytes:
    total = min(length + _WAV_HEADER.size - 8, _UNKNOWN_LENGTH)
    return _WAV_HEADER.pack(b"RIFF", total, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", length)


class _Wav:
    """PCM behind a header that leaves the length open, as is usual for streams."""

    def __init__(self) -> None:
        self._head = _wav_header(_UNKNOWN_LENGTH)

    def encode(self, pcm: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + pcm

    def finish(self) -> bytes:
        return self.encode(b"")


class _Mp3:
    """LAME."""

    def __init__(self) -> None:
        import lameenc  # type: ignore[import-not-found]

        self._lame = lameenc.Encoder()
        self._lame.set_bit_rate(_MP3_KBPS)
        self._lame.set_in_sample_rate(SAMPLE_RATE)
        self._lame.set_channels(1)
        self._lame.set_quality(5)
        self._used = False

    def encode(self, pcm: bytes) -> bytes:
        self._used = self._used or bool(pcm)
        return bytes(self._lame.encode(pcm)) if pcm else b""

    def finish(self) -> bytes:
        return bytes(self._lame.flush()) if self._used else b""


class _Opus:
    """Opus in Ogg, through FFmpeg; a page every 200 ms."""

    def __init__(self) -> None:
        import av

        self._sink = _Sink()
        self._container = av.open(self._sink, mode="w", format="ogg", options={"page_duration": "200000"})
        self._stream = self._container.add_stream("libopus", rate=SAMPLE_RATE, layout="mono")
        self._stream.bit_rate = _OPUS_BPS
        self._at = 0

    def encode(self, pcm: bytes) -> bytes:
        import av

        if not pcm:
            return self._sink.take()
        samples = np.frombuffer(pcm, "<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, self._at
        self._at += samples.shape[1]
        self._container.mux(self._stream.encode(frame))
        return self._sink.take()

    def finish(self) -> bytes:
        if self._at:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._sink.take()


class _Sink:
    """Takes what the muxer writes; cannot seek, like a socket."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        data, self._data = bytes(self._data), bytearray()
        return data


_ENCODERS: dict[AudioFormat, type[Encoder]] = {"wav": _Wav, "mp3": _Mp3, "opus": _Opus}
