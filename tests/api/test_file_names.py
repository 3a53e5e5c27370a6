"""Names of uploaded files arrive whole from every kind of client."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx
import pytest
from starlette.datastructures import Headers, UploadFile

from api.edge.forms import LimitedParser
from tests.standins.openai_server import OpenAIServer

NAMES: list[tuple[bytes, str]] = [
    (b'filename="a.csv"', "a.csv"),
    (b"filename=a.csv", "a.csv"),
    ('filename="报价单.csv"'.encode(), "报价单.csv"),
    ('filename="报价单第三版.csv"'.encode("gbk"), "报价单第三版.csv"),
    (b'filename="=?utf-8?B?5oql5Lu35Y2VLmNzdg==?="', "报价单.csv"),
    (b"filename==?utf-8?B?5oql5Lu35Y2VLmNzdg==?=", "报价单.csv"),
    (b'filename="=?UTF-8?Q?caf=C3=A9.txt?="', "café.txt"),
    (b'filename="=?gb2312?B?sai827WlLmNzdg==?="', "报价单.csv"),
    (b"filename*=utf-8''%E6%8A%A5%E4%BB%B7%E5%8D%95.csv", "报价单.csv"),
    (b"filename*=UTF-8'en'na%C3%AFve.txt", "naïve.txt"),
    (b"filename*=iso-8859-1''na%EFve.txt", "naïve.txt"),
    (b"filename=\"fallback.csv\"; filename*=UTF-8''%E6%8A%A5.csv", "报.csv"),
    (b"filename*0*=UTF-8''%E6%8A%A5; filename*1=.csv", "报.csv"),
    (b'filename="a \\"b\\"; c.txt"', 'a "b"; c.txt'),
    (b'filename="C:\\docs\\new.txt"', "C:\\docs\\new.txt"),
    (b'FileName="A.TXT"', "A.TXT"),
]


def form(disposition: bytes) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; ' + disposition
    message = b'\r\n--b\r\nContent-Disposition: form-data; name="message"\r\n\r\nprice?\r\n--b--\r\n'
    return head + b"\r\n\r\nitem,price\r\nlamp,64.50" + message


@pytest.mark.parametrize("charset", [b"", b"; charset=gbk"])
@pytest.mark.parametrize(("disposition", "name"), NAMES)
async def test_every_form_of_a_name(disposition: bytes, name: str, charset: bytes) -> None:
    async def body() -> AsyncGenerator[bytes, None]:
        yield form(disposition)

    headers = Headers(raw=[(b"content-type", b"multipart/form-data; boundary=b" + charset)])
    parser = LimitedParser(headers, body(), max_file_bytes=1000, max_files=2, max_fields=2, max_part_size=100)
    parsed = await parser.parse()
    file = parsed["file"]
    assert isinstance(file, UploadFile)
    assert file.filename == name
    assert await file.read() == b"item,price\r\nlamp,64.50"
    assert parsed["message"] == "price?"


async def test_a_file_that_has_its_name_in_filename_star_alone_is_read(
    client: httpx.AsyncClient, model: OpenAIServer
) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    body = form(b"filename*=UTF-8''%E6%8A%A5%E4%BB%B7%E5%8D%95.csv")
    for path in ("/api/v1/chat_with_file", "/api/v1/documents"):
        content = body if path.endswith("file") else body.replace(b'"message"', b'"session_id"')
        response = await client.post(path, content=content, headers=headers)
        assert response.is_success, response.text
        answer = response.json()
        shown = answer["attachments"][0] if isinstance(answer, dict) else answer[0]
        assert (shown["name"], shown["media_type"]) == ("报价单.csv", "text/csv")


async def test_text_where_a_file_belongs_is_refused(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    response = await client.post("/api/v1/chat_with_file", data={"message": "price?", "file": "item,price"})
    assert (response.status_code, response.json()["error"]["code"]) == (422, "bad_input")
