"""Files of the page: their headers, and what is no file."""

from __future__ import annotations

import re

import httpx
import pytest

from api.edge.static import FOR_GOOD, PAGE_HEADERS


@pytest.mark.parametrize(
    ("path", "kind", "caching"),
    [
        ("/", "text/html", "no-cache"),
        ("/favicon.ico", "image/svg+xml", "no-cache"),
        ("/js/main.js", "text/javascript", "no-cache"),
        ("/vendor/purify-3.4.18.js", "text/javascript", FOR_GOOD),
    ],
)
async def test_a_file_is_sent_once(client: httpx.AsyncClient, path: str, kind: str, caching: str) -> None:
    sent = await client.get(path)
    assert sent.status_code == 200 and sent.content
    assert sent.headers["content-type"].partition(";")[0] == kind and sent.headers["cache-control"] == caching
    known = await client.get(path, headers={"If-None-Match": sent.headers["etag"]})
    assert known.status_code == 304 and not known.content
    for name, value in PAGE_HEADERS.items():
        assert sent.headers[name] == known.headers[name] == value
    head = await client.head(path)
    assert not head.content and head.headers["content-length"] == sent.headers["content-length"]


@pytest.mark.parametrize(
    "path",
    [
        "/js/", "/js/no.js", "/js/..%2f..%2fserver.py", "/js/a%00b", "/js/" + "a" * 5000,
        "/js/.%2fmain.js", "/js/%2fmain.js", "/js/lib%2f..%2fmain.js",
    ],
)  # fmt: skip
async def test_what_is_no_file_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


async def test_the_docs_run_no_script_of_another_host(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200 and "script-src 'self'" in page.headers["content-security-policy"]
    assert re.findall(r"""(?:src|href)=["'](?!/)""", page.text) == []
    for path in re.findall(r"""(?:src|href)=["'](/[^"']+)""", page.text):
        assert (await client.get(path)).status_code == 200, path
    assert (await client.get("/redoc")).status_code == 404


async def test_the_modules_of_the_page_are_one_file_that_is_kept_for_good(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    style, script, words = re.findall(r'"(chunks/\w+/[\w.]+)"', page.text)
    for path in (style, script, words):
        sent = await client.get(f"/{path}")
        assert sent.headers["cache-control"] == FOR_GOOD and sent.headers["content-encoding"] == "gzip"
        plain = await client.get(f"/{path}", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers and plain.content == sent.content
    for path in re.findall(r'(?:from |import\()"(\.[^"]+)"', (await client.get(f"/{script}")).text):
        assert (await client.get(str(httpx.URL(f"http://test/{script}").join(path).path))).status_code == 200, path
    assert (await client.get("/chunks/0123456789abcdef/main.js")).status_code == 404


@pytest.mark.parametrize(
    ("headers", "language", "tag"),
    [
        ({}, "en", "en"),
        ({"Accept-Language": "fr, zh-CN;q=0.8, en;q=0.5"}, "zh", "zh-CN"),
        ({"Accept-Language": "zh-CN", "Cookie": "language=en"}, "en", "en"),
        ({"Accept-Language": "en", "Cookie": "language=zh"}, "zh", "zh-CN"),
        ({"Accept-Language": "en", "Cookie": "language=../xx"}, "en", "en"),
    ],
)
async def test_the_page_brings_the_words_of_its_reader(
    client: httpx.AsyncClient, headers: dict[str, str], language: str, tag: str
) -> None:
    page = await client.get("/", headers=headers)
    assert f'<html lang="{tag}">' in page.text
    assert re.findall(r"words_(\w+)\.js", page.text) == [language]
    assert {"Accept-Language", "Cookie"} <= set(page.headers["vary"].split(", "))
    other = await client.get("/", headers={"Cookie": f"language={'en' if language == 'zh' else 'zh'}"})
    assert other.headers["etag"] != page.headers["etag"]
    assert (await client.get("/", headers=headers | {"If-None-Match": page.headers["etag"]})).status_code == 304
    assert (await client.get("/index.zh.html")).status_code == 404
