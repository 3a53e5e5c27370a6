"""The real engine in its worker processes, and what happens when they hang, die or are not there."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from domain.errors import OcrBusy, OcrFailed, OcrUnavailable, ReadingTimedOut
from domain.types import OcrLine
from models.ocr.pool import OcrPool, open_ocr
from settings import Settings
from tests.drawn_pictures import drawn, encoded
from workers.process import Zygote

ROOT = Path(__file__).resolve().parents[2]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def workers_of(server: int) -> list[int]:
    """Process ids of the OCR workers that `server` has; their parent is the process that forks them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "comm").read_text() == "ocr\n" and parent(parent(int(entry.name))) == server:
                found.append(int(entry.name))
        except (OSError, ValueError):
            continue
    return found


def children() -> list[int]:
    return workers_of(os.getpid())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def dies(pid: int, within: float = 5) -> bool:
    until = time.monotonic() + within
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not alive(pid)


async def ready(pool: OcrPool) -> None:
    while pool.state != "ready":
        await asyncio.sleep(0.05)


def plain(text: str) -> str:
    return "".join(text.split())


def receipt(number: int) -> bytes:
    return encoded(drawn((20, 20, f"Invoice {number}"), (20, 80, "应付金额：315元"), size=(500, 140)))


async def test_both_languages_are_read_with_confidence_and_boxes(ocr_pool: OcrPool) -> None:
    text = await ocr_pool.read(receipt(8241))
    assert plain(text["text"]) == "Invoice8241应付金额：315元"
    assert text["rotation"] == 0 and text["engine"] == "PaddleOCR PP-OCRv6_small (onnxruntime)"
    first = text["lines"][0]
    assert first["confidence"] > 0.9
    assert all(0 <= x <= 500 and 0 <= y <= 70 for x, y in first["box"])
    assert ocr_pool.state == "ready" and "PP-OCRv6_small" in ocr_pool.detail.en


async def test_the_same_picture_is_read_once_and_results_are_the_callers_own(ocr_pool: OcrPool) -> None:
    began = time.perf_counter()
    first, second = await asyncio.gather(ocr_pool.read(receipt(77)), ocr_pool.read(receipt(77)))
    read = time.perf_counter()
    first["lines"].clear()
    third = await ocr_pool.read(receipt(77))
    assert time.perf_counter() - read < (read - began) / 2
    assert second == third and third["lines"]


@pytest.mark.parametrize("degrees", [90, 180, 270])
async def test_turned_pictures_are_righted_and_boxes_are_those_of_the_upright_picture(
    ocr_pool: OcrPool, degrees: int
) -> None:
    page = drawn(
        (40, 40, "The quick brown fox jumps over"), (40, 120, "the lazy dog in the meadow"), size=(700, 220)
    ).rotate(360 - degrees, expand=True)
    text = await ocr_pool.read(encoded(page))
    assert plain(text["text"]) == "Thequickbrownfoxjumpsoverthelazydoginthemeadow"
    assert text["rotation"] == degrees
    assert all(x <= 700 and y <= 220 for line in text["lines"] for x, y in line["box"])


@pytest.mark.parametrize("degrees", [90, 270])
async def test_two_words_are_enough_to_tell_how_the_picture_lies(ocr_pool: OcrPool, degrees: int) -> None:
    page = drawn((60, 60, "exit street"), size=(640, 480)).rotate(360 - degrees, expand=True)
    text = await ocr_pool.read(encoded(page))
    assert (plain(text["text"]), text["rotation"]) == ("exitstreet", degrees)


async def test_vertical_chinese_is_read_in_its_own_order_and_not_turned(ocr_pool: OcrPool) -> None:
    columns = ["春眠不觉晓", "处处闻啼鸟", "夜来风雨声"]
    characters = [(240 - 90 * c, 30 + 60 * r, char) for c, text in enumerate(columns) for r, char in enumerate(text)]
    text = await ocr_pool.read(encoded(drawn(*characters, size=(330, 360), pixels=48)))
    assert text["text"].splitlines() == columns
    assert text["rotation"] == 0


async def test_a_scrolling_screenshot_is_read_from_end_to_end(ocr_pool: OcrPool) -> None:
    lines = [f"Message {number} of the day" for number in range(24)]
    page = drawn(*[(30, 30 + 90 * i, text) for i, text in enumerate(lines)], size=(640, 2220))
    text = await ocr_pool.read(encoded(page))
    assert text["text"].splitlines() == lines
    tops = [line["box"][0][1] for line in text["lines"]]
    assert tops == sorted(tops) and tops[-1] > 2090


def test_of_a_long_picture_is_kept_what_time_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "")  # OpenCV sets it when it is imported
    from models.ocr.recognizer import Recognizer

    def predicted(*_: object, **__: object) -> tuple[list[OcrLine], int]:
        end = time.process_time() + 0.03
        while time.process_time() < end:
            pass
        return [OcrLine(text="line", confidence=0.9, box=[[0, 0], [9, 0], [9, 9], [0, 9]])], 0

    monkeypatch.setattr(Recognizer, "_predict", predicted)
    monkeypatch.setattr(Recognizer, "_read_upright", predicted)
    page = encoded(drawn((30, 30, "x"), size=(640, 19_000)))
    recognizer = Recognizer.__new__(Recognizer)
    recognizer.name = "scripted"
    whole, part = recognizer.read(page), recognizer.read(page, 0.2)
    assert "partial" not in whole
    assert part["partial"] and 1 <= len(part["lines"]) < len(whole["lines"])


