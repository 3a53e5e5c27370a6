"""Pages of PDFs as pictures, and boxes around quoted words."""

from __future__ import annotations

import io
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from domain.errors import BadInput, FileCorrupt, FileEncrypted, FileTooLarge
from readers.pdf.scan import picture_scale
from readers.pdf.view import Line, page_picture, quote_boxes
from tests.drawn_pictures import drawn, encoded
from tests.readers import samples

SIDE = 1600
PIXELS = 50_000_000


@pytest.fixture(scope="module")
def letter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pages: words over two lines and twice the same line; a page turned by 90 degrees."""
    path = tmp_path_factory.mktemp("view") / "letter.pdf"
    document = pymupdf.open()
    page = document.new_page(width=400, height=600)
    page.insert_text((40, 100), "The notice period is")
    page.insert_text((40, 120), "forty-five days; rent is 90.")
    page.insert_text((40, 300), "Signed by both.")
    page.insert_text((40, 500), "Signed by both.")
    page.insert_text((40, 200), "任何一方应提前三十日通知", fontname="china-s")
    turned = document.new_page(width=400, height=600)
    turned.insert_text((40, 100), "Turned words")
    turned.set_rotation(90)
    document.save(path)
    return path


def _corners(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def test_a_page_is_a_picture_of_bounded_size(letter: Path) -> None:
    with Image.open(io.BytesIO(page_picture(letter, 1, "letter.pdf", PIXELS, SIDE))) as picture:
        assert picture.format == "WEBP" and picture.size == (round(SIDE * 400 / 600), SIDE)
        box = quote_boxes(letter, 1, "letter.pdf", "rent is 90", 0, [])[0]
        left, top, right, bottom = box
        inside = (int(left * picture.width), int(top * SIDE), int(right * picture.width), int(bottom * SIDE))
        assert min(picture.convert("L").crop(inside).tobytes()) < 100, "no ink in the box"


def test_a_quote_has_a_box_a_line(letter: Path) -> None:
    first, second = quote_boxes(letter, 1, "letter.pdf", "notice PERIOD is **forty-five** days", 0, [])
    assert 0.14 < first[1] < 100 / 600 < first[3] < 0.18 and 0.18 < second[1] < 120 / 600 < second[3] < 0.22
    assert first[0] > 0.12 and second[0] == pytest.approx(0.1, abs=0.01), "the box begins where the quote does"
    (chinese,) = quote_boxes(letter, 1, "letter.pdf", "提前三十日", 0, [])
    assert chinese[0] > 0.2 and chinese[2] < 0.6


@pytest.mark.parametrize(("near", "place"), [(0.5, 300), (1.0, 500)])
def test_of_several_places_the_nearest(letter: Path, near: float, place: int) -> None:
    (box,) = quote_boxes(letter, 1, "letter.pdf", "Signed by both", near, [])
    assert box[1] < place / 600 < box[3] + 0.01


def test_a_turned_page(letter: Path) -> None:
    (box,) = quote_boxes(letter, 2, "letter.pdf", "turned words", 0, [])
    with Image.open(io.BytesIO(page_picture(letter, 2, "letter.pdf", PIXELS, SIDE))) as picture:
        assert picture.width > picture.height
    assert box[0] > 0.8 and box[1] < 0.12 and box[3] - box[1] > box[2] - box[0] * 0.9


def test_a_scan_has_the_boxes_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    document = pymupdf.open()
    page = document.new_page(width=460, height=230)
    page.insert_image(page.rect, stream=encoded(drawn((20, 150, "Closed on Sunday"), size=(460, 230))))
    zoom = picture_scale(page)
    document.save(path)
    lines: list[Line] = [
        ("Opening hours", _corners(0, 0, 100, 30)),
        ("Closed on Sunday", _corners(20 * zoom, 150 * zoom, 300 * zoom, 190 * zoom)),
    ]
    (box,) = quote_boxes(path, 1, "scan.pdf", "closed on sunday", 0, lines)
    assert box == pytest.approx((20 / 460, 150 / 230, 300 / 460, 190 / 230), abs=0.001)
    assert quote_boxes(path, 1, "scan.pdf", "not there", 0, lines) == []


def test_lines_of_a_picture_on_a_page_of_text_are_no_places_on_the_page(letter: Path) -> None:
    lines: list[Line] = [("In the picture", _corners(0, 0, 9, 9))]
    assert quote_boxes(letter, 1, "letter.pdf", "in the picture", 0, lines) == []


def test_what_cannot_be_drawn_says_why(letter: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        page_picture(letter, 3, "letter.pdf", PIXELS, SIDE)
    locked, broken, large = tmp_path / "locked.pdf", tmp_path / "broken.pdf", tmp_path / "large.pdf"
    with pymupdf.open(letter) as document:
        document.save(locked, encryption=samples.AES_256, user_pw="secret", owner_pw="owner")
    with pytest.raises(FileEncrypted):
        page_picture(locked, 1, "locked.pdf", PIXELS, SIDE)
    broken.write_bytes(b"%PDF-1.7 nothing")
    with pytest.raises(FileCorrupt):
        quote_boxes(broken, 1, "broken.pdf", "words", 0, [])
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_image(page.rect, stream=encoded(drawn((0, 0, "x"), size=(200, 100))))
        document.save(large)
    with pytest.raises(FileTooLarge):
        page_picture(large, 1, "large.pdf", 10_000, SIDE)
