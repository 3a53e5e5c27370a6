"""What an OCR worker process runs: loads the models, then reads one picture after another."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from domain.errors import OcrUnavailable
from domain.types import OcrText
from domain.words import Words
from models.ocr.catalog import MODEL_SETS, Engine
from models.ocr.folders import find_models, lay_out

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OcrSetup:
    """Start-up options of a worker; folders are absolute. `models` is an operator's own folder of models."""

    engine: Engine
    models: Path | None
    shared: Path
    threads: int


def recognise(setup: OcrSetup, pictures: Iterator[tuple[bytes, float]]) -> Iterator[str | OcrText | None]:
    """Yield the engine's name when it is ready, then the text of each picture; None for one that it cannot read.

    A picture comes with the seconds of work that it may take.

    Raises:
        OcrUnavailable: A package or a model file is missing.
    """
    _keep_quiet(setup)
    _check_packages(setup.engine)
    models = MODEL_SETS[setup.engine]
    folders = find_models(models, setup.models) if setup.models else lay_out(models, setup.shared)
    from models.ocr.recognizer import Recognizer

    recognizer = Recognizer(models, folders, setup.threads)
    yield recognizer.name
    for picture, seconds in pictures:
        try:
            text = recognizer.read(picture, seconds)
        except Exception:  # one picture that the engine cannot take must not end the worker
            logger.exception("OCR refused a picture")
            text = None
        yield text


def _keep_quiet(setup: OcrSetup) -> None:
    """Keep PaddleX off the network and the home folder, and its progress messages out of the server's log."""
    cache = setup.shared / "paddlex"
    cache.mkdir(parents=True, exist_ok=True)
    os.environ["HOME"] = os.environ["PADDLE_PDX_CACHE_HOME"] = str(cache)
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    os.environ["OMP_NUM_THREADS"] = str(setup.threads)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    if find_spec("onnxruntime") is not None:
        import onnxruntime

        onnxruntime.set_default_logger_severity(3)


def _check_packages(engine: Engine) -> None:
    wanted = ["paddleocr", "onnxruntime", *(["paddle"] if engine == "paddle" else [])]
    absent = ["paddlepaddle" if name == "paddle" else name for name in wanted if find_spec(name) is None]
    if absent:
        raise OcrUnavailable(reason=Words(f"not installed: {', '.join(absent)}", f"未安装 {'、'.join(absent)}"))
    try:
        broken = engine == "paddle" and version("paddlepaddle").startswith("3.3.")
    except PackageNotFoundError:
        return
    if broken:
        # https://github.com/PaddlePaddle/Paddle/issues/77340
        raise OcrUnavailable(
            reason=Words(
                "paddlepaddle 3.3 cannot run these models on a CPU; install paddlepaddle==3.2.2",
                "paddlepaddle 3.3 无法在 CPU 上运行这些模型，请安装 paddlepaddle==3.2.2",
            )
        )
