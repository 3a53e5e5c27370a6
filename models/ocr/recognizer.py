"""Runs the real `paddleocr.PaddleOCR` on one picture. Used inside a worker process only: it is not thread-safe."""

from __future__ import annotations

import re
import time
from collections import Counter
from math import inf
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from domain.types import OcrLine, OcrText
from models.ocr.catalog import LINE_ORIENTATION, PAGE_ORIENTATION, ModelSet
from models.ocr.reading_order import reading_order
from models.ocr.strips import DETECTOR_SIDE, Pixels, cut

LEAST_CONFIDENCE = 0.5
"""Lines below this are dropped: icons and textures that were taken for characters come out at 0.1 to 0.5."""
DOUBTFUL = 0.8
"""A turned picture whose mean confidence stays below this is read unturned too, and the better reading is kept."""
SAFE_SHARE = 0.9
"""Share of its time after which no further strip of a long picture is begun."""
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


class Unreadable(Exception):
    """The bytes are not a picture that can be decoded."""


class Recognizer:
    """PaddleOCR with page and line orientation, built from local model folders."""

    def __init__(self, models: ModelSet, folders: dict[str, Path], threads: int) -> None:
        """Load the models and read one blank picture, since the first reading is the slow one."""
        self.name = f"PaddleOCR {models.title} ({models.engine})"
        self._paddleocr = _build(models, folders, threads)
        self._predict(np.full((64, 320, 3), 255, np.uint8), turn=True)

    def read(self, image: bytes, seconds: float = inf) -> OcrText:
        """Return the text of a PNG or JPEG in reading order; of a long one what is read in `seconds` of work.

        Raises:
            Unreadable: It cannot be decoded.
        """
        picture = _decode(image)
        strips = cut(picture)
        partial = False
        if len(strips) == 1:
            lines, rotation = self._read_upright(picture)
        else:
            lines, rotation, partial = self._read_strips(picture, strips, seconds)
        rows = reading_order([line for line in lines if line["confidence"] >= LEAST_CONFIDENCE])
        seen = OcrText(
            text="\n".join("  ".join(line["text"] for line in row) for row in rows),
            lines=[line for row in rows for line in row],
            rotation=rotation if rows else 0,
            engine=self.name,
        )
        if partial:
            seen["partial"] = True
        return seen

    def _read_strips(
        self, picture: Pixels, strips: list[tuple[int, int, Pixels]], seconds: float
    ) -> tuple[list[OcrLine], int, bool]:
        """Read a long picture strip by strip, all turned as the strip with the most ink asks for."""
        began = (time.monotonic(), time.process_time())
        fullest = max(strips, key=lambda strip: float(strip[2].std()))[2]
        _, rotation = self._read_upright(fullest)
        lines: list[OcrLine] = []
        upright = cut(_turned(picture, rotation))
        for done, (left, top, strip) in enumerate(upright):
            worked = min(time.monotonic() - began[0], time.process_time() - began[1])
            if done and worked * (done + 2) / (done + 1) > SAFE_SHARE * seconds:
                return lines, rotation, True
            found, _ = self._predict(strip, turn=False)
            lines += [_moved(line, left, top) for line in found]
        return lines, rotation, False

    def _read_upright(self, picture: Pixels) -> tuple[list[OcrLine], int]:
        """Read a picture turned upright; return its lines and the degrees (counter-clockwise) it was turned by.

        The page classifier can be wrong on a picture with few words; the lines themselves then tell (`_leaning`).
        """
        lines, result = self._predict(picture, turn=True)
        rotation = max(int(result["doc_preprocessor_res"]["angle"]), 0)
        leaning = _leaning(result)
        if leaning:
            rotation = (rotation + leaning) % 360
            lines, _ = self._predict(_turned(picture, rotation), turn=False)
        if rotation and _mean_confidence(lines) < DOUBTFUL:
            unturned, _ = self._predict(picture, turn=False)
            if _legible(unturned) >= _legible(lines):
                return unturned, 0
        return lines, rotation

    def _predict(self, picture: Pixels, *, turn: bool) -> tuple[list[OcrLine], Any]:
        result = self._paddleocr.predict(np.ascontiguousarray(picture), use_doc_orientation_classify=turn)[0]
        found = zip(result["rec_texts"], result["rec_scores"], result["rec_polys"], strict=True)
        lines = [
            OcrLine(text=text, confidence=round(float(score), 4), box=[[float(x), float(y)] for x, y in box])
            for text, score, box in found
            if text.strip()
        ]
        return lines, result


