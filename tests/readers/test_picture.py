"""Pictures of every usual format come out upright, RGB and bounded; bad ones give a clear error."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageDraw

from domain.errors import AttachmentError, FileCorrupt, FileEmpty, FileTooLarge, UnsupportedType
from readers.interface import Picture
from readers.picture.colours import NAMES, dominant_colours
from readers.picture.reader import load_picture
from tests.drawn_pictures import drawn, encoded
from workers.sandbox import Sandbox

LIMIT = 50_000_000


def load(data: bytes, name: str = "a.png", limit: int = LIMIT, frames: int = 20) -> list[Picture]:
    return list(load_picture(data, name, limit, frames))


def pixels(picture: Picture) -> np.ndarray:
    image = Image.open(io.BytesIO(picture.data))
    assert image.mode == "RGB" and image.size == (picture.width, picture.height)
    return np.asarray(image)


def quadrants(size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Red top left on white, so that turns and flips show."""
    image = Image.new("RGB", size, "white")
    image.paste("red", (0, 0, size[0] // 2, size[1] // 2))
    return image


def is_red(pixel: np.ndarray) -> bool:
    return bool(pixel[0] > 180 and pixel[1] < 90 and pixel[2] < 90)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
def test_every_format_is_read(file_format: str) -> None:
    pillow_heif.register_heif_opener()
    (picture,) = load(encoded(quadrants(), file_format))
    shown = pixels(picture)
    assert is_red(shown[5, 5]) and shown[35, 55].min() > 230
    assert (picture.width, picture.height, picture.original_format, picture.frames) == (60, 40, file_format, 1)
    assert picture.colours == ("white", "red")
    assert picture.media_type == "image/png" and picture.reduced == picture.data


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, (5, 5)), (2, (5, 55)), (3, (35, 55)), (4, (35, 5)), (6, (5, 35)), (8, (55, 5))]
)
def test_exif_orientation_is_applied(orientation: int, corner: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    (picture,) = load(encoded(quadrants(), "JPEG", exif=exif))
    assert is_red(pixels(picture)[corner])
    turned = orientation in (6, 8)
    assert (picture.original_width, picture.original_height) == ((40, 60) if turned else (60, 40))


def test_metadata_does_not_survive() -> None:
    exif = Image.Exif()
    exif[270] = "taken at home"
    (picture,) = load(encoded(quadrants(), "JPEG", exif=exif))
    assert b"taken at home" not in picture.data and b"Exif" not in picture.data


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "I;16", "F"])
def test_every_mode_becomes_dark_ink_on_light_paper(mode: str) -> None:
    page = drawn((20, 20, "Sample text 42"))
    if mode in ("I;16", "F"):
        grey = np.asarray(page.convert("L"))
        source = Image.fromarray(grey.astype(np.uint16) * 257 if mode == "I;16" else grey.astype(np.float32) / 255)
    else:
        source = page.convert(mode)
    data = encoded(source, "TIFF" if mode in ("F", "YCbCr", "CMYK") else "PNG")
    shown = pixels(load(data)[0])
    assert shown.min() < 60 and shown[2, 2].min() > 200


@pytest.mark.parametrize(("ink", "paper"), [((0, 0, 0, 255), 255), ((255, 255, 255, 255), 0), ((250, 240, 90, 255), 0)])
def test_transparent_paper_contrasts_with_the_ink(ink: tuple[int, ...], paper: int) -> None:
    page = drawn((20, 20, "Sample text 42"), ink=ink, paper=(0, 0, 0, 0), mode="RGBA")
    shown = pixels(load(encoded(page))[0])
    assert set(shown[2, 2]) == {paper}
    assert np.ptp(shown.max(axis=2)) > 200


def test_a_transparent_palette_too() -> None:
    page = drawn((20, 20, "Sample"), ink=(255, 255, 255, 255), paper=(0, 0, 0, 0), mode="RGBA")
    shown = pixels(load(encoded(page, "GIF"))[0])
    assert shown[2, 2].max() == 0 and shown.max() > 200


def test_pages_of_a_tiff_come_one_by_one_up_to_the_limit() -> None:
    pages = [Image.new("RGB", (30 + n, 20), color) for n, color in enumerate(("red", "white", "blue"))]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    found = load(data, "fax.tif")
    assert [(p.frame, p.frames, p.width, p.colours) for p in found] == [
        (0, 3, 30, ("red",)), (1, 3, 31, ("white",)), (2, 3, 32, ("blue",)),
    ]  # fmt: skip
    assert len(load(data, "fax.tif", frames=2)) == 2


def animation(file_format: str, *frames: Image.Image) -> bytes:
    return encoded(frames[0], file_format, save_all=True, append_images=list(frames[1:]), duration=80)


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_every_frame_that_tells_something_is_read_once(file_format: str) -> None:
    blank, one, two = Image.new("RGB", (300, 80), "white"), drawn((20, 20, "Gate 5108")), drawn((20, 20, "Gate 4471"))
    one, two = one.resize((300, 80)), two.resize((300, 80))
    found = load(animation(file_format, blank, one, one.point(lambda value: max(value - 3, 0)), blank, two, blank))
    assert [(picture.frame, picture.frames) for picture in found] == [(0, 2), (1, 2)]
    for picture, frame in zip(found, (one, two), strict=True):
        assert np.abs(pixels(picture).astype(int) - np.asarray(frame.convert("RGB"), int)).mean() < 8
    (only,) = load(animation(file_format, blank, Image.new("RGB", (300, 80), "#fafafa")))
    assert only.frames == 1


