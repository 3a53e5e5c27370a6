"""Types by content first, by name only where content does not tell."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from domain.errors import FileEmpty
from readers.detect import detect
from tests.readers import samples
from tests.readers.conftest import Read


def image(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(buffer, kind)
    return buffer.getvalue()


def heic() -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)


def two_byte_word() -> bytes:
    return samples.legacy_word("x" * 50)


OFFICE = "application/vnd.openxmlformats-officedocument."


@pytest.mark.parametrize(
    ("make", "name", "expected"),
    [
        (lambda: image("PNG"), "report.pdf", ("image", "image/png")),
        (lambda: image("JPEG"), "x", ("image", "image/jpeg")),
        (lambda: image("GIF"), "x.txt", ("image", "image/gif")),
        (lambda: image("BMP"), "x", ("image", "image/bmp")),
        (lambda: image("TIFF"), "x", ("image", "image/tiff")),
        (lambda: image("WEBP"), "x", ("image", "image/webp")),
        (heic, "x.jpg", ("image", "image/heic")),
        (lambda: b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "x", ("image", "image/avif")),
        (lambda: b"RIFF\x24\0\0\0WAVEfmt ", "x.mp3", ("audio", "audio/wav")),
        (lambda: b"ID3\x04" + bytes(50), "x", ("audio", "audio/mpeg")),
        (lambda: b"\xff\xfb\x90\x00" + bytes(50), "x", ("audio", "audio/mpeg")),
        (lambda: b"OggS\0\x02" + bytes(50), "x", ("audio", "audio/ogg")),
        (lambda: b"fLaC" + bytes(50), "x", ("audio", "audio/flac")),
        (lambda: b"\0\0\0\x1cftypM4A \0\0\0\0isom", "x", ("audio", "audio/mp4")),
        (lambda: b"\x1aE\xdf\xa3" + b"A_OPUS" + bytes(20), "voice", ("audio", "audio/webm")),
        (lambda: b"\0\0\0\x1cftypisom\0\0\0\0mp41", "x", ("document", "video/mp4")),
        (lambda: samples.text_pdf("hello"), "x.docx", ("document", "application/pdf")),
        (lambda: b"\n\njunk" + samples.text_pdf("hello"), "x", ("document", "application/pdf")),
        (lambda: b"How a PDF begins: %PDF-1.7 and so on", "notes.txt", ("document", "text/plain")),
        (samples.word, "x.doc", ("document", OFFICE + "wordprocessingml.document")),
        (samples.slides, "x.zip", ("document", OFFICE + "presentationml.presentation")),
        (samples.workbook, "x", ("document", OFFICE + "spreadsheetml.sheet")),
        (samples.book, "x", ("document", "application/epub+zip")),
        (samples.open_text, "x", ("document", "application/vnd.oasis.opendocument.text")),
        (lambda: samples.packed({"a.txt": "a"}), "x.docx", ("document", "application/zip")),
        (two_byte_word, "x.docx", ("document", "application/msword")),
        (lambda: samples.ole({"Workbook": b"x"}), "x", ("document", "application/vnd.ms-excel")),
        (lambda: samples.ole({"EncryptedPackage": b"x"}), "a.docx", ("document", "application/encrypted")),
        (samples.mail, "x", ("document", "message/rfc822")),
        (lambda: samples.RTF, "x.doc", ("document", "application/rtf")),
        (lambda: samples.HTML.encode(), "x", ("document", "text/html")),
        (lambda: samples.HTML.encode("utf-16"), "page.txt", ("document", "text/html")),
        (lambda: b"<?xml version='1.0'?><svg xmlns='x'/>", "x.png", ("document", "image/svg+xml")),
        (lambda: b"print(1)", "a.py", ("document", "text/x-python")),
        (lambda: b"const a: number = 1", "a.ts", ("document", "text/typescript")),
        (lambda: b"{}", "a.json", ("document", "application/json")),
        (lambda: b"a,b", "A.CSV", ("document", "text/csv")),
        (lambda: b"# t", "README.md", ("document", "text/markdown")),
        (lambda: b"FROM x", "Dockerfile", ("document", "text/x-dockerfile")),
        (lambda: b"just words", "photo.jpg", ("document", "text/plain")),
        (lambda: "你好，世界".encode("gbk"), "x", ("document", "text/plain")),
        (lambda: "你好，世界".encode("utf-16-le"), "x.txt", ("document", "text/plain")),
        (lambda: "Hello there".encode("utf-16-le"), "x.txt", ("document", "text/plain")),
        (lambda: bytes(range(256)) * 8, "a.txt", ("document", "application/octet-stream")),
        (lambda: b"\x7fELF" + bytes(100), "a.py", ("document", "application/x-executable")),
        (lambda: b"Subject to change: nothing\nDate: today we met\n\nwords", "n.txt", ("document", "text/plain")),
    ],
)
@pytest.mark.parametrize("whole", [True, False], ids=["file", "head"])
def test_detect(make: Callable[[], bytes], name: str, expected: tuple[str, str], whole: bool, tmp_path: Path) -> None:
    data = make()
    path = tmp_path / "upload"
    path.write_bytes(data)
    assert detect(data[:65536], name, path=path if whole else None) == expected


async def test_nothing_is_empty(read: Read) -> None:
    with pytest.raises(FileEmpty):
        await read(b"", "a.pdf")
