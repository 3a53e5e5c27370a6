"""A server of its own process, for benchmarks: started on a free port, ended by signal, its CPU time counted.

It runs this checkout, or another one with an environment of its own: an older commit, to be measured beside it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

QUIET = {"OCR_ENGINE": "off", "TTS_ENGINE": "off", "WEB_SEARCH": "off", "LOG_LEVEL": "warning", "OMP_NUM_THREADS": "1"}


class ServerProcess:
    """Runs `python -m server` (or another command) below `folder` for as long as a `with` block lasts.

    Args:
        folder: Its DATA_DIR.
        values: Further environment variables.
        command: What Python runs.
        checkout: Root of the checkout that runs, with a `.venv`; `None` is this one.
    """

    def __init__(
        self,
        folder: Path,
        values: Mapping[str, str],
        command: Sequence[str] = ("-m", "server"),
        checkout: Path | None = None,
    ) -> None:
        self._folder, self._values, self._command, self._checkout = folder, values, command, checkout
        self.url = ""

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        values = {**os.environ, **QUIET, "PORT": str(port), "DATA_DIR": str(self._folder), **self._values}
        python = sys.executable if self._checkout is None else str(self._checkout / ".venv" / "bin" / "python")
        self._process = subprocess.Popen(
            [python, *self._command], env=values, stdout=subprocess.DEVNULL, cwd=self._checkout
        )
        began = time.monotonic()
        while time.monotonic() - began < 180 and self._process.poll() is None:
            try:
                httpx.get(f"{self.url}/api/v1/health", timeout=2)
                self.seconds_to_ready = time.monotonic() - began
                return self
            except httpx.HTTPError:
                time.sleep(0.05)
        raise RuntimeError("the server did not start")

    def cpu_seconds(self) -> float:
        """Return the CPU time of the server process so far, without its children."""
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def kill(self) -> None:
        """End it without a chance to write anything down."""
        self._process.kill()
        self._process.wait(30)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)
