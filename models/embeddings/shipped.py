"""Vectors that come with the bundled embedder: of everyday requests, examples, and what the tools say of themselves.

A fresh server took 4.4 s of a core to embed what it needs of these beside the first question. What is not among them,
as it is newer, is embedded as any text is. bench/ship_vectors.py writes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from models.embeddings.interface import Role, Vectors

FILE: Final = Path(__file__).with_name("shipped.npz")


@cache
def shipped() -> dict[tuple[Role, str], Vectors]:
    """Return the vectors by role and text; cosines are those of computed ones within 0.001."""
    with np.load(FILE) as file:
        lines = json.loads(bytes(file["lines"]))
        vectors = file["vectors"].astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return {(role, text): vector for (role, text), vector in zip(lines, vectors, strict=True)}


def ship(vectors: Mapping[tuple[Role, str], Vectors]) -> None:
    """Write the vectors that come with the embedder."""
    lines = np.frombuffer(json.dumps(list(vectors), ensure_ascii=False).encode(), np.uint8)
    np.savez_compressed(FILE, lines=lines, vectors=np.stack(list(vectors.values())).astype(np.float16))
