"""Pictures through the real sandbox, OCR; the vision model is a stand-in that says what it is told."""

from __future__ import annotations

import asyncio
import hashlib
import io
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from domain.errors import FileCorrupt, FileTooLarge, ModelTimedOut, OcrUnavailable, ReadingTimedOut
from domain.types import AttachmentRef, Description, OcrText
from domain.words import Language, Words
from ingestion.agreement import agreement, disagree
from ingestion.pictures import Pictures
from models.ocr.pool import OcrPool, open_ocr
from settings import Settings
from tests.drawn_pictures import drawn, encoded
from workers.sandbox import Sandbox

CORPUS_PICTURES = (
    "img_infographic_en.png", "img_no_text_flower.jpg", "img_poster_zh.jpg", "img_print_en.tif",
    "img_rotated180_en.png", "img_screenshot_zh.png", "img_street_sign_zh.jpg",
)  # fmt: skip


class Witness:
    """A vision model with a fixed answer; notes what it was asked."""

    name = "witness-1"
    detail = Words("A scripted model.", "预设的模型。")

    def __init__(self, text: str = "", error: Exception | None = None) -> None:
        self.text, self.error = text, error
        self.asked: list[tuple[bytes, str, Language, str]] = []

    async def describe(self, image: bytes, media_type: str, *, language: Language, question: str = "") -> Description:
        self.asked.append((image, media_type, language, question))
        if self.error is not None:
            raise self.error
        return Description(text=self.text, model=self.name)


class CountingOcr:
    """The real pool, with its readings counted."""

    def __init__(self, pool: OcrPool) -> None:
        self.name, self.pool, self.readings = pool.name, pool, 0

    async def read(self, image: bytes) -> OcrText:
        self.readings += 1
        return await self.pool.read(image)


