from __future__ import annotations

import base64

import pytest

from domain.errors import BadInput
from turn.content import split_content

PNG = b"\x89PNG\r\n\x1a\n"
B64 = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    ("block", "data", "name"),
    [
        ({"type": "image", "base64": B64, "mime_type": "image/png"}, PNG, "image-1"),
        ({"type": "image", "source_type": "base64", "data": B64, "mime_type": "image/png"}, PNG, "image-1"),
        ({"type": "file", "base64": B64, "mime_type": "image/png", "filename": "a.png"}, PNG, "a.png"),
        ({"type": "file", "base64": B64, "mime_type": "x/y", "extras": {"filename": "表.xlsx"}}, PNG, "表.xlsx"),
        ({"type": "file", "base64": B64, "metadata": {"name": "m.bin"}}, PNG, "m.bin"),
        (
            {"type": "file", "file": {"filename": "o.pdf", "file_data": f"data:application/pdf;base64,{B64}"}},
            PNG,
            "o.pdf",
        ),
        ({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{B64}"}}, PNG, "image-1"),
        ({"type": "image_url", "image_url": f"data:image/png;base64,{B64}"}, PNG, "image-1"),
        ({"type": "image_url", "image_url": {"url": "data:text/plain,a%20b"}}, b"a b", "image-1"),
        ({"type": "image_url", "image_url": {"url": f"data:text/plain;charset=utf-8;base64,{B64}"}}, PNG, "image-1"),
        ({"type": "input_audio", "input_audio": {"data": B64, "format": "mp3"}}, PNG, "audio-1.mp3"),
        ({"type": "text-plain", "text": "你好"}, "你好".encode(), "text-1.txt"),
        ({"type": "file", "source_type": "text", "text": "plain"}, b"plain", "file-1"),
    ],
)
def test_inline_forms(block: dict[str, object], data: bytes, name: str) -> None:
    text, parts = split_content(
        [{"type": "text", "text": "look"}, "here", block][2:] + [{"type": "text", "text": "look"}]
    )
    assert text == "look"
    assert [(part.decoded().data, part.name) for part in parts] == [(data, name)]


@pytest.mark.parametrize(
    ("block", "url"),
    [
        ({"type": "image_url", "image_url": {"url": "https://e.org/a/cat.png?x=1"}}, "https://e.org/a/cat.png?x=1"),
        ({"type": "image", "url": "http://e.org/cat.png"}, "http://e.org/cat.png"),
    ],
)
def test_url_forms(block: dict[str, object], url: str) -> None:
    (part,) = split_content([block])[1]
    assert (part.url, part.name, part.data) == (url, "cat.png", None)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "file", "file_id": "abc"},
        {"type": "file", "source_type": "id", "id": "abc"},
        {"type": "attachment", "id": "abc"},
        {"type": "file", "file": {"file_id": "abc"}},
    ],
)
def test_references(block: dict[str, object]) -> None:
    assert split_content([block])[1][0].attachment_id == "abc"


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ({"type": "video", "base64": B64}, "unknown type"),
        ({"type": "image"}, "no data"),
        ({"type": "image", "base64": "%%%"}, "not valid base64"),
        ({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}, "neither http"),
        ({"type": "image_url", "image_url": {"url": "data:;base64"}}, "broken data URL"),
        (7, "neither text nor an object"),
    ],
)
def test_bad_blocks_say_why(block: object, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        [part.decoded() for part in split_content([block])[1]]
