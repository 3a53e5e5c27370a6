"""The OCR worker process: reads pictures from stdin, writes results to stdout, ends when stdin closes.

Started by `models/ocr/process.py` as `python -m models.ocr.worker`. Messages both ways are a 4-byte big-endian length
and that many bytes. First comes the `Job` as JSON, answered by `{"ready": name}`, `{"missing": [en, zh]}`
or `{"failed": [en, zh]}`; then pictures, each answered by an `OcrText` or `{"error": reason}`.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import struct
import sys
import threading
import warnings
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from domain.words import Words
from models.ocr.catalog import MODEL_SETS, Engine
from models.ocr.layout import ModelsMissing, find_models, lay_out

if TYPE_CHECKING:
    from models.ocr.recognizer import Recognizer

LENGTH = struct.Struct(">I")
NICENESS = 5
"""Reading pictures yields to answering people, as the sandbox's children do."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is told at its start; folders are absolute. `models` is an operator's own folder of models."""

    engine: Engine
    models: str | None
    shared: str
    threads: int


def main() -> None:
    """Serve pictures until the parent closes the pipe or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not mix with the replies
    inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(inbox,), daemon=True).start()
    recognizer = _start(Job(**json.loads(inbox.get())), replies)
    while True:
        _send(replies, _read(recognizer, inbox.get()))


def _receive(inbox: queue.SimpleQueue[bytes]) -> None:
    """Pass messages on; end the process at once, whatever it is doing, when the parent is gone."""
    stream = sys.stdin.buffer
    while len(head := stream.read(LENGTH.size)) == LENGTH.size:
        inbox.put(stream.read(LENGTH.unpack(head)[0]))
    os._exit(0)


def _start(job: Job, replies: BinaryIO) -> Recognizer:
    # Ctrl-C in the terminal is for the server, which then ends its workers. Not a session of its own: where Linux
    # groups tasks by session (autogroup), priorities count only within one.
    os.setpgid(0, 0)
    os.nice(NICENESS)
    _quiet(job)
    try:
        _check_packages(job.engine)
        models = MODEL_SETS[job.engine]
        folders = find_models(models, Path(job.models)) if job.models else lay_out(models, Path(job.shared))
        from models.ocr.recognizer import Recognizer

        recognizer = Recognizer(models, folders, job.threads)
    except ModelsMissing as exc:
        _give_up(replies, "missing", exc.reason)
    except Exception as exc:  # noqa: BLE001  # third-party loaders raise anything; the parent must hear of it
        said = f"{type(exc).__name__}: {exc}"
        _give_up(replies, "failed", Words(said, said))
    _send(replies, {"ready": recognizer.name})
    return recognizer


def _quiet(job: Job) -> None:
    """Keep PaddleX off the network and the home folder, and its progress messages out of the server's log."""
    cache = Path(job.shared) / "paddlex"
    cache.mkdir(parents=True, exist_ok=True)
    os.environ["PADDLE_PDX_CACHE_HOME"] = str(cache)
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    os.environ["OMP_NUM_THREADS"] = str(job.threads)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    if find_spec("onnxruntime") is not None:
        import onnxruntime

        onnxruntime.set_default_logger_severity(3)


def _check_packages(engine: Engine) -> None:
    wanted = ["paddleocr", "onnxruntime", *(["paddle"] if engine == "paddle" else [])]
    absent = ["paddlepaddle" if name == "paddle" else name for name in wanted if find_spec(name) is None]
    if absent:
        raise ModelsMissing(f"not installed: {', '.join(absent)}", f"未安装 {'、'.join(absent)}")
    try:
        broken = engine == "paddle" and version("paddlepaddle").startswith("3.3.")
    except PackageNotFoundError:
        return
    if broken:
        # https://github.com/PaddlePaddle/Paddle/issues/77340
        raise ModelsMissing(
            "paddlepaddle 3.3 cannot run these models on a CPU; install paddlepaddle==3.2.2",
            "paddlepaddle 3.3 无法在 CPU 上运行这些模型，请安装 paddlepaddle==3.2.2",
        )


def _read(recognizer: Recognizer, image: bytes) -> object:
    try:
        return recognizer.read(image)
    except Exception as exc:  # noqa: BLE001  # one picture the engine cannot take must not end the worker
        return {"error": f"{type(exc).__name__}: {exc}"}


def _give_up(replies: BinaryIO, state: str, reason: Words) -> NoReturn:
    _send(replies, {state: reason})
    os._exit(1)


def _send(replies: BinaryIO, message: object) -> None:
    data = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
    replies.write(LENGTH.pack(len(data)) + data)
    replies.flush()


if __name__ == "__main__":
    main()