def test_a_long_animation_gives_few_frames_spread_over_it() -> None:
    frames = [drawn((20 + 6 * n, 20, f"Step {n}")).resize((200, 60)) for n in range(60)]
    found = load(animation("GIF", *frames))
    assert [(picture.frame, picture.frames) for picture in found] == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_black_and_white_ink_on_transparent_paper_are_both_seen() -> None:
    page = Image.new("RGBA", (400, 160), (0, 0, 0, 0))
    for y, ink in ((20, "black"), (90, "white")):
        ImageDraw.Draw(page).text((20, y), "Line 4471", fill=ink, font_size=40)
    (picture,) = load(encoded(page))
    shown = pixels(picture)
    assert shown[:80].min() < 20 and shown[80:].max() > 235
    assert 100 < shown[2, 2, 0] < 156


@pytest.mark.parametrize(
    ("size", "expected", "reduced"),
    [
        ((6000, 3000), (4000, 2000), (2048, 1024)),
        ((3000, 2000), (3000, 2000), (2048, 1365)),
        ((1000, 10_000), (800, 8000), (410, 4096)),
        ((30_000, 1), (30_000, 1), (30_000, 1)),
    ],
)
def test_large_pictures_are_scaled_and_long_ones_stay_legible(
    size: tuple[int, int], expected: tuple[int, int], reduced: tuple[int, int]
) -> None:
    (picture,) = load(encoded(Image.new("L", size, 200)))
    assert (picture.width, picture.height) == expected
    assert Image.open(io.BytesIO(picture.reduced)).size == reduced
    assert (picture.original_width, picture.original_height) == size


def test_large_photos_become_jpegs_and_large_screenshots_stay_exact() -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (1500, 2000, 3), np.uint8))
    (photo,) = load(encoded(noise, "JPEG"))
    (screenshot,) = load(encoded(Image.new("RGB", (2000, 1500), "white")))
    assert (photo.media_type, screenshot.media_type) == ("image/jpeg", "image/png")
    (dense,) = load(encoded(noise))
    assert dense.media_type == "image/jpeg" and len(dense.data) < 8_000_000


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(7072, 7072), (20_000, 20_000), (2_000_000_000, 2)])
def test_a_decompression_bomb_is_refused_by_its_header(size: tuple[int, int]) -> None:
    began = time.process_time()
    with pytest.raises(FileTooLarge, match="50,000,000"):
        load(png_header(*size))
    assert time.process_time() - began < 1


def test_a_later_page_that_is_too_large_is_refused_too() -> None:
    pages = [Image.new("1", (10, 10)), Image.new("1", (400, 400))]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    with pytest.raises(FileTooLarge):
        load(data, limit=100_000)


def test_an_empty_file() -> None:
    with pytest.raises(FileEmpty):
        load(b"")


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF"])
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_truncated_picture_is_corrupt(file_format: str, share: float) -> None:
    pillow_heif.register_heif_opener()
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8))
    data = encoded(noise, file_format)
    with pytest.raises(FileCorrupt):
        load(data[: max(20, int(len(data) * share))], "photo")


@pytest.mark.parametrize(
    "data",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>',
        b"8BPS\0\1" + b"\0" * 100,
        b"\0\0\1\0\1\0\x10\x10\0\0" + b"\0" * 100,
        b"%PDF-1.7\n" + b" " * 100,
        b"hello world, this is a text",
    ],
)
def test_other_kinds_of_file_are_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedType):
        load(data, "picture.png")


def test_flipped_bits_never_give_anything_but_our_errors() -> None:
    random, refused = np.random.default_rng(7), 0
    page = drawn((20, 20, "Sample text 42"))
    for file_format in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        data = np.frombuffer(encoded(page, file_format), np.uint8)
        for _ in range(25):
            broken = data.copy()
            broken[random.integers(8, len(broken), 6)] = random.integers(0, 256, 6)
            try:
                seen = load(broken.tobytes(), limit=5_000_000)
            except AttachmentError:
                refused += 1
            else:
                assert all(picture.width * picture.height <= 5_000_000 for picture in seen)
    assert 0 < refused < 150


async def test_in_the_sandbox_errors_carry_the_name(sandbox: Sandbox) -> None:
    data = encoded(quadrants())
    stream = sandbox.stream(load_picture, data, "a.png", LIMIT, 20, name="a.png")
    (picture,) = [picture async for picture in stream]
    assert picture == load(data)[0]
    with pytest.raises(FileCorrupt, match=r"my photo\.png"):
        await sandbox.run(load_picture_list, data[:60], name="my photo.png")


def load_picture_list(data: bytes) -> list[Picture]:
    return load(data, "my photo.png")


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((0, 0, 0), "black"), ((255, 255, 255), "white"), ((128, 128, 128), "grey"), ((220, 20, 30), "red"),
        ((30, 160, 60), "green"), ((20, 60, 20), "dark green"), ((30, 80, 220), "blue"), ((10, 20, 90), "dark blue"),
        ((150, 200, 250), "light blue"), ((250, 220, 40), "yellow"), ((250, 140, 20), "orange"),
        ((110, 60, 20), "brown"), ((130, 50, 200), "purple"), ((250, 180, 200), "pink"), ((240, 225, 190), "beige"),
        ((40, 220, 220), "cyan"), ((55, 55, 58), "dark grey"), ((205, 205, 205), "light grey"),
    ],
)  # fmt: skip
def test_colours_have_plain_names(rgb: tuple[int, int, int], name: str) -> None:
    assert dominant_colours(np.full((4, 4, 3), rgb, np.uint8)) == (name,)
    assert name in NAMES


def test_dominant_colours_come_by_their_share() -> None:
    picture = np.full((10, 10, 3), 255, np.uint8)
    picture[:3] = (220, 20, 30)
    picture[3, :5] = (0, 0, 0)
    assert dominant_colours(picture) == ("white", "red")
