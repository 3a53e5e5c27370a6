"""PyMuPDF without its layout models (onnxruntime, 70 MB, 0.4 s): it imports them where it finds them, to no use."""

from __future__ import annotations

import sys

sys.modules.setdefault("pymupdf.layout", None)  # type: ignore[arg-type]
import pymupdf  # noqa: E402

__all__ = ["pymupdf"]
