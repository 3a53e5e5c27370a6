"""Pictures: any usual format becomes upright RGB pixels of a bounded size. Runs in a sandbox child."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import replace
from math import sqrt

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from domain.errors import FileCorrupt, FileEmpty, FileTooLarge, UnsupportedType
from domain.words import Words
from readers.detect import HEAD_BYTES, detect
from readers.interface import Picture
from readers.picture.colours import dominant_colours
from readers.picture.frames import telling_frames
from readers.texts import PIXELS, filled

MAX_SIDE = 4000
"""Longest side of the picture that OCR gets."""
REDUCED_SIDE = 2048
"""Longest side of the copy for vision models: more costs tokens, and most of them scale it down again."""
LONG = 2.5
"""A picture longer than this many times its breadth is bounded by area, `side * side / LONG`, to stay legible."""
LONGEST_SIDE = 30_000
_SOME_INK = 0.05
"""Share of what is visible on transparent paper that light or dark ink has at least, to count as ink of its own."""
Crop = tuple[float, float, float, float]
WHOLE: Crop = (0.0, 0.0, 0.0, 0.0)
EXACT_PIXELS = 2_000_000
"""Up to this size, and for losslessly stored sources, the copy is a PNG; else a JPEG, which is a tenth as large."""
MAX_PNG_BYTES = 8_000_000
JPEG_QUALITY = 92
PREVIEW_QUALITY = 80
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
LOSSY = {"JPEG", "MPO", "WEBP", "AVIF", "HEIF"}
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    RuntimeError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    OverflowError,
    ZeroDivisionError,
)


def load_picture(data: bytes, name: str, max_pixels: int, frames: int) -> Iterator[Picture]:
    """Yield the picture; of a TIFF its first `frames` pages, of an animation the frames that tell something.

    Args:
        data: The file.
        name: Its name, for error texts.
        max_pixels: Most pixels of one frame, checked in the header before anything is decoded.
        frames: Most pages of a TIFF, or frames of an animation.

    Raises:
        FileEmpty: There are no bytes.
        FileCorrupt: Truncated or damaged.
        FileTooLarge: More than `max_pixels`.
        UnsupportedType: Not a picture of a supported format.
    """
    if not data:
        raise FileEmpty(name=name)
    image = _open(data, name, max_pixels)
    places = _places(image, name)
    for number, place in enumerate(places[:frames]):
        yield replace(_frame(image, place, name, max_pixels), frame=number, frames=len(places))


def for_ocr(data: bytes, max_pixels: int, least_side: int, least_area: int, crop: Crop = WHOLE) -> bytes:
    """Return a picture of a document upright and reduced for OCR, as PNG or JPEG.

    Args:
        data: The picture's file.
        max_pixels: Most pixels, checked in the header.
        least_side: With a shorter side, or less than `least_area` pixels, nothing is returned.
        least_area: See `least_side`.
        crop: Shares of its left, top, right and bottom that are not shown, 0 to 1.

    Raises:
        FileCorrupt, FileTooLarge, UnsupportedType: As `load_picture`.
    """
    name = ""
    image = _open(data, name, max_pixels)
    if min(image.size) < least_side or image.width * image.height < least_area:
        return b""
    try:
        image.seek(telling_frames(image)[0])
        if crop == WHOLE:
            image.draft("", _fitted(*image.size, REDUCED_SIDE))
        upright = _cropped(_opaque(ImageOps.exif_transpose(_eight_bits(image))), crop)
    except _DAMAGED as exc:
        raise FileCorrupt(name=name) from exc
    return _encoded(_scaled(upright, REDUCED_SIDE), lossy=True)[0]


def preview(data: bytes, name: str, max_pixels: int, side: int) -> bytes:
    """Return a picture upright and at most `side` pixels long, as WebP.

    Raises:
        FileCorrupt, FileTooLarge, UnsupportedType: As `load_picture`.
    """
    image = _open(data, name, max_pixels)
    try:
        image.seek(telling_frames(image)[0])
        image.draft("", _fitted(*image.size, side))
        upright = _opaque(ImageOps.exif_transpose(_eight_bits(image)))
        upright.thumbnail((side, side))
        written = io.BytesIO()
        upright.save(written, "WEBP", quality=PREVIEW_QUALITY)
    except _DAMAGED as exc:
        raise FileCorrupt(name=name) from exc
    return written.getvalue()


def _cropped(image: Image.Image, crop: Crop) -> Image.Image:
    left, top, right, bottom = (min(max(share, 0.0), 1.0) for share in crop)
    x0, y0 = round(image.width * left), round(image.height * top)
    x1, y1 = round(image.width * (1 - right)), round(image.height * (1 - bottom))
    return image.crop((x0, y0, x1, y1)) if x0 < x1 and y0 < y1 else image


def _open(data: bytes, name: str, max_pixels: int) -> Image.Image:
    Image.init()
    _register_heif()
    # Pillow would refuse by itself at twice this; the exact limit is checked per frame.
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=[name for name in FORMATS if name in Image.OPEN])
    except UnidentifiedImageError as exc:
        raise _not_a_picture(data, name) from exc
    except Image.DecompressionBombError as exc:
        raise _too_large(name, max_pixels) from exc
    except _DAMAGED as exc:
        raise FileCorrupt(name=name) from exc
    if image.width * image.height > max_pixels:
        raise _too_large(name, max_pixels)
    return image


def _register_heif() -> None:
    if "HEIF" not in Image.OPEN:
        import pillow_heif

        pillow_heif.register_heif_opener()


def _not_a_picture(data: bytes, name: str) -> FileCorrupt | UnsupportedType:
    """Tell a damaged picture from a file of another kind."""
    _, media_type = detect(data[:HEAD_BYTES], name)
    known = {Image.MIME.get(format_name) for format_name in FORMATS} | {"image/heic"}
    return (
        FileCorrupt(name=name)
        if media_type in known
        else UnsupportedType(name=name, reason=Words(media_type, media_type))
    )


def _too_large(name: str, max_pixels: int) -> FileTooLarge:
    return FileTooLarge(name=name, limit=filled(PIXELS, max_pixels))


def _places(image: Image.Image, name: str) -> list[int]:
    """Return which frames of the file are its pages: all of a TIFF, the telling ones of an animation."""
    try:
        return list(range(int(getattr(image, "n_frames", 1)))) if image.format == "TIFF" else telling_frames(image)
    except _DAMAGED as exc:
        raise FileCorrupt(name=name) from exc


def _frame(image: Image.Image, frame: int, name: str, max_pixels: int) -> Picture:
    try:
        image.seek(frame)
        width, height = image.size
        if width * height > max_pixels:
            raise _too_large(name, max_pixels)
        # A JPEG is decoded at a half, a quarter or an eighth, whatever still is large enough.
        image.draft("", _fitted(width, height, MAX_SIDE))
        upright = _opaque(ImageOps.exif_transpose(_eight_bits(image)))
    except _DAMAGED as exc:
        raise FileCorrupt(name=name) from exc
    if (upright.width > upright.height) != (width > height):
        width, height = height, width
    picture = _scaled(upright, MAX_SIDE)
    source = image.format or ""
    data, media_type = _encoded(picture, lossy=source in LOSSY)
    small = _scaled(picture, REDUCED_SIDE)
    reduced, reduced_type = (data, media_type) if small is picture else _encoded(small, lossy=True)
    return Picture(
        data=data,
        media_type=media_type,
        width=picture.width,
        height=picture.height,
        frame=0,
        frames=1,
        original_width=width,
        original_height=height,
        original_format="JPEG" if source == "MPO" else source,
        colours=dominant_colours(np.asarray(picture.resize((100, 100), Image.Resampling.NEAREST))),
        reduced=reduced,
        reduced_media_type=reduced_type,
    )


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return 16-bit, 32-bit and floating-point grey as 8 bits; other pictures as they are."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;"):
        return image
    values = np.nan_to_num(np.asarray(image, np.float32))
    low, high = (0.0, 65535.0) if values.min() >= 0 and 4096 <= values.max() <= 65535 else _range(values)
    grey = Image.fromarray(((np.clip(values, low, high) - low) / (high - low) * 255).astype(np.uint8))
    grey.info = dict(image.info)
    grey.getexif().update(image.getexif())
    return grey


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return low, high if high > low else low + 1


def _opaque(image: Image.Image) -> Image.Image:
    """Return RGB on paper that what is visible stands out from: white, black for light ink, grey for both on glass."""
    if image.mode not in ("RGBA", "LA", "PA", "La", "RGBa") and "transparency" not in image.info:
        return image.convert("RGB")
    image = image.convert("RGBA")
    pixels = np.asarray(image)
    visible = pixels[..., 3] > 127
    paper = "white"
    if visible.any() and visible.mean() < 0.5:
        brightness = pixels[..., :3][visible].mean(axis=1)
        light, dark = (brightness > 170).mean(), (brightness < 85).mean()
        both = min(light, dark) > _SOME_INK
        paper = "gray" if both else "black" if brightness.mean() > 127 else "white"
    sheet = Image.new("RGBA", image.size, paper)
    sheet.alpha_composite(image)
    return sheet.convert("RGB")


def _fitted(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the size that is at most `side` a side, or for long pictures of area `side * side / LONG`."""
    longest = max(width, height)
    scale = max(side / longest, sqrt(side * side / LONG / (width * height)))
    scale = min(1.0, scale, LONGEST_SIDE / longest)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _scaled(image: Image.Image, side: int) -> Image.Image:
    size = _fitted(image.width, image.height, side)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _encoded(image: Image.Image, *, lossy: bool) -> tuple[bytes, str]:
    """Return the bytes, without any metadata (a photo's place and time are private), and the media type."""
    exact = image.width * image.height <= EXACT_PIXELS or not lossy
    if exact:
        data = _saved(image, "PNG", compress_level=3)
        if len(data) <= MAX_PNG_BYTES:
            return data, "image/png"
    return _saved(image, "JPEG", quality=JPEG_QUALITY, subsampling=0), "image/jpeg"


def _saved(image: Image.Image, file_format: str, **options: int) -> bytes:
    clean = Image.new("RGB", image.size)
    clean.paste(image)
    buffer = io.BytesIO()
    clean.save(buffer, file_format, **options)
    return buffer.getvalue()