def _build(models: ModelSet, folders: dict[str, Path], threads: int) -> Any:
    from paddleocr import PaddleOCR
    from paddlex.inference import load_pipeline_config

    # Without the arena a worker stays at 0.4-0.6 GB instead of 1.6-2.5 GB.
    onnx = {"intra_op_num_threads": threads, "enable_cpu_mem_arena": False}
    pipeline = load_pipeline_config("OCR")
    if models.engine == "onnxruntime":
        engine: dict[str, Any] = {"engine": "onnxruntime", "engine_config": onnx}
    else:
        engine = {"cpu_threads": threads, "enable_mkldnn": True}
        for node in (
            pipeline["SubPipelines"]["DocPreprocessor"]["SubModules"]["DocOrientationClassify"],
            pipeline["SubModules"]["TextLineOrientation"],
        ):
            node.update(engine="onnxruntime", engine_config={"onnxruntime": onnx})
    pixel_score, box_score, unclip = models.thresholds
    # Every model and switch is named: for what is left out, PaddleOCR would choose a larger model and download it.
    return PaddleOCR(
        paddlex_config=pipeline,
        device="cpu",
        use_doc_orientation_classify=True,
        use_textline_orientation=True,
        use_doc_unwarping=False,
        doc_orientation_classify_model_name=PAGE_ORIENTATION.name,
        doc_orientation_classify_model_dir=str(folders[PAGE_ORIENTATION.name]),
        textline_orientation_model_name=LINE_ORIENTATION.name,
        textline_orientation_model_dir=str(folders[LINE_ORIENTATION.name]),
        text_detection_model_name=models.detector.name,
        text_detection_model_dir=str(folders[models.detector.name]),
        text_recognition_model_name=models.recognizer.name,
        text_recognition_model_dir=str(folders[models.recognizer.name]),
        text_recognition_batch_size=1,  # a batch is padded to its longest line: a fifth more work on mixed lines
        text_det_limit_type="max",
        text_det_limit_side_len=DETECTOR_SIDE,
        text_det_thresh=pixel_score,
        text_det_box_thresh=box_score,
        text_det_unclip_ratio=unclip,
        **engine,
    )


def _decode(image: bytes) -> Pixels:
    """Return BGR pixels (HxWx3 uint8), the only input that PaddleOCR takes without surprises."""
    try:
        picture = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as exc:
        raise Unreadable(str(exc)) from exc
    if picture is None:
        raise Unreadable("not a picture")
    return picture.astype(np.uint8, copy=False)


def _turned(picture: Pixels, degrees: int) -> Pixels:
    turned: NDArray[np.uint8] = np.rot90(picture, degrees // 90)
    return turned


def _moved(line: OcrLine, left: int, top: int) -> OcrLine:
    return OcrLine(text=line["text"], confidence=line["confidence"], box=[[x + left, y + top] for x, y in line["box"]])


def _leaning(result: Any) -> int:
    """Return by how many degrees (counter-clockwise) most of the text that was read well still has to be turned.

    PaddleX turns the cut-out of a tall line by 90 degrees, and of a line on its head by 180, before it reads it. Tall
    lines of Chinese have no vote: they are as likely written vertically, and the recogniser reads those well, too.
    """
    votes: Counter[int] = Counter()
    flips = result.get("textline_orientation_angles", [])  # missing when there is no line at all
    for text, score, box, flip in zip(
        result["rec_texts"], result["rec_scores"], result["rec_polys"], flips, strict=True
    ):
        tall = _is_tall(box)
        if score >= DOUBTFUL and not (tall and _HAN.search(text)):
            votes[(90 if tall else 0) + (180 if flip == 1 else 0)] += len(text)
    leaning, weight = votes.most_common(1)[0] if votes else (0, 0)
    return leaning if 2 * weight > votes.total() else 0


def _is_tall(box: NDArray[Any]) -> bool:
    """Tell whether a box is turned by PaddleX: its height is at least one and a half of its width."""
    corners = np.asarray(box, np.float32)
    width = max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[2] - corners[3]))
    height = max(np.linalg.norm(corners[0] - corners[3]), np.linalg.norm(corners[1] - corners[2]))
    return bool(height >= 1.5 * width)


def _mean_confidence(lines: list[OcrLine]) -> float:
    return _legible(lines) / (sum(len(line["text"]) for line in lines) or 1)


def _legible(lines: list[OcrLine]) -> float:
    """Return how many characters were read, weighted by confidence."""
    return sum(line["confidence"] * len(line["text"]) for line in lines)
