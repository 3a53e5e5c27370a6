"""Recordings as samples."""

from __future__ import annotations

import numpy as np

from models.speech.audio import Samples, decoded


def decode(audio: bytes, *, max_seconds: float) -> Samples:
    """Return the samples of a recording, read in this process."""
    return np.concatenate([np.frombuffer(piece, np.float32) for piece in decoded(audio, max_seconds)])
