"""Finds files that Python packages ship (model weights, dictionaries) without importing those packages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

BUNDLED = Path(sys.prefix) / "bundled"
"""Where `make install` unpacks the packages of `bundled.txt`: files only, never on `sys.path`."""


def package_dir(module: str) -> Path | None:
    """Return the folder of `module`, looked for in `BUNDLED` and then among the installed packages."""
    if (BUNDLED / module).is_dir():
        return BUNDLED / module
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