class Kept:
    """A cache that a test can hand from one reader to the next."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        return self.values.get(key)

    async def put(self, key: str, value: bytes) -> None:
        self.values[key] = value


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(Settings(_env_file=None)) as opened:
        yield opened


@pytest.fixture
def reader(settings: Settings, sandbox: Sandbox, ocr_pool: OcrPool) -> Pictures:
    return Pictures(settings, sandbox, ocr_pool, None, Kept())


def ref(data: bytes, name: str = "photo.png") -> AttachmentRef:
    digest = hashlib.sha256(data).hexdigest()
    return AttachmentRef(id="a1", name=name, kind="image", media_type="image/png", size=len(data), sha256=digest)


def plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def sign() -> bytes:
    return encoded(drawn((20, 10, "Harbour Road 315"), (20, 70, "欢迎来到港口公园"), size=(520, 140)))


async def test_without_a_vision_model_there_are_text_and_facts(reader: Pictures) -> None:
    attachment = await reader.read(ref(sign()), sign(), language="en", question="What is this?")
    assert attachment["ocr"] is not None
    assert plain(attachment["ocr"]["text"]) == "HarbourRoad315欢迎来到港口公园"
    assert attachment["facts"].startswith("PNG picture, 520 x 140 pixels, mostly white")
    assert attachment["description"] is None and "agreement" not in attachment
    assert (attachment["status"], attachment["warnings"], attachment["pages_done"]) == ("ready", [], 1)
    chinese = await reader.read(ref(sign()), sign(), language="zh", question="这是什么？")
    assert chinese["facts"].startswith("PNG 图片，520×140 像素，主要颜色：白色")


async def test_both_witnesses_are_kept_apart_and_compared(
    settings: Settings,
    sandbox: Sandbox,
    ocr_pool: OcrPool,
) -> None:
    vision = Witness('A sign that reads "Harbour Road 315" and “欢迎来到港口公园”.')
    pictures = Pictures(settings, sandbox, ocr_pool, vision, Kept())
    attachment = await pictures.read(ref(sign()), sign(), language="en", question="Where is it?")
    assert attachment["description"] == {"text": vision.text, "model": "witness-1"}
    assert attachment["agreement"] == 1.0 and attachment["warnings"] == []
    ((image, media_type, language, question),) = vision.asked
    assert (media_type, language, question) == ("image/png", "en", "Where is it?")
    assert image.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "disagree about the text in photo.png"), ("zh", "photo.png 中文字的识别不一致")]
)
async def test_contradicting_quotes_give_a_warning(
    settings: Settings,
    sandbox: Sandbox,
    ocr_pool: OcrPool,
    language: Language,
    expected: str,
) -> None:
    vision = Witness("The sign says “Mountain View Avenue 99”.")
    pictures = Pictures(settings, sandbox, ocr_pool, vision, Kept())
    attachment = await pictures.read(ref(sign()), sign(), language=language, question="")
    assert attachment["agreement"] < 0.2
    assert any(expected in warning for warning in attachment["warnings"])


async def test_a_failing_vision_model_leaves_the_text(
    settings: Settings,
    sandbox: Sandbox,
    ocr_pool: OcrPool,
) -> None:
    pictures = Pictures(settings, sandbox, ocr_pool, Witness(error=ModelTimedOut()), Kept())
    attachment = await pictures.read(ref(sign()), sign(), language="zh", question="")
    assert attachment["ocr"] and attachment["description"] is None
    assert attachment["warnings"] == ["语言模型响应超时。"]


async def test_failing_ocr_leaves_the_description(settings: Settings, sandbox: Sandbox) -> None:
    pool = open_ocr(settings.model_copy(update={"ocr_engine": "off"}), sandbox.zygote)
    attachment = await Pictures(settings, sandbox, pool, Witness("A sign."), Kept()).read(
        ref(sign()), sign(), language="en", question=""
    )
    assert attachment["ocr"] is None and attachment["facts"].startswith("PNG picture")
    assert attachment["description"] == {"text": "A sign.", "model": "witness-1"}
    assert attachment["warnings"] == [
        OcrUnavailable(reason=Words("OCR_ENGINE=off", "OCR_ENGINE=off")).body("en")["message"]
    ]


async def test_the_same_picture_is_read_and_described_once_and_each_question_is_asked(
    settings: Settings,
    sandbox: Sandbox,
    ocr_pool: OcrPool,
) -> None:
    ocr, vision, cache = CountingOcr(ocr_pool), Witness("A sign."), Kept()
    pictures = Pictures(settings, sandbox, ocr, vision, cache)
    data = sign()
    both = await asyncio.gather(
        *(pictures.read(ref(data, name), data, language="en", question="") for name in ("a.png", "b.png"))
    )
    assert [attachment["name"] for attachment in both] == ["a.png", "b.png"]
    later = Pictures(settings, sandbox, ocr, vision, cache)
    again = await later.read(ref(data), data, language="en", question=" ")
    assert again["ocr"] == both[0]["ocr"] and again["facts"] == both[0]["facts"]
    assert (ocr.readings, len(vision.asked)) == (1, 1)
    kept, vision.text = dict(cache.values), "Bob's sign."
    both = await asyncio.gather(*(later.read(ref(data), data, language="en", question="Whose?") for _ in range(2)))
    assert [attachment["description"] for attachment in both] == [{"text": "Bob's sign.", "model": "witness-1"}] * 2
    assert (ocr.readings, len(vision.asked)) == (1, 3)
    assert cache.values == kept, "what was said to a question is not kept"


async def test_what_failed_is_not_remembered(settings: Settings, sandbox: Sandbox) -> None:
    class Flaky:
        name = "flaky"
        calls = 0

        async def read(self, image: bytes) -> OcrText:
            self.calls += 1
            if self.calls == 1:
                raise ReadingTimedOut(name="image")
            return OcrText(text="ok", lines=[], rotation=0, engine=self.name)

    pictures = Pictures(settings, sandbox, Flaky(), None, Kept())
    first = await pictures.read(ref(sign()), sign(), language="en", question="")
    second = await pictures.read(ref(sign()), sign(), language="en", question="")
    assert first["warnings"] == ["photo.png took too long to read."] and first["ocr"] is None
    assert second["warnings"] == [] and second["ocr"] and second["ocr"]["text"] == "ok"


async def test_all_pages_of_a_tiff_are_read_and_labelled(reader: Pictures) -> None:
    pages = [drawn((20, 20, f"Page text {word}")) for word in ("alpha", "beta", "gamma")]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    attachment = await reader.read(ref(data, "fax.tif"), data, language="en", question="")
    assert attachment["ocr"] is not None
    expected = "[page 1]\nPage text alpha\n\n[page 2]\nPage text beta\n\n[page 3]\nPage text gamma"
    assert attachment["ocr"]["text"] == expected
    assert (attachment["pages_done"], attachment["pages_total"], attachment["warnings"]) == (3, 3, [])
    assert ", 3 pages, " in attachment["facts"]


async def test_pages_over_the_bound_are_told(reader: Pictures) -> None:
    blank = [Image.new("1", (60, 60), 1) for _ in range(23)]
    data = encoded(blank[0], "TIFF", save_all=True, append_images=blank[1:])
    attachment = await reader.read(ref(data, "传真.tif"), data, language="zh", question="")
    assert (attachment["pages_done"], attachment["pages_total"]) == (20, 23)
    assert attachment["warnings"] == ["传真.tif 共 23 页，只识别了其中 20 页的文字。"]


async def test_bad_pictures_raise_their_own_error(reader: Pictures) -> None:
    data = sign()[:400]
    with pytest.raises(FileCorrupt, match=r"photo\.png"):
        await reader.read(ref(data), data, language="en", question="")
    bomb = encoded(Image.fromarray(np.zeros((8000, 8000), np.uint8)))
    with pytest.raises(FileTooLarge, match="50,000,000"):
        await reader.read(ref(bomb), bomb, language="en", question="")


@pytest.mark.corpus
@pytest.mark.parametrize("name", CORPUS_PICTURES)
async def test_corpus_pictures(
    reader: Pictures, corpus: Path, manifest: dict[str, dict[str, dict[str, object]]], name: str
) -> None:
    data, expected = (corpus / name).read_bytes(), manifest[name]["expect"]
    attachment = await reader.read(ref(data, name), data, language="en", question="What does it say?")
    assert attachment["ocr"] is not None
    text = plain(attachment["ocr"]["text"])
    missing = [fact["text"] for fact in expected.get("facts", []) if plain(fact["text"]) not in text]  # type: ignore[attr-defined]
    assert not missing
    assert attachment["ocr"]["rotation"] == expected.get("rotation", 0)
    assert len(text) <= expected.get("max_text_chars", len(text))  # type: ignore[operator]


OCR_TEXT = "Reduce your risk of infection\n清洁双手 20 秒"


@pytest.mark.parametrize(
    ("description", "share", "contradicts"),
    [
        ("The title is “REDUCE your risk of  infection”, and below “清洁双手 20 秒”.", 1.0, False),
        ("A blue poster about hygiene.", None, False),
        ("It says “Reduce your risk of infection”.", 0.8, False),
        ("It says “Buy one, get one free”.", 0.0, True),
        ("标题是「清洁双手 20 秒」。", 0.2, False),
        ("图中写着“今日特价”。", 0.0, True),
    ],
)
def test_agreement(description: str, share: float | None, contradicts: bool) -> None:
    found = agreement(OCR_TEXT, description)
    assert (found is None) == (share is None)
    assert found is None or share is None or abs(found - share) <= 0.06
    assert disagree(OCR_TEXT, description) is contradicts


def test_quoted_text_where_ocr_found_none_is_a_disagreement() -> None:
    assert agreement("", "It says “Closed”.") is None
    assert disagree("", "It says “Closed”.")


async def test_a_vision_model_does_not_see_the_lines_that_hold_personal_data(
    settings: Settings, sandbox: Sandbox, ocr_pool: OcrPool
) -> None:
    picture = encoded(drawn((20, 10, "Harbour Road"), (20, 70, "call 212-555-0187"), size=(520, 140)))
    seen = {}
    for mode in ("off", "mask", "block"):
        vision = Witness("A sign.")
        private = settings.model_copy(update={"pii": mode})
        read = await Pictures(private, sandbox, ocr_pool, vision, Kept()).read(
            ref(picture), picture, language="en", question="What is this?"
        )
        seen[mode] = (vision.asked, read)
    assert seen["block"][0] == [] and "personal data" in seen["block"][1]["warnings"][0]
    shown = {mode: np.asarray(Image.open(io.BytesIO(seen[mode][0][0][0])).convert("L")) for mode in ("off", "mask")}
    upper, lower = (slice(0, 60), slice(80, 105))
    assert (shown["off"][upper] == shown["mask"][upper]).all(), "the other line stays"
    assert (shown["mask"][lower, 40:300] == 0).all() and shown["off"][lower, 40:300].mean() > 100
    ocr = seen["mask"][1]["ocr"]
    assert ocr is not None and "212-555-0187" in ocr["text"], "its owner keeps it"