async def test_what_is_no_picture_does_not_end_the_worker(ocr_pool: OcrPool) -> None:
    before = children()
    with pytest.raises(OcrFailed):
        await ocr_pool.read(b"not a picture")
    assert (await ocr_pool.read(receipt(1)))["lines"]
    assert children() == before


async def test_workers_get_no_secrets(ocr_pool: OcrPool) -> None:
    await ocr_pool.read(receipt(1))
    names = {entry.split(b"=")[0] for entry in Path(f"/proc/{children()[0]}/environ").read_bytes().split(b"\0")}
    assert names <= {
        *(b"PATH", b"LANG", b"LC_CTYPE", b"TMPDIR", b"TZ", b"LD_LIBRARY_PATH", b""),
        *(b"OMP_NUM_THREADS", b"OPENBLAS_NUM_THREADS", b"MKL_NUM_THREADS"),
    }


async def test_a_worker_that_dies_is_replaced_and_its_picture_tried_again(ocr_pool: OcrPool) -> None:
    await ocr_pool.read(receipt(2))
    (worker,) = children()
    os.kill(worker, signal.SIGSTOP)
    reading = asyncio.create_task(ocr_pool.read(receipt(3)))
    await asyncio.sleep(0.1)
    os.kill(worker, signal.SIGKILL)
    assert "Invoice3" in plain((await reading)["text"])
    assert children() != [worker]


async def test_a_worker_that_hangs_is_killed_after_the_time_limit(settings: Settings, zygote: Zygote) -> None:
    others = set(children())
    pool = open_ocr(settings.model_copy(update={"ocr_timeout": 1}), zygote)
    await ready(pool)
    (worker,) = set(children()) - others
    os.kill(worker, signal.SIGSTOP)
    with pytest.raises(ReadingTimedOut):
        await pool.read(receipt(5))
    assert dies(worker)
    assert pool.state == "starting"
    await pool.aclose()
    assert all(dies(pid) for pid in set(children()) - others)


async def test_a_full_queue_is_refused_at_once(settings: Settings, zygote: Zygote) -> None:
    pool = open_ocr(settings.model_copy(update={"ocr_queue": 2}), zygote)
    waiting = [asyncio.create_task(pool.read(receipt(number))) for number in (10, 11)]
    await asyncio.sleep(0)
    with pytest.raises(OcrBusy):
        await pool.read(receipt(12))
    assert pool.state == "starting"
    await asyncio.wait_for(pool.aclose(), 15)
    refused = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(error, OcrUnavailable) for error in refused)


async def test_missing_models_are_told_and_do_not_hinder_the_start(
    settings: Settings, zygote: Zygote, tmp_path: Path
) -> None:
    pool = open_ocr(settings.model_copy(update={"ocr_models": tmp_path}), zygote)
    with pytest.raises(OcrUnavailable, match="PP-OCRv6_small_det"):
        await pool.read(receipt(1))
    assert pool.state == "missing" and "make install" in pool.detail.en and str(tmp_path) not in pool.detail.en
    with pytest.raises(OcrUnavailable):
        await pool.read(receipt(2))
    await pool.aclose()


@pytest.mark.skipif(find_spec("paddle") is not None, reason="paddlepaddle is installed")
async def test_a_missing_package_is_told_with_its_remedy(settings: Settings, zygote: Zygote) -> None:
    pool = open_ocr(settings.model_copy(update={"ocr_engine": "paddle"}), zygote)
    with pytest.raises(OcrUnavailable, match="not installed: paddlepaddle"):
        await pool.read(receipt(1))
    assert pool.state == "missing" and "pip install paddlepaddle==3.2.2" in pool.detail.en
    assert pool.detail.zh.startswith("文字识别无法运行：未安装 paddlepaddle。请运行 `pip install paddlepaddle==3.2.2")
    await pool.aclose()


async def test_switched_off(settings: Settings, zygote: Zygote) -> None:
    pool = open_ocr(settings.model_copy(update={"ocr_engine": "off"}), zygote)
    assert pool.state == "missing" and "OCR_ENGINE" in pool.detail.en
    with pytest.raises(OcrUnavailable):
        await pool.read(receipt(1))
    await pool.aclose()


def test_workers_end_with_a_server_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; from settings import Settings\n"
        "from models.ocr.pool import open_ocr\n"
        "from workers.process import Zygote\n"
        "async def main():\n"
        "    pool = open_ocr(Settings(data_dir=Path(sys.argv[1]), _env_file=None), Zygote(()))\n"
        "    while not pool.state == 'ready': await asyncio.sleep(0.05)\n"
        "    print('ready', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    server = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None and server.stdout.readline() == "ready\n"
    workers = workers_of(server.pid)
    assert workers and all(alive(pid) for pid in workers)
    server.kill()
    server.wait()
    assert all(dies(pid) for pid in workers)
