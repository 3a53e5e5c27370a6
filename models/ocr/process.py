"""The server's side of one OCR worker process (`models/ocr/worker.py`)."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import asdict
from pathlib import Path
from typing import Any

from domain.types import OcrText
from domain.words import Words
from models.ocr.worker import LENGTH, Job

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
"""All that a worker gets of the server's environment: no key, no URL, no proxy."""
CLOSE_SECONDS = 1.0


class StartFailed(Exception):
    """The worker has given up; `state` is `missing` (a package or model file) or `failed`."""

    def __init__(self, state: str, reason: Words) -> None:
        self.state = state
        self.reason = reason
        super().__init__(reason.en)


class WorkerDied(Exception):
    """The process ended without an answer."""


class PictureRefused(Exception):
    """The engine raised an error on this picture; the worker lives on."""


class WorkerProcess:
    """One worker, ready to read one picture at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.name = ""
        self.readings = 0

    @classmethod
    async def start(cls, job: Job) -> WorkerProcess:
        """Start a worker and wait until its models are loaded and warm.

        Raises:
            StartFailed: It says that it cannot, or ended on its way.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "models.ocr.worker",
            stdin=PIPE,
            stdout=PIPE,
            stderr=None if sys.stderr else DEVNULL,
            cwd=ROOT,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        )
        worker = cls(process)
        try:
            reply = await worker._ask(json.dumps(asdict(job)).encode())
        except WorkerDied as exc:
            status = process.returncode
            reason = Words(f"the process ended with status {status}", f"进程已退出，状态码 {status}")
            raise StartFailed("failed", reason) from exc
        except BaseException:
            await worker.kill()
            raise
        if "ready" not in reply:
            await worker.close()
            state, texts = next(iter(reply.items()))
            raise StartFailed(state, Words(*texts))
        worker.name = reply["ready"]
        return worker

    async def read(self, image: bytes) -> OcrText:
        """Return the text of one picture; after a cancellation the worker is of no more use and must be killed.

        Raises:
            WorkerDied: The process ended meanwhile.
            PictureRefused: The engine cannot take this picture.
        """
        self.readings += 1
        reply = await self._ask(image)
        if "error" in reply:
            raise PictureRefused(reply["error"])
        return OcrText(text=reply["text"], lines=reply["lines"], rotation=reply["rotation"], engine=reply["engine"])

    async def _ask(self, message: bytes) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise WorkerDied
        try:
            stdin.write(LENGTH.pack(len(message)) + message)
            await stdin.drain()
            (size,) = LENGTH.unpack(await stdout.readexactly(LENGTH.size))
            return json.loads(await stdout.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError) as exc:
            await self._process.wait()
            raise WorkerDied from exc

    async def kill(self) -> None:
        """End the process at once."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def close(self) -> None:
        """Let the process end by itself, and end it if it does not within a second."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
